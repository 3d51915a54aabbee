"""A real window whose mouse and keys are driven, and how long each event takes to be seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import napari

Voxel = tuple[int, int, int]

#: A frame that does not come within this time will not come at all (seconds).
_LONGEST_SECONDS = 10.0


class Seen(NamedTuple):
    """What an event cost, in milliseconds.

    `drawn` is the time to the frame that shows it. The others are the processor's time, in which
    other programs do not count: `handled` of the window's thread in the event's handlers, `work`
    of all threads until that frame.
    """

    handled: float
    drawn: float
    work: float


class Window:
    """Mouse and keyboard over the canvas of a viewer that is on the screen.

    Events are Qt's own, sent to the canvas's widget as the operating system's are.

    Parameters
    ----------
    viewer
        A napari window that is shown.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self.viewer = viewer
        self.canvas = viewer.window._qt_viewer.canvas
        self._native: Any = self.canvas.native
        self._frames = 0
        self.canvas._scene_canvas.events.draw.connect(self._count, position="last")

    def settle(self, seconds: float = 0.02) -> None:
        """Let everything that is waiting happen, and what comes within so long."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        QApplication.processEvents()
        while time.monotonic() < end:
            QApplication.processEvents()

    @property
    def renderer(self) -> str:
        """What draws: the graphics card, or a program in its place."""
        from vispy.gloo import gl

        self.canvas._scene_canvas.set_current()
        return str(gl.glGetParameter(gl.GL_RENDERER))

    def until(self, done: Callable[[], bool], seconds: float = 60.0, nap: float = 0.0) -> None:
        """Keep the window alive until something is so, asking again after a nap (seconds)."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise RuntimeError("the window did not do what was awaited")
            QApplication.processEvents()
            if nap:
                time.sleep(nap)

    def seen(self, act: Callable[[], object]) -> Seen:
        """How long an act takes to be handled, and to be drawn; what waited before is not."""
        self.settle(0.0)
        self._frames = 0
        own, work, begin = time.thread_time(), time.process_time(), time.perf_counter()
        act()
        own = time.thread_time() - own
        self.until(lambda: self._frames > 0, _LONGEST_SECONDS)
        begin, work = time.perf_counter() - begin, time.process_time() - work
        return Seen(1000 * own, 1000 * begin, 1000 * work)

    def press(self, voxel: Voxel, layer: Any) -> None:
        """Begin a stroke with the left button."""
        kinds, left, none = _mouse_names()
        place = self._place(voxel, layer)
        self._mouse(kinds.MouseMove, place, none, none)
        self._mouse(kinds.MouseButtonPress, place, left, left)
        self.settle(0.0)

    def move(self, voxel: Voxel, layer: Any) -> Seen:
        """Go on with the stroke to a voxel."""
        kinds, left, none = _mouse_names()
        place = self._place(voxel, layer)
        return self.seen(lambda: self._mouse(kinds.MouseMove, place, none, left))

    def release(self, voxel: Voxel, layer: Any) -> None:
        """End the stroke."""
        kinds, left, none = _mouse_names()
        self._mouse(kinds.MouseButtonRelease, self._place(voxel, layer), left, none)
        self.settle()

    def stroke(self, voxels: list[Voxel], layer: Any) -> list[Seen]:
        """Drag with the left button: what each move took."""
        self.press(voxels[0], layer)
        found = [self.move(voxel, layer) for voxel in voxels[1:]]
        self.release(voxels[-1], layer)
        return found

    def key(self, key: Any, *held: Any) -> Seen:
        """Press and let go of a key, with modifiers held."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        together = Qt.KeyboardModifier.NoModifier
        for one in held:
            together |= one
        return self.seen(lambda: QTest.keyClick(self._native, key, together))

    def _count(self, event: object = None) -> None:
        self._frames += 1

    def _place(self, voxel: Voxel, layer: Any) -> Any:
        """Where the middle of a voxel is drawn, in the canvas's pixels."""
        from qtpy.QtCore import QPointF

        world = np.asarray(layer.data_to_world(voxel))
        across, down = (world[axis] for axis in reversed(self.viewer.dims.displayed))
        x, y = self.canvas.view.scene.transform.map((across, down, 0, 1))[:2]
        return QPointF(float(x), float(y))

    def _mouse(self, kind: Any, place: Any, button: Any, held: Any) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        on_screen = self._native.mapToGlobal(place)
        event = QMouseEvent(kind, place, on_screen, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self._native, event)


def _mouse_names() -> tuple[Any, Any, Any]:
    """Qt's kinds of event, the left button, and no button."""
    from qtpy.QtCore import QEvent, Qt

    return QEvent.Type, Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
