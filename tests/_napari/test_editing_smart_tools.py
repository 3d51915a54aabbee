"""Brushes that look at the images or at the proposal, over a real layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from test_editing_controller import SHAPE, Desk, make_session

from napari_mmseg._napari.editing_controller import attach_editing
from napari_mmseg._napari.editing_lasso import LASSO_NAME
from napari_mmseg._napari.editing_tool import Tool


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A case whose one contrast is bright from column 12 on, the other from row 10 on."""
    found = Desk(make_session())
    found.controller.detach()
    noise = np.random.default_rng(0).normal(0, 1, SHAPE)
    columns, rows = noise.copy(), noise.copy()
    columns[:, :, 12:] += 100
    rows[:, 10:] += 100
    images = {"T1ce": columns.astype(np.float32), "FLAIR": rows.astype(np.float32)}
    found.controller = attach_editing(found.viewer, found.layer, found.session, images=images)
    yield found
    found.controller.detach()


def test_the_adaptive_brush_stops_at_the_edge_of_the_contrast_it_looks_at(desk):
    desk.press("A")
    desk.controller.use(diameter=16.0, looks_at="T1ce")
    desk.drag((4, 9, 9))
    painted = np.argwhere(desk.session.codes)
    assert painted[:, 2].max() == 11
    assert painted[:, 1].max() > 10
    assert desk.session.undo_label == "adaptive brush: add WT"
    desk.layer.undo()
    desk.press("M")  # from T1ce to FLAIR
    assert desk.controller.tool.looks_at == "FLAIR"
    desk.drag((4, 7, 11))
    painted = np.argwhere(desk.session.codes)
    assert painted[:, 1].max() == 9
    assert painted[:, 2].max() > 12
    desk.layer.undo()
    desk.press("M")  # all contrasts
    desk.drag((4, 8, 10))
    painted = np.argwhere(desk.session.codes)
    assert (painted[:, 1:].max(axis=0) == [9, 11]).all()
    desk.drag((4, 8, 10), modifiers=("Shift",))
    assert not desk.session.codes.any()


def test_the_adaptive_brush_works_in_3d_and_follows_a_drag(desk):
    desk.controller.use(tool="adaptive", diameter=10.0, in_3d=True, looks_at="T1ce")
    desk.drag((4, 4, 10), (4, 15, 10))
    painted = np.argwhere(desk.session.codes)
    assert len(set(painted[:, 0])) == 3
    assert set(range(3, 17)) <= set(painted[:, 1])
    assert painted[:, 2].max() == 11
    assert desk.session.undo_depth == 1


def test_without_images_the_adaptive_brush_is_a_plain_one():
    desk = Desk(make_session())
    desk.controller.use(tool="adaptive", diameter=6.0)
    desk.drag((4, 10, 12))
    adaptive = desk.session.codes.copy()
    desk.layer.undo()
    desk.controller.use(tool="brush")
    desk.drag((4, 10, 12))
    np.testing.assert_array_equal(desk.session.codes, adaptive)
    desk.controller.detach()


def test_the_restore_brush_brings_the_proposal_back_under_it_only(desk):
    proposed = np.zeros(SHAPE, np.uint8)
    proposed[:, 5:15, 5:15] = 1
    desk.session.replace(proposed, "segmentation")
    desk.controller.use(tool="brush", erase=True, diameter=40.0)
    desk.drag((4, 10, 10))
    desk.controller.use(erase=False)
    desk.drag((5, 10, 12))
    desk.press("R")
    desk.controller.use(diameter=6.0)
    desk.drag((4, 10, 8))
    assert desk.session.undo_label == "restore brush: WT as proposed"
    assert desk.session.codes[4, 10, 8] == 1
    assert desk.session.codes[4, 10, 13] == 0
    desk.viewer.dims.set_point(0, desk.layer.data_to_world((5, 0, 0))[0])
    desk.drag((5, 2, 16))
    assert desk.session.codes[5, 2, 16] == 0
    assert desk.session.codes[5, 10, 18] == 1


def test_the_restore_brush_with_shift_brings_all_regions_back(desk):
    proposed = np.zeros(SHAPE, np.uint8)
    proposed[:, 5:15, 5:15] = 1
    proposed[:, 8:12, 8:12] = 3
    desk.session.replace(proposed, "segmentation")
    desk.controller.use(tool="brush", erase=True, diameter=60.0)
    desk.drag((4, 10, 10))
    desk.controller.use(tool="restore", diameter=6.0)  # erasing stays set and makes no difference
    desk.drag((4, 10, 10))
    assert desk.session.codes[4, 10, 10] == 1
    desk.drag((4, 10, 10), modifiers=("Shift",))
    assert desk.session.codes[4, 10, 10] == 3
    assert desk.session.codes[4, 5, 5] == 0  # not under the brush
    assert desk.session.undo_label == "restore brush: all regions as proposed"
    desk.session.undo()
    assert desk.session.codes[4, 10, 10] == 1


def double_click(desk: Desk, voxel: tuple[int, int, int]) -> None:
    desk.drag(voxel)
    event = desk.event("mouse_double_click", voxel, 1, ())
    for callback in desk.layer.mouse_double_click_callbacks:
        callback(desk.layer, event)


def test_the_lasso_follows_the_edge_between_clicks_and_closes_on_a_double_click(desk):
    bright = np.zeros(SHAPE, np.float32)
    bright[:, 4:16, 4:20] = 100
    desk.controller.images["T2"] = bright
    desk.press("L")
    desk.controller.use(looks_at="T2", region="TC")
    for corner in ((4, 4, 4), (4, 4, 19)):
        desk.drag(corner)
    assert LASSO_NAME in desk.viewer.layers
    assert desk.viewer.layers.selection.active is desk.layer
    desk.drag((4, 10, 12))
    desk.drag((4, 10, 12), button=2)  # takes the last one back
    assert desk.controller.lasso.corners == ((4, 4, 4), (4, 4, 19))
    overlay = desk.viewer.layers[LASSO_NAME]
    assert overlay.shape_type == ["path", "path", "rectangle", "rectangle"]
    back = overlay.data[0]  # how a double click would close it: not the way it came
    np.testing.assert_array_equal(back[[0, -1]], [(4, 4, 19), (4, 4, 4)])
    assert (back[1:-1, 1] != 4).any()
    double_click(desk, (4, 15, 12))  # the way there and back goes round the corners
    found = desk.session.codes == 2
    assert found[4, 5:15, 5:19].all()
    assert not found[4, :2].any()
    assert not found[4, 18:].any()
    assert not np.delete(found, 4, axis=0).any()
    assert desk.session.undo_label == "magnetic lasso: add TC"
    assert LASSO_NAME not in desk.viewer.layers
    desk.press("F")
    assert desk.controller.tool.tool is Tool.FILL


def test_escape_gives_a_lasso_up_and_is_napari_s_own_key_otherwise(desk):
    desk.controller.images["T2"] = np.zeros(SHAPE, np.float32)
    desk.press("L")
    assert "Escape" not in desk.layer.keymap
    desk.drag((4, 4, 4))
    desk.drag((4, 4, 15))
    desk.press("Escape")
    assert desk.controller.lasso.corners == ()
    assert LASSO_NAME not in desk.viewer.layers
    assert "Escape" not in desk.layer.keymap
    desk.drag((4, 8, 8))
    assert desk.controller.lasso.corners == ((4, 8, 8),)
    desk.drag((4, 8, 8), button=2)
    assert "Escape" not in desk.layer.keymap
    assert desk.session.undo_depth == 0


def test_a_lasso_that_is_put_away_or_outside_changes_nothing(desk, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk.press("L")
    desk.drag((4, 5, 5))
    desk.drag((4, 5, 50))
    assert "outside the image" in said[0]
    desk.press("A")
    assert desk.controller.lasso.corners == ()
    assert LASSO_NAME not in desk.viewer.layers
    assert desk.session.undo_depth == 0


def test_drawing_round_an_area_restores_it_with_the_restore_brush(desk):
    proposed = np.ones(SHAPE, np.uint8)
    desk.session.replace(proposed, "segmentation")
    desk.session.replace(np.zeros(SHAPE, np.uint8), "wipe", as_proposal=False)
    desk.press("R")
    desk.layer._begin_stroke()
    desk.layer.paint_polygon([(4, 5, 5), (4, 5, 12), (4, 12, 12), (4, 12, 5)], 1)
    desk.layer._commit_stroke()
    assert desk.session.codes[4, 8, 8] == 1
    assert desk.session.codes.sum() == 64


def test_letting_go_of_space_returns_to_the_adaptive_brush_and_p_to_the_plain_one(desk):
    desk.press("A")
    assert (desk.layer.mode, desk.layer.cursor) == ("paint", "circle")
    desk.layer.mode = "pan_zoom"
    desk.layer.mode = "paint"
    assert desk.controller.tool.tool is Tool.ADAPTIVE
    desk.press("P")
    assert desk.controller.tool.tool is Tool.BRUSH
    desk.press("A")
    desk.layer.mode = "erase"  # napari's own button
    assert desk.controller.tool.tool is Tool.ADAPTIVE
    assert desk.controller.tool.erase
