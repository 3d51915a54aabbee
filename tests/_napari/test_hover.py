"""What a press would take is outlined before, as it then comes, and leaves no trace."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils import interactions
from test_editing_controller import SHAPE, Desk, make_session
from test_hover_outline import enclosed

from napari_mmseg._napari.editing_controller import attach_editing
from napari_mmseg._napari.hover_overlay import OVERLAY
from napari_mmseg.editing import Footprint, Mode, Stroke

#: In the middle slice: a square of WT with a core, and its neighbours.
AT = SHAPE[0] // 2


class HoverDesk(Desk):
    """A desk with two contrasts, and a hand that only moves over it."""

    def __init__(self) -> None:
        codes = np.zeros(SHAPE, np.uint8)
        codes[3:6, 4:14, 4:16] = 1
        codes[3:6, 7:11, 7:12] = 2
        super().__init__(make_session(codes))
        self.controller.detach()
        noise = np.random.default_rng(1).normal(0, 1, (2, *SHAPE)).astype(np.float32)
        noise[0, :, :, 12:] += 60
        noise[1, :, 9:] += 60
        images = {"FLAIR": noise[0], "T1ce": noise[1]}
        self.controller = attach_editing(self.viewer, self.layer, self.session, images=images)
        self.viewer.dims.set_point(0, self.layer.data_to_world((AT, 0, 0))[0])
        self.viewer.layers.selection.active = self.layer

    def hover(self, voxel: tuple[int, int, int], *modifiers: str) -> None:
        event = self.event("mouse_move", voxel, 0, modifiers)
        event.__wrapped__.is_dragging = False
        interactions.mouse_move_callbacks(self.layer, event)

    @property
    def is_shown(self) -> bool:
        overlay = self.viewer.scene.overlays.get(OVERLAY)
        return overlay is not None and overlay.visible

    @property
    def outlined(self) -> np.ndarray:
        """The voxels of the slice on screen that the drawn lines enclose, axes (down, right)."""
        corners = self.viewer.scene.overlays[OVERLAY].drawing.corners[:, :2].astype(float)
        lines = corners[len(corners) // 2 :].reshape(-1, 4, 2)  # above the dark ones
        half = (lines.max(axis=1) - lines.min(axis=1)).min() / 2  # a line is as wide as it is thin
        ends = np.stack([lines.min(axis=1) + half, lines.max(axis=1) - half], axis=1)
        axes = list(self.viewer.dims.displayed)
        spacing, origin = self.layer.scale[axes], self.layer.translate[axes]
        in_voxels = (ends[..., ::-1] - origin) / spacing
        return enclosed(in_voxels.round(3), tuple(SHAPE[axis] for axis in axes))

    def changed_by_press(self, voxel: tuple[int, int, int], *modifiers: str) -> np.ndarray:
        before = self.session.codes.copy()
        self.drag(voxel, modifiers=modifiers)
        return before != self.session.codes

    def in_slice(self, volume: np.ndarray) -> np.ndarray:
        """The slice on screen, axes (down, right)."""
        down, right = self.viewer.dims.displayed
        across = 3 - down - right
        section = np.moveaxis(volume, across, 0)[self.controller.view.index]
        return section if down < right else section.T


@pytest.fixture
def desk(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HoverDesk]:
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path))
    found = HoverDesk()
    yield found
    found.controller.detach()


def erasing_all() -> Stroke:
    return Stroke("WT", Mode.ERASE, Footprint((0, 0, 0), np.ones(SHAPE, bool)))


@pytest.mark.parametrize(
    "tool",
    [
        {"tool": "adaptive", "region": "TC", "diameter": 9.0},
        {"tool": "adaptive", "region": "ET", "diameter": 11.0, "looks_at": "FLAIR"},
        {"tool": "adaptive", "region": "WT", "diameter": 12.0, "erase": True, "exact": True},
        {"tool": "adaptive", "region": "TC", "diameter": 10.0, "in_3d": True, "exact": True},
        {"tool": "fill", "region": "ET"},
        {"tool": "fill", "region": "TC", "in_3d": True},
        {"tool": "fill", "region": "WT", "erase": True},
    ],
    ids=lambda tool: "-".join(map(str, tool.values())),
)
def test_the_outline_holds_exactly_what_the_press_then_changes(desk, qtbot, tool):
    voxel = (AT, 9, 10)
    desk.controller.use(**tool)
    for order, modifiers in itertools.product([(0, 1, 2), (1, 0, 2), (2, 1, 0)], [(), ("Shift",)]):
        desk.viewer.dims.order = order
        desk.viewer.dims.set_point([0, 1, 2], desk.layer.data_to_world(voxel))
        desk.hover(voxel, *modifiers)
        qtbot.waitUntil(lambda: not desk.controller.hover.is_seeking)
        assert desk.session.undo_depth == 0
        outlined = desk.outlined if desk.is_shown else np.zeros((1, 1), bool)
        changed = desk.changed_by_press(voxel, *modifiers)
        expected = desk.in_slice(changed)
        assert outlined.any() == expected.any()
        if outlined.any():
            np.testing.assert_array_equal(outlined, expected)
        desk.layer.undo() if desk.session.undo_depth else None
        desk.viewer.dims.set_point([0, 1, 2], desk.layer.data_to_world(voxel))


def test_preserved_labels_and_a_frozen_session_are_respected(desk, qtbot):
    desk.controller.use(tool="adaptive", region="TC", diameter=12.0)
    desk.layer.preserve_labels = True
    desk.hover((AT, 6, 6))
    qtbot.waitUntil(lambda: desk.is_shown)
    outlined = desk.outlined
    changed = desk.changed_by_press((AT, 6, 6))
    np.testing.assert_array_equal(outlined, desk.in_slice(changed))
    desk.session.freeze("somebody else works here")
    desk.hover((AT, 5, 14))
    qtbot.waitUntil(lambda: not desk.controller.hover.is_seeking)
    assert not desk.is_shown


def test_an_area_that_is_not_enclosed_has_no_outline_and_nothing_is_said(desk, qtbot, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    for in_3d in (False, True):
        desk.controller.use(tool="fill", region="ET", in_3d=in_3d)
        desk.hover((AT, 9, 10))
        qtbot.waitUntil(lambda: desk.is_shown)
        desk.hover((AT, 1, 1))
        assert not desk.is_shown
        qtbot.waitUntil(lambda: not desk.controller.hover.is_seeking)
        assert not desk.is_shown
    assert not said


def test_the_outline_goes_at_once(desk, qtbot):
    viewer, controller = desk.viewer, desk.controller
    ways = {
        "a button": lambda: desk.drag((AT, 18, 22)),
        "another tool": lambda: controller.use(tool="brush"),
        "the volume": lambda: setattr(viewer.dims, "ndisplay", 3),
        "another plane": lambda: setattr(viewer.dims, "order", (1, 0, 2)),
        "the view moved": lambda: setattr(viewer.scene.camera, "center", (0.0, 3.0, 4.0)),
        "the view zoomed": lambda: setattr(viewer.scene.camera, "zoom", 7.0),
        "another layer": lambda: setattr(viewer.layers.selection, "active", desk.image),
        "Ctrl": lambda: desk.hover((AT, 6, 6), "Control"),
        "Ctrl, at rest": lambda: desk.press("Control"),
        "Alt": lambda: desk.hover((AT, 6, 6), "Alt"),
        "far away": lambda: desk.hover((AT, 12, 12)),
        "outside": lambda: desk.hover((AT, -3, 4)),
        "the picture is left": lambda: setattr(viewer, "mouse_over_canvas", False),
        "not wanted": lambda: controller.show_hover(False),
    }
    for reason, go in ways.items():
        viewer.dims.ndisplay, viewer.dims.order = 2, (0, 1, 2)
        viewer.dims.set_point(0, desk.layer.data_to_world((AT, 0, 0))[0])
        viewer.layers.selection.active = desk.layer
        viewer.mouse_over_canvas = True
        controller.show_hover(True)
        controller.use(tool="adaptive", region="TC", diameter=8.0)
        desk.hover((AT, 5, 5))
        qtbot.waitUntil(lambda: desk.is_shown)
        go()
        assert not desk.is_shown, reason


def test_it_goes_with_the_case(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path))
    desk = HoverDesk()
    desk.controller.use(tool="fill", region="TC")
    desk.hover((AT, 5, 5))
    qtbot.waitUntil(lambda: desk.is_shown)
    desk.controller.detach()
    assert not desk.is_shown
    desk.hover((AT, 5, 5))
    desk.session.apply(erasing_all())
    qtbot.wait(100)
    assert not desk.is_shown


def test_it_follows_the_tool_the_labels_and_the_slice_while_the_pointer_rests(desk, qtbot):
    desk.controller.use(tool="fill", region="TC")
    desk.hover((AT, 5, 5))
    qtbot.waitUntil(lambda: desk.is_shown)
    assert desk.outlined[5, 5]
    assert not desk.outlined[9, 9]
    desk.controller.use(region="WT")  # which is there already
    assert not desk.is_shown
    qtbot.waitUntil(lambda: not desk.controller.hover.is_seeking)
    assert not desk.is_shown
    desk.controller.use(erase=True)
    qtbot.waitUntil(lambda: desk.is_shown)
    desk.viewer.dims.set_point(0, desk.layer.data_to_world((3, 0, 0))[0])
    assert not desk.is_shown
    qtbot.waitUntil(lambda: desk.is_shown)
    desk.session.restore("ET")  # changes nothing
    desk.session.apply(erasing_all())
    assert not desk.is_shown
    qtbot.waitUntil(lambda: not desk.controller.hover.is_seeking)
    assert not desk.is_shown
    desk.layer.undo()
    qtbot.waitUntil(lambda: desk.is_shown)


def test_it_stays_while_the_pointer_moves_slowly(desk, qtbot):
    desk.controller.use(tool="adaptive", region="TC", diameter=8.0)
    desk.hover((AT, 6, 6))
    qtbot.waitUntil(lambda: desk.is_shown)
    before = desk.outlined
    desk.hover((AT, 7, 7))
    assert desk.is_shown
    qtbot.waitUntil(lambda: not np.array_equal(before, desk.outlined))


def test_it_is_no_layer_and_no_step(desk, qtbot):
    layers = list(desk.viewer.layers)
    codes = desk.session.codes.copy()
    desk.controller.use(tool="adaptive", region="TC", diameter=8.0)
    desk.hover((AT, 6, 6))
    qtbot.waitUntil(lambda: desk.is_shown)
    assert list(desk.viewer.layers) == layers
    assert desk.viewer.layers.selection.active is desk.layer
    np.testing.assert_array_equal(desk.session.codes, codes)
    assert desk.session.undo_depth == 0
    assert desk.session.effort.strokes == 0


def test_other_tools_have_none(desk, qtbot):
    for tool in ("brush", "restore", "scribble", "polygon", "lasso", "navigate"):
        desk.controller.use(tool=tool)
        desk.hover((AT, 6, 6))
        assert not desk.controller.hover.is_seeking
        assert not desk.is_shown


def test_its_key_switches_it_and_the_choice_is_remembered(desk, qtbot):
    desk.controller.use(tool="adaptive", region="TC", diameter=8.0)
    desk.hover((AT, 6, 6))
    qtbot.waitUntil(lambda: desk.is_shown)
    desk.press("Shift-P")
    assert not desk.is_shown
    desk.hover((AT, 6, 7))
    assert not desk.controller.hover.is_seeking
    later = HoverDesk()
    assert not later.controller.hover.is_on
    later.press("Shift-P")
    later.controller.detach()
    last = HoverDesk()
    assert last.controller.hover.is_on
    last.controller.detach()


def test_a_choice_that_cannot_be_kept_still_holds(desk, monkeypatch, tmp_path):
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(nowhere))
    desk.controller.show_hover(False)
    assert not desk.controller.hover.is_on
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "hover.json").write_text("[1]")
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "other"))
    later = HoverDesk()
    assert later.controller.hover.is_on
    later.controller.detach()
