"""A real window, a real mouse and a real keyboard: paint, undo, polygon, other planes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from test_editing_controller import SHAPE, make_session

from napari_mmseg._napari.colours import label_colormap
from napari_mmseg._napari.editing_controller import attach_editing
from napari_mmseg._napari.editing_scribbles import SCRIBBLES_NAME
from napari_mmseg._napari.editing_widget import EditWidget
from napari_mmseg._napari.hover_overlay import OVERLAY
from napari_mmseg.protocol import load_protocol


class Hands:
    """Mouse and keyboard over a viewer's canvas."""

    def __init__(self, viewer: Any) -> None:
        """The case's one contrast is bright from column 12 on."""
        self.session = make_session()
        image = np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)
        image[:, :, 12:] += 100
        self.viewer = viewer
        grid = self.session.grid
        self.layer = viewer.add_labels(
            self.session.codes.copy(),
            scale=grid.spacing,
            translate=grid.display_translate,
            colormap=label_colormap(load_protocol()),
        )
        self.widget = EditWidget()
        viewer.window.add_dock_widget(self.widget)
        self.controller = attach_editing(
            viewer, self.layer, self.session, self.widget, {"FLAIR": image}
        )
        self.canvas = viewer.window._qt_viewer.canvas
        self.settle()

    def settle(self) -> None:
        for _ in range(3):
            QApplication.processEvents()

    def place(self, voxel: tuple[float, float, float]) -> QPoint:
        """Where the middle of a voxel is drawn, in the canvas's pixels."""
        world = self.layer.data_to_world(voxel)
        across, down = (world[axis] for axis in reversed(self.viewer.dims.displayed))
        scene = self.canvas.view.scene
        x, y = scene.transform.map((across, down, 0, 1))[:2]
        return QPoint(round(float(x)), round(float(y)))

    def drag(
        self, *voxels: tuple[float, float, float], shift: bool = False, control: bool = False
    ) -> None:
        native, button = self.canvas.native, Qt.MouseButton.LeftButton
        modifier = Qt.KeyboardModifier
        held = modifier.ShiftModifier if shift else modifier.NoModifier
        held = modifier.ControlModifier if control else held
        QTest.mouseMove(native, self.place(voxels[0]))
        QTest.mousePress(native, button, held, self.place(voxels[0]))
        for voxel in voxels[1:]:
            QTest.mouseMove(native, self.place(voxel))
            self.settle()
        QTest.mouseRelease(native, button, held, self.place(voxels[-1]))
        self.settle()

    def hover(self, voxel: tuple[float, float, float]) -> None:
        """Move with no button down; made by hand, as QTest moves nothing over a hidden window."""
        QTest.qWait(15)  # vispy drops what comes sooner after the move before
        native, place = self.canvas.native, self.place(voxel)
        none = Qt.MouseButton.NoButton
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(place),
            QPointF(native.mapToGlobal(place)),
            none,
            none,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(native, event)
        self.settle()

    def click(self, voxel: tuple[float, float, float]) -> None:
        QTest.mouseMove(self.canvas.native, self.place(voxel))
        self.settle()
        QTest.mouseClick(
            self.canvas.native,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            self.place(voxel),
        )
        self.settle()

    def key(self, key: Any, *modifiers: Any) -> None:
        held = Qt.KeyboardModifier.NoModifier
        for modifier in modifiers:
            held |= modifier
        QTest.keyClick(self.canvas.native, key, held)
        self.settle()


@pytest.fixture
def hands(
    make_napari_viewer: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path))
    found = Hands(make_napari_viewer())
    yield found
    found.controller.detach()


def test_painting_erasing_undoing_and_changing_the_plane_by_hand(hands):
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    codes, layer = hands.session.codes, hands.layer
    at = SHAPE[0] // 2
    hands.viewer.layers.selection.active = layer

    hands.key(Qt.Key.Key_P)  # napari's own key for the brush
    hands.key(Qt.Key.Key_2)
    assert (layer.mode, hands.controller.tool.region) == ("paint", "TC")
    hands.controller.use(diameter=4.0)
    hands.drag((at, 5, 5), (at, 5, 15))
    assert (codes[at, 5, 5:16] == 2).all()
    assert not np.delete(codes, at, axis=0).any()
    assert hands.session.undo_depth == 1

    hands.drag((at, 5, 10), (at, 5, 12), shift=True)
    assert codes[at, 5, 11] == 1  # no longer core, still tumour
    hands.key(Qt.Key.Key_Z, control)
    assert codes[at, 5, 11] == 2
    hands.key(Qt.Key.Key_Z, control, shift)
    assert codes[at, 5, 11] == 1

    hands.key(Qt.Key.Key_E)  # napari's own key for the eraser
    assert hands.controller.tool.erase
    hands.key(Qt.Key.Key_X)
    assert layer.mode == "paint"

    hands.viewer.dims.order = (2, 0, 1)
    hands.viewer.reset_view()
    hands.settle()
    before = codes.copy()
    side = round(layer.world_to_data(hands.viewer.dims.point)[2])
    hands.drag((2, 12, side), (6, 12, side))
    changed = np.argwhere(before != codes)
    assert set(changed[:, 2]) == {side}
    assert {2, 3, 4, 5, 6} <= set(changed[:, 0])


def test_undo_leaves_the_tool_in_the_hand_after_navigating(hands, monkeypatch):
    from napari.settings import get_settings

    monkeypatch.setattr(get_settings().application, "hold_button_delay", 0.0)
    at = SHAPE[0] // 2
    hands.viewer.layers.selection.active = hands.layer
    hands.key(Qt.Key.Key_F)
    hands.key(Qt.Key.Key_Z)
    hands.key(Qt.Key.Key_P)
    hands.drag((at, 5, 5))
    hands.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert hands.session.undo_depth == 0
    assert (hands.layer.mode, hands.controller.tool.tool) == ("paint", "brush")


def test_the_panel_and_napari_s_polygon_work_together(hands):
    at = SHAPE[0] // 2
    hands.viewer.layers.selection.active = hands.layer
    hands.key(Qt.Key.Key_3)
    hands.key(Qt.Key.Key_G)
    assert hands.layer.mode == "polygon"
    for corner in ((3, 4), (3, 12), (12, 12), (12, 4)):
        hands.click((at, *corner))
    hands.key(Qt.Key.Key_Return)
    expected = np.zeros(SHAPE, np.uint8)
    expected[at, 3:13, 4:13] = 3
    np.testing.assert_array_equal(hands.session.codes, expected)
    assert hands.session.undo_label == "polygon: add ET"
    assert "+90" in hands.widget.counts_text("ET")
    hands.widget.restore_requested.emit("WT")
    assert not hands.session.codes.any()


def test_the_smart_tools_by_hand(hands):
    codes, layer, shift = hands.session.codes, hands.layer, Qt.KeyboardModifier.ShiftModifier
    at = SHAPE[0] // 2
    hands.viewer.layers.selection.active = layer

    hands.key(Qt.Key.Key_A)
    hands.controller.use(diameter=14.0)
    hands.drag((at, 9, 9))
    painted = np.argwhere(codes)
    assert painted[:, 2].max() == 11  # stopped at the edge
    assert layer.cursor == "circle"

    hands.key(Qt.Key.Key_R)
    hands.drag((at, 9, 9))
    assert not codes.any()  # nothing was proposed

    hands.key(Qt.Key.Key_S)
    hands.controller.use(diameter=2.0)
    hands.drag((at, 5, 5), (at, 9, 5))
    hands.drag((at, 5, 15), (at, 9, 15), shift=True)
    shown = hands.viewer.layers[SCRIBBLES_NAME].data
    assert (shown[at, 7, 5], shown[at, 7, 15]) == (1, 2)
    hands.key(Qt.Key.Key_C, shift)
    assert not shown.any()

    hands.key(Qt.Key.Key_L)
    for corner in ((3, 4), (3, 11), (12, 11)):
        hands.click((at, *corner))
    assert len(hands.controller.lasso.corners) == 3
    native, left = hands.canvas.native, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    QTest.mouseDClick(native, left, none, hands.place((at, 12, 11)))
    hands.settle()
    assert hands.session.undo_label == "magnetic lasso: add WT"
    assert codes[at, 3:13, 11:13].any(axis=1).all()  # along the edge

    chosen: list[tuple[int, int, int]] = []
    hands.controller.on_choose.append(chosen.append)
    hands.drag((at, 7, 11), control=True)
    assert chosen == [(at, 7, 11)]


def test_what_a_press_takes_is_outlined_in_the_picture_before(hands, qtbot):
    shift, layer, hover = Qt.KeyboardModifier.ShiftModifier, hands.layer, hands.controller.hover
    at = SHAPE[0] // 2
    hands.viewer.layers.selection.active = layer
    hands.key(Qt.Key.Key_A)
    hands.controller.use(diameter=14.0)

    def seen(colour: tuple[int, ...]) -> bool:
        """Is a line of this colour drawn? (A window that is not shown takes no screenshot.)"""
        overlay = hands.viewer.scene.overlays[OVERLAY]
        (visual,) = hands.canvas._viewer_overlay_to_visual[overlay]
        lines = np.rint(overlay.drawing.colours[-1, :3] * 255)
        return bool(visual.node.visible and (lines == colour).all())

    green, white = (46, 204, 64), (255, 255, 255)
    hands.hover((at, 9, 9))
    qtbot.waitUntil(lambda: hover.is_shown)
    assert seen(green)
    hands.key(Qt.Key.Key_P, shift)
    assert not seen(green)
    hands.key(Qt.Key.Key_P, shift)
    hands.hover((at, 9, 8))
    hands.hover((at, 9, 9))
    qtbot.waitUntil(lambda: hover.is_shown)
    hands.drag((at, 9, 9))
    assert np.argwhere(hands.session.codes)[:, 2].max() == 11

    hands.hover((at, 9, 8))
    hands.hover((at, 9, 9))  # all of it is there now
    qtbot.waitUntil(lambda: not hover.is_seeking)
    assert not hover.is_shown
    native = hands.canvas.native
    QTest.keyPress(native, Qt.Key.Key_Shift, shift)
    qtbot.waitUntil(lambda: hover.is_shown)  # with Shift it would go again
    assert seen(white)
    QTest.keyRelease(native, Qt.Key.Key_Shift)
    assert not hover.is_shown
