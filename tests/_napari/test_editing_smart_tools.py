"""Brushes that look at the images or at the proposal, over a real layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from test_editing_controller import SHAPE, Desk, make_session

from napari_mmseg._napari.editing_controller import attach_editing
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
    desk.drag((4, 10, 8), modifiers=("Shift",))  # Shift makes no difference
    assert desk.session.undo_label == "restore brush: WT as proposed"
    assert desk.session.codes[4, 10, 8] == 1
    assert desk.session.codes[4, 10, 13] == 0
    desk.viewer.dims.set_point(0, desk.layer.data_to_world((5, 0, 0))[0])
    desk.drag((5, 2, 16))
    assert desk.session.codes[5, 2, 16] == 0
    assert desk.session.codes[5, 10, 18] == 1


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
