"""Mouse, keys and napari's own controls over a labels layer act through the edit session."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils import interactions
from napari.utils._proxies import ReadOnlyWrapper

from napari_mmseg._napari.colours import label_colormap
from napari_mmseg._napari.editing_actions import COMMON_ACTIONS, all_actions, region_actions
from napari_mmseg._napari.editing_controller import EditController, attach_editing
from napari_mmseg._napari.editing_tool import Tool
from napari_mmseg.annotation import Annotation
from napari_mmseg.editing import EditSession
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

SHAPE = (9, 20, 24)
SPACING = (3.0, 1.0, 2.0)
GLIOMA = load_protocol()


def make_session(codes: np.ndarray | None = None) -> EditSession:
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2] = (-mm for mm in SPACING)
    affine[:, 3] = (40.0, -7.0, 12.0, 1.0)
    grid = Grid(SHAPE, affine)
    codes = np.zeros(SHAPE, np.uint8) if codes is None else codes
    return EditSession(Annotation(codes, grid, GLIOMA, SourceSpace.of(grid)))


class Desk:
    """A viewer with a labels layer under edit, and a hand on the mouse."""

    def __init__(self, session: EditSession) -> None:
        self.session = session
        self.viewer = ViewerModel()
        grid = session.grid
        self.image = self.viewer.add_image(
            np.zeros(SHAPE, np.float32), scale=grid.spacing, translate=grid.display_translate
        )
        self.layer: Labels = self.viewer.add_labels(
            session.codes.copy(),
            scale=grid.spacing,
            translate=grid.display_translate,
            colormap=label_colormap(GLIOMA),
        )
        self.controller: EditController = attach_editing(self.viewer, self.layer, session)

    def event(self, kind: str, voxel: Any, button: int, modifiers: tuple[str, ...]) -> Any:
        event = SimpleNamespace(
            type=kind,
            button=button,
            modifiers=modifiers,
            position=self.layer.data_to_world(voxel),
            pos=np.zeros(2),
            dims_displayed=list(self.viewer.dims.displayed),
            dims_point=list(self.viewer.dims.point),
            view_direction=None,
            is_dragging=kind == "mouse_move",
            handled=False,
        )
        return ReadOnlyWrapper(event, exceptions=("handled",))

    def drag(self, *voxels: Any, button: int = 1, modifiers: tuple[str, ...] = ()) -> None:
        act = interactions.mouse_press_callbacks
        act(self.layer, self.event("mouse_press", voxels[0], button, modifiers))
        for voxel in voxels[1:]:
            event = self.event("mouse_move", voxel, button, modifiers)
            interactions.mouse_move_callbacks(self.layer, event)
        event = self.event("mouse_release", voxels[-1], button, modifiers)
        interactions.mouse_release_callbacks(self.layer, event)

    def press(self, key: str) -> None:
        """The key as napari finds it: the layer's own keymap before that of its class."""
        from napari.utils.key_bindings import coerce_keybinding

        binding = coerce_keybinding(key)
        for keymap in (self.layer.keymap, type(self.layer).class_keymap, self.viewer.keymap):
            if binding in keymap:
                keymap[binding](self.layer)
                return
        raise AssertionError(f"nothing is bound to {key}")


@pytest.fixture
def desk() -> Iterator[Desk]:
    found = Desk(make_session())
    yield found
    found.controller.detach()


def test_the_layer_shows_the_sessions_own_array(desk):
    assert desk.layer.data is desk.session.codes


def test_a_drag_is_one_step_round_in_mm_without_gaps(desk):
    desk.controller.use(tool="brush", region="TC", diameter=6.0)
    desk.drag((4, 5, 4), (4, 14, 20))
    codes = desk.session.codes
    assert desk.session.undo_depth == 1
    assert (np.flatnonzero(codes.any(axis=(1, 2))) == [4]).all()
    assert codes[4, 5, 4] == codes[4, 14, 20] == codes[4, 10, 12] == 2
    rows = np.flatnonzero(codes[4, :, 4])
    columns = np.flatnonzero(codes[4, 5])
    assert rows.min() == 2
    assert columns.min() == 3  # 3 mm are one and a half voxels of 2 mm
    desk.press("Control-Z")
    assert not codes.any()
    desk.press("Control-Shift-Z")
    assert codes[4, 10, 12] == 2


@pytest.mark.parametrize(
    ("order", "voxel"), [((0, 1, 2), (3, 8, 9)), ((1, 0, 2), (3, 8, 9)), ((2, 0, 1), (3, 8, 9))]
)
def test_the_shown_plane_is_painted_and_no_other(desk, order, voxel):
    desk.viewer.dims.order = order
    desk.viewer.dims.set_point(order[0], desk.layer.data_to_world(voxel)[order[0]])
    desk.controller.use(tool="brush", diameter=7.0)
    desk.drag(voxel)
    painted = np.argwhere(desk.session.codes)
    assert set(painted[:, order[0]]) == {voxel[order[0]]}
    for axis in order[1:]:
        reach = int(3.5 / SPACING[axis])
        assert painted[:, axis].min() == voxel[axis] - reach
        assert painted[:, axis].max() == voxel[axis] + reach


def test_a_ball_spans_slices_by_their_thickness(desk):
    desk.controller.use(tool="brush", diameter=13.0, in_3d=True)
    desk.drag((4, 10, 12))
    painted = np.argwhere(desk.session.codes)
    assert [int(np.ptp(painted[:, axis])) + 1 for axis in range(3)] == [5, 13, 7]


def test_holding_shift_erases_and_erasing_with_shift_adds(desk):
    desk.controller.use(tool="brush", region="WT", diameter=8.0)
    desk.drag((4, 10, 12))
    desk.drag((4, 10, 12), modifiers=("Shift",))
    assert not desk.session.codes.any()
    desk.controller.use(erase=True)
    desk.drag((4, 10, 12), modifiers=("Shift",))
    assert desk.session.codes.any()


def test_exact_mode_touches_one_compartment_only(desk):
    desk.session.replace(np.full(SHAPE, 3, np.uint8), "all enhancing")
    desk.controller.use(tool="brush", region="WT", exact=True, diameter=2.0)
    desk.drag((4, 10, 12))
    assert desk.session.codes[4, 10, 12] == 1
    desk.controller.use(erase=True, diameter=8.0)
    desk.drag((4, 10, 12))
    assert desk.session.codes[4, 10, 12] == 0
    assert desk.session.codes[4, 12, 12] == 3  # within the brush, but not oedema


def test_the_middle_button_picks_the_region(desk):
    codes = np.zeros(SHAPE, np.uint8)
    codes[4, 10, 12] = 3
    desk.session.replace(codes, "one voxel")
    desk.controller.use(tool="brush", region="WT")
    desk.drag((4, 10, 12), button=3)
    assert desk.controller.tool.region == "ET"
    desk.drag((4, 0, 0), button=3)  # background changes nothing
    assert desk.controller.tool.region == "ET"


def test_nothing_is_painted_while_navigating_or_with_other_buttons(desk):
    desk.drag((4, 10, 12))
    desk.controller.use(tool="brush")
    desk.drag((4, 10, 12), button=2)
    assert not desk.session.codes.any()


def test_painting_is_off_in_3d_which_is_said_and_back_in_2d(desk, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk.controller.use(tool="brush", erase=True)
    desk.viewer.dims.ndisplay = 3
    assert desk.controller.tool.tool is Tool.NAVIGATE
    assert desk.layer.mode == "pan_zoom"
    desk.controller.use(tool="brush")
    assert desk.controller.tool.tool is Tool.NAVIGATE
    assert "2D view" in said[0]
    desk.layer.mode = "paint"  # napari's own button
    assert desk.layer.mode == "pan_zoom"
    assert len(said) == 2
    desk.drag((4, 10, 12))
    assert not desk.session.codes.any()
    desk.viewer.dims.ndisplay = 2
    assert (desk.controller.tool.tool, desk.layer.mode) == (Tool.BRUSH, "erase")


def test_napari_s_own_controls_and_the_tool_follow_each_other(desk):
    layer, controller = desk.layer, desk.controller
    layer.mode = "erase"
    assert (controller.tool.tool, controller.tool.erase) == (Tool.BRUSH, True)
    layer.mode = "paint"
    assert not controller.tool.erase
    layer.selected_label = 3
    assert controller.tool.region == "ET"
    layer.brush_size = 5
    assert controller.tool.diameter == 5.0  # voxels of 1 mm are the finest on screen
    assert layer.cursor_size == 5.0
    layer.n_edit_dimensions = 3
    assert controller.tool.in_3d
    controller.use(tool="fill", in_3d=False, region="WT")
    assert (layer.mode, layer.n_edit_dimensions, layer.selected_label) == ("fill", 2, 1)
    layer.selected_label = 0  # napari's "paint background" erases
    assert controller.tool.erase
    layer.selected_label = 7  # no region: the label goes back to what there is
    assert layer.selected_label == 0
    layer.mode = "pan_zoom"
    assert controller.tool.tool is Tool.NAVIGATE


def test_keeping_space_pressed_and_letting_go_returns_to_the_eraser(desk):
    desk.controller.use(tool="brush", erase=True, exact=True)
    before = desk.controller.tool
    desk.layer.mode = "pan_zoom"
    desk.layer.mode = "erase"
    assert desk.controller.tool == before


def test_the_cursor_is_as_large_as_the_brush_in_mm(desk):
    desk.controller.use(tool="brush", diameter=7.5)
    assert desk.layer.cursor == "circle"
    assert desk.layer.cursor_size == 7.5
    desk.layer.mode = "erase"
    assert desk.layer.cursor_size == 7.5
    desk.viewer.dims.order = (2, 0, 1)
    assert desk.layer.cursor_size == 7.5


def test_brush_sizes_stay_within_what_the_panel_offers(desk):
    desk.controller.use(diameter=0.1)
    assert desk.controller.tool.diameter == 0.5
    desk.controller.use(diameter=500)
    assert desk.controller.tool.diameter == 60.0


def test_every_key_does_what_its_action_says(desk):
    tool = lambda: desk.controller.tool  # noqa: E731
    for action in region_actions(GLIOMA):
        desk.press(action.key)
        assert tool().region == action.argument
    desk.press("X")
    assert tool().erase
    desk.press("C")
    assert tool().exact
    desk.press("B")
    assert tool().in_3d
    desk.press("]")
    assert tool().diameter == 9.0
    desk.press("[")
    assert tool().diameter == 8.0
    desk.press("G")
    assert tool().tool is Tool.POLYGON
    desk.press("O")
    assert desk.controller.proposal.is_shown


def test_no_two_actions_share_a_key():
    keys = [action.key for action in all_actions(GLIOMA) if action.key]
    assert len(keys) == len(set(keys))
    assert all(action.tooltip for action in all_actions(GLIOMA))
    assert {a.name for a in COMMON_ACTIONS} >= {"undo", "redo", "toggle_erase"}


def test_no_key_is_one_of_napari_s_menus():
    """Those come before the keys of a layer: a dialog would open, or a menu."""
    keys = {action.key for action in all_actions(GLIOMA)}
    of_actions = {"Alt-S", "Alt-C", "Alt-T"}  # save a screenshot, copy one, a tool
    of_menus = {f"Alt-{letter}" for letter in "FLPWVH"}
    assert not keys & (of_actions | of_menus)


def test_undo_works_from_the_viewer_while_an_image_is_selected(desk):
    from napari.utils.key_bindings import coerce_keybinding

    desk.controller.use(tool="brush")
    desk.drag((4, 10, 12))
    desk.viewer.layers.selection.active = desk.image
    desk.viewer.keymap[coerce_keybinding("Control-Z")](desk.viewer)
    assert not desk.session.codes.any()


def test_undo_turns_to_the_slice_that_it_changes(desk):
    desk.viewer.dims.order = (1, 0, 2)
    place = desk.layer.data_to_world
    desk.controller.use(tool="brush", diameter=2.0)
    desk.drag((4, 6, 12))
    desk.viewer.dims.set_point(1, place((4, 15, 12))[1])
    desk.layer.undo()
    assert desk.viewer.dims.point[1] == place((4, 6, 12))[1]
    desk.drag((4, 6, 12))
    desk.controller.use(in_3d=True, diameter=13.0)
    desk.drag((4, 8, 12))
    desk.viewer.dims.set_point(1, place((4, 9, 12))[1])
    desk.layer.undo()  # some of it is on screen: nothing moves
    assert desk.viewer.dims.point[1] == place((4, 9, 12))[1]


def test_undo_in_the_middle_of_a_drag_ends_it(desk):
    desk.controller.use(tool="brush", diameter=2.0)
    press = desk.event("mouse_press", (4, 5, 5), 1, ())
    interactions.mouse_press_callbacks(desk.layer, press)
    desk.press("Control-Z")
    move = desk.event("mouse_move", (4, 9, 9), 1, ())
    interactions.mouse_move_callbacks(desk.layer, move)
    assert not desk.session.codes.any()
    assert not desk.session.is_open
    desk.drag((4, 5, 5))
    assert desk.session.codes[4, 5, 5] == 1


def test_labels_cannot_be_moved_off_their_images(desk, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk.layer.mode = "transform"
    assert desk.layer.mode == "pan_zoom"
    assert "stay on the grid" in said[0]


def test_fill_takes_the_area_under_the_cursor(desk):
    codes = np.zeros(SHAPE, np.uint8)
    codes[4, 5:15, 5:15] = 1
    codes[4, 7:13, 7:13] = 2
    desk.session.replace(codes, "rings")
    desk.controller.use(tool="fill", region="ET")
    desk.drag((4, 10, 10))
    assert (desk.session.codes[4] == 3).sum() == 36
    assert desk.session.undo_depth == 2


def test_filling_open_background_is_refused_in_a_sentence(desk, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk.controller.use(tool="fill")
    desk.drag((4, 10, 10))
    assert "not enclosed" in said[0]
    assert not desk.session.codes.any()
    assert not desk.session.is_open
    assert desk.session.undo_depth == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_napari_s_polygon_fills_the_shown_plane_through_the_session(desk, order):
    desk.viewer.dims.order = order
    desk.controller.use(tool="polygon", region="TC")
    at = [4, 8, 9]
    corners = []
    for row, column in ((2, 2), (2, 6), (7, 6), (7, 2)):
        corner = [float(n) for n in at]
        corner[order[1]], corner[order[2]] = row + 0.5, column + 0.5  # as napari's overlay counts
        corner[order[0]] -= 1e-6  # what a world coordinate may come back as
        corners.append(corner)
    desk.layer.paint_polygon(corners, desk.layer.selected_label)
    expected = np.zeros(SHAPE, np.uint8)
    box: list[Any] = list(at)
    box[order[1]], box[order[2]] = slice(2, 8), slice(2, 7)
    expected[tuple(box)] = 2
    np.testing.assert_array_equal(desk.session.codes, expected)


def test_preserve_labels_keeps_what_is_labelled(desk):
    codes = np.zeros(SHAPE, np.uint8)
    codes[4, :, :12] = 2
    desk.session.replace(codes, "half")
    desk.layer.preserve_labels = True
    desk.controller.use(tool="brush", region="ET", diameter=8.0)
    desk.drag((4, 10, 12))
    assert (desk.session.codes[4, :, :12] == 2).all()
    assert (desk.session.codes == 3).any()


def test_code_that_calls_the_layer_s_own_methods_goes_through_the_session(desk):
    layer, session = desk.layer, desk.session
    desk.controller.use(diameter=4.0)
    layer.paint((4, 10, 12), 3)
    assert session.codes[4, 10, 12] == 3
    layer.data_setitem((np.array([1]), np.array([2]), np.array([3])), 2)
    assert session.codes[1, 2, 3] == 2
    with layer.block_history():
        layer.paint((5, 10, 12), 1)
        layer.paint((6, 10, 12), 1)
    assert session.undo_depth == 3
    layer.undo()
    assert not session.codes[5:7].any()
    layer.redo()
    assert session.codes[6, 10, 12] == 1
    layer.fill((4, 10, 12), 2)
    assert session.codes[4, 10, 12] == 3  # TC painted over ET keeps ET


def test_an_array_put_into_the_layer_becomes_a_step_of_undo(desk):
    desk.controller.use(tool="brush")
    desk.drag((4, 10, 12))
    painted = desk.session.codes.copy()
    desk.layer.data = np.full(SHAPE, 2, np.uint8)
    assert desk.layer.data is desk.session.codes
    assert (desk.session.codes == 2).all()
    desk.layer.undo()
    np.testing.assert_array_equal(desk.session.codes, painted)


def test_a_foreign_array_with_unknown_labels_is_refused_in_a_sentence(desk, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk.layer.data = np.full(SHAPE, 9, np.uint8)
    desk.layer.data = np.full((2, 2, 2), 1, np.uint8)
    desk.layer.data_setitem((np.array([1]), np.array([2]), np.array([3])), 9)
    assert len(said) == 3
    assert desk.layer.data is desk.session.codes
    assert not desk.session.codes.any()


def test_napari_s_own_history_stays_empty(desk):
    desk.controller.use(tool="brush")
    desk.drag((4, 10, 12), (4, 12, 14))
    Labels.undo(desk.layer)  # the class's own undo, behind our back
    assert desk.session.codes.any()


@pytest.mark.filterwarnings("ignore:Contours are not displayed during 3D rendering")
def test_the_proposal_is_outlined_and_follows_the_model(desk):
    controller = desk.controller
    controller.show_proposal(True)
    outline = next(layer for layer in desk.viewer.layers if "Proposal" in layer.name)
    assert outline.contour == 1
    assert not outline.editable
    assert desk.viewer.layers.selection.active is not outline
    desk.session.replace(np.full(SHAPE, 1, np.uint8), "segment")
    assert (outline.data == 1).all()
    controller.use(tool="brush", region="ET")
    desk.drag((4, 10, 12))
    assert (outline.data == 1).all()
    desk.viewer.dims.ndisplay = 3
    assert not outline.visible  # it would hide the labels as a solid
    desk.viewer.dims.ndisplay = 2
    assert outline.visible
    controller.show_proposal(False)
    assert not outline.visible
    desk.viewer.layers.remove(outline)
    controller.show_proposal(True)
    assert controller.proposal.is_shown


def test_detaching_leaves_a_plain_layer(desk):
    desk.controller.use(tool="brush")
    desk.controller.show_proposal(True)
    desk.drag((4, 10, 12))
    desk.controller.detach()
    painted = desk.session.codes.copy()
    assert not any("Proposal" in layer.name for layer in desk.viewer.layers)
    assert desk.layer.keymap == {}
    assert not desk.viewer.keymap
    assert [callback.__name__ for callback in desk.layer.mouse_drag_callbacks] == ["draw"]
    desk.layer.undo()  # napari's own, with nothing in it
    np.testing.assert_array_equal(desk.layer.data, painted)
    assert not desk.session.on_change
    desk.controller = attach_editing(desk.viewer, desk.layer, desk.session)
    desk.layer.undo()
    assert not desk.session.codes.any()
