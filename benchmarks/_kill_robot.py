"""A robot that paints in the real window with mouse and keys until somebody ends its process."""

from __future__ import annotations

import os
import time
import zlib
from functools import cache
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks._latency_case import SHAPE, made_up_case
from benchmarks._latency_window import Voxel, Window

if TYPE_CHECKING:
    from napari_mmseg._napari.editing_controller import EditController
    from napari_mmseg.case import Case
    from napari_mmseg.editing import EditSession

#: Mice report their place about so often, and a hand pauses between strokes (seconds).
MOVE_SECONDS = 0.008
PAUSE_SECONDS = 0.05

#: A stroke has so many moves of the mouse.
FEWEST_MOVES, MOST_MOVES = 3, 15

_TOOLS = ("brush", "brush", "brush", "adaptive")


class State(NamedTuple):
    """What a session held: after `count` acts of this window, a checksum of the codes, how many
    steps could be undone and redone, and when that was (seconds, of a clock that all processes
    share).
    """

    count: int
    codes: int
    undo: int
    redo: int
    at: float

    @property
    def held(self) -> tuple[int, int, int]:
        return self[1:4]


def checksum(codes: NDArray[np.uint8]) -> int:
    return zlib.crc32(np.ascontiguousarray(codes).data)


@cache
def case() -> Case:
    """A case of BraTS size with one contrast."""
    from dataclasses import replace

    from napari_mmseg.volume import Modality

    whole, _ = made_up_case()
    flair = Modality.FLAIR
    return replace(whole, volumes={flair: whole.volumes[flair]}, reference=flair)


def prepare() -> None:
    """Load all that the window needs, but make none: children that are forked then start soon."""
    import napari.window  # noqa: F401
    from npe2 import PluginManager

    import napari_mmseg._napari.launch
    import napari_mmseg._napari.panel
    import napari_mmseg.journal.journal  # noqa: F401

    PluginManager.instance().discover()
    case()


def paint(orders: Connection, told: Connection) -> None:
    """Open an empty window and say so; at the order (a folder and a seed) open the case and paint.

    Tells a `State` when the case is open and at the end of every act.
    """
    from napari_mmseg._napari.launch import open_window
    from napari_mmseg._napari.panel import panel_of

    hand = Hand(open_window())
    hand.settle(0.2)
    told.send("ready")
    folder, seed = orders.recv()
    os.environ["NAPARI_MMSEG_WORK"] = folder
    panel = panel_of(hand.viewer)
    assert panel is not None
    panel.coordinator.show_case(case())
    assert panel.coordinator.session is not None
    edit = panel.coordinator.session.edit
    count = 0

    def tell(act: object = None) -> None:
        nonlocal count
        count += act is not None
        codes = checksum(edit.codes)
        told.send(State(count, codes, edit.undo_depth, edit.redo_depth, time.monotonic()))

    tell()
    edit.on_act.insert(0, tell)  # before the journal hears of it: nothing on the disk is untold
    robot = Robot(hand, panel.coordinator.session.controller, np.random.default_rng(seed))
    while True:
        robot.act()


class Hand(Window):
    """Mouse and keys that do not wait until what they did is drawn."""

    def drag(self, voxels: list[Voxel], layer: Any) -> None:
        """One stroke with the left button, as fast as a mouse tells of its way."""
        from qtpy.QtCore import QEvent, Qt

        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        self.press(voxels[0], layer)
        for voxel in voxels[1:]:
            self._mouse(QEvent.Type.MouseMove, self._place(voxel, layer), none, left)
            self.settle(MOVE_SECONDS)
        self.release(voxels[-1], layer)

    def undo(self, again: bool) -> None:
        """Ctrl+Z, or with Shift."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        held = Qt.KeyboardModifier.ControlModifier
        if again:
            held |= Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(self._native, Qt.Key.Key_Z, held)
        self.settle(MOVE_SECONDS)


class Robot:
    """Paints and erases in the shown slice, turns to another now and then, undoes and redoes."""

    def __init__(self, hand: Hand, controller: EditController, rng: np.random.Generator) -> None:
        self._hand, self._controller, self._rng = hand, controller, rng

    def act(self) -> None:
        session: EditSession = self._controller.session
        kind = self._rng.random()
        if kind < 0.1 and session.can_undo:
            self._hand.undo(again=False)
        elif kind < 0.15 and session.can_redo:
            self._hand.undo(again=True)
        else:
            if kind < 0.3:
                self._turn()
            self._stroke()
        self._hand.settle(PAUSE_SECONDS)

    def _turn(self) -> None:
        index = int(self._rng.integers(SHAPE[0] // 3, 2 * SHAPE[0] // 3))
        self._hand.viewer.dims.set_point(0, self._controller.layer.data_to_world((index, 0, 0))[0])

    def _stroke(self) -> None:
        rng, controller = self._rng, self._controller
        controller.use(
            tool=str(rng.choice(_TOOLS)),
            region=str(rng.choice(("WT", "TC", "ET"))),
            erase=bool(rng.random() < 0.2),
            in_3d=bool(rng.random() < 0.2),
            diameter=float(rng.integers(4, 20)),
        )
        layer = controller.layer
        index = round(layer.world_to_data(self._hand.viewer.dims.point)[0])
        row, column = (int(rng.integers(n // 4, 3 * n // 4)) for n in SHAPE[1:])
        way = [(index, row, column)]
        for _ in range(int(rng.integers(FEWEST_MOVES, MOST_MOVES))):
            row, column = row + int(rng.integers(-4, 5)), column + int(rng.integers(-4, 5))
            way.append((index, row, column))
        self._hand.drag(way, layer)
