"""The two windows that the latency benchmark compares, and what it does in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks._latency_case import CENTRE, made_up_case, target
from napari_mmseg._napari.editing_tool import ALL_CONTRASTS

if TYPE_CHECKING:
    from benchmarks._latency_window import Seen, Window
    from napari_mmseg._napari.editing_controller import EditController


class Taken(NamedTuple):
    """Seconds by the clock, and of the processor's time: of all threads, and in the handlers."""

    seconds: float
    work: float
    handled: float = 0.0


Voxel = tuple[int, int, int]

#: Our window's sample and napari's.
Pair = tuple["Seen", "Seen"]
Rounds = list[list[Pair]]

#: Moves of the mouse in a stroke, and voxels from one to the next.
MOVES = 12
STEP_VOXELS = 3

#: Diameter of every brush in mm, which are voxels here.
DIAMETER = 20

#: napari calls radius + 0.5 what we call radius: this size covers the same voxels.
NAPARI_SIZE = DIAMETER + 1


class BenchTool(NamedTuple):
    """One of our brushes; `looks_at` is None for the plain nested one."""

    name: str
    in_3d: bool
    looks_at: str | None


TOOLS = (
    BenchTool("nested 2D", False, None),
    BenchTool("nested 3D", True, None),
    BenchTool("adaptive 2D, one contrast", False, "FLAIR"),
    BenchTool("adaptive 2D, all contrasts", False, ALL_CONTRASTS),
    BenchTool("adaptive 3D, one contrast", True, "FLAIR"),
    BenchTool("adaptive 3D, all contrasts", True, ALL_CONTRASTS),
)

#: Slices gone through in one direction.
SLICE_STEPS = 8

#: So many rounds are measured however long they take.
LEAST_ROUNDS = 3

#: How often all steps are taken back and done again.
_UNDO_ROUNDS = 3

#: How often it is looked whether a refinement is there (seconds).
_NAP_SECONDS = 0.001


class Desk:
    """Both windows side by side: `ours` with the plugin, `plain` without."""

    def __init__(self, ours: Window, controller: EditController, plain: Window, layer: Any) -> None:
        self.ours, self.controller = ours, controller
        self.plain, self.plain_layer = plain, layer

    def strokes(self, count: int, seconds: float) -> dict[str, Rounds]:
        """Each tool and napari's brush draw the same lines, move by move in turns.

        `count` times; fewer, but some, where that would take longer than `seconds`.
        """
        found: dict[str, Rounds] = {tool.name: [] for tool in TOOLS}
        for number in _rounds(count, seconds):
            for tool in TOOLS:
                seen = self._strokes(tool, _line(number), number)
                if number >= 0:
                    found[tool.name].append(seen)
        return found

    def slices(self, count: int, seconds: float) -> Rounds:
        """The arrow keys, up and down again, in turns, as often as `strokes`."""
        from qtpy.QtCore import Qt

        found: Rounds = []
        for number in _rounds(count, seconds):
            key = Qt.Key.Key_Left if number % 2 else Qt.Key.Key_Right
            ours, plain = partial(self.ours.key, key), partial(self.plain.key, key)
            before = self._slices_shown()
            seen = [self._in_turns(i, ours, plain) for i in range(SLICE_STEPS)]
            if any(
                abs(a - b) != SLICE_STEPS for a, b in zip(before, self._slices_shown(), strict=True)
            ):
                raise RuntimeError("an arrow key did not turn the slice")
            if number >= 0:
                found.append(seen)
        return found

    def refinements(self, count: int) -> list[Taken]:
        """The first refinement and `count` more, a scribble more each time."""
        from qtpy.QtCore import Qt

        controller, found = self.controller, []
        scribbles = controller.scribbles
        middle, height, width = CENTRE
        for number in range(count + 1):
            controller.use(
                tool="scribble", region="TC", diameter=3.0, in_3d=False, erase=number % 3 == 2
            )
            row = height - 12 + number
            line = [(middle, row, width - 6 + 2 * i) for i in range(6)]
            self.ours.stroke(line, controller.layer)
            work, begin = time.process_time(), time.perf_counter()
            self.ours.key(Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
            self.ours.until(lambda: not scribbles.is_busy, nap=_NAP_SECONDS)
            found.append(Taken(time.perf_counter() - begin, time.process_time() - work))
        scribbles.clear()
        return found

    def undo(self) -> dict[str, list[Taken]]:
        """Undo and redo, some times through steps of all kinds; by step."""
        from qtpy.QtCore import Qt

        session = self.controller.session
        control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
        _make_steps(self.controller)
        found: dict[str, list[Taken]] = {}
        steps = session.undo_depth
        for _ in range(_UNDO_ROUNDS):
            for held in ((control,), (control, shift)):
                for _ in range(steps):
                    back = len(held) == 1
                    label = f"undo {session.undo_label}" if back else f"redo {session.redo_label}"
                    seen = self.ours.key(Qt.Key.Key_Z, *held)
                    taken = Taken(*(ms / 1000 for ms in (seen.drawn, seen.work, seen.handled)))
                    found.setdefault(label, []).append(taken)
        if session.undo_depth != steps:
            raise RuntimeError("a step was not taken back or not done again")
        return found

    def _strokes(self, tool: BenchTool, line: list[Voxel], number: int) -> list[Pair]:
        """One stroke in each window, taken back again so that each finds the same voxels."""
        controller, plain = self.controller, self.plain_layer
        plain.n_edit_dimensions = 3 if tool.in_3d else 2
        controller.use(
            tool="brush" if tool.looks_at is None else "adaptive",
            looks_at=tool.looks_at or ALL_CONTRASTS,
            region="TC",
            diameter=float(DIAMETER),
            in_3d=tool.in_3d,
        )
        depth = controller.session.undo_depth
        self.ours.press(line[0], controller.layer)
        self.plain.press(line[0], plain)
        found = [
            self._in_turns(
                number + i,
                partial(self.ours.move, place, controller.layer),
                partial(self.plain.move, place, plain),
            )
            for i, place in enumerate(line[1:])
        ]
        self.ours.release(line[-1], controller.layer)
        self.plain.release(line[-1], plain)
        if controller.session.undo_depth != depth + 1:
            raise RuntimeError(f"{tool.name} drew nothing")
        controller.session.undo()
        plain.undo()
        return found

    @staticmethod
    def _in_turns(number: int, ours: Callable[[], Seen], plain: Callable[[], Seen]) -> Pair:
        """Both, the other first each time."""
        if number % 2:
            return ours(), plain()
        then = plain()
        return ours(), then

    def _slices_shown(self) -> list[int]:
        return [window.viewer.dims.current_step[0] for window in (self.ours, self.plain)]


def _rounds(count: int, seconds: float) -> Iterator[int]:
    """-1 to warm up, then 0 to `count`, no more than `LEAST_ROUNDS` once the time is over."""
    end = time.monotonic() + seconds
    for number in range(-1, count):
        if number >= LEAST_ROUNDS and time.monotonic() > end:
            return
        yield number


def _line(number: int) -> list[Voxel]:
    """Across the tumour, each line a few rows on from the one before."""
    middle, height, width = CENTRE
    row = height - 24 + 4 * (number % 12)
    start = width - STEP_VOXELS * MOVES // 2
    return [(middle, row, start + STEP_VOXELS * i) for i in range(MOVES + 1)]


def _make_steps(controller: EditController) -> None:
    """Steps of all kinds: strokes, whole volumes, commands on a whole region."""
    from napari_mmseg.editing import Mode, Stroke, fill_holes, grow, smooth, stamp, sweep

    session = controller.session
    spacing = session.grid.spacing
    for number in range(6):
        line = _line(number)
        for axis, label in ((0, "stroke in a plane"), (None, "stroke of a ball")):
            session.apply(
                Stroke("ET", Mode.SET, sweep(line[0], line[-1], DIAMETER, spacing, axis)), label
            )
    session.apply(Stroke("WT", Mode.ERASE, stamp(CENTRE, 60.0, spacing, None)), "largest brush")
    session.replace(np.roll(target(), 9, axis=1), "another result")
    grow(session, "WT", 5.0)
    smooth(session, "WT", 3.0)
    fill_holes(session, "WT")
    session.restore("WT")


@contextmanager
def open_desk() -> Iterator[Desk]:
    """Open both windows on the made-up case, with canvases of one size and one view."""
    import napari
    from qtpy.QtWidgets import QApplication

    from benchmarks._latency_window import Window
    from napari_mmseg._napari.launch import open_window
    from napari_mmseg._napari.layers import case_tuples, labels_tuple
    from napari_mmseg._napari.panel import panel_of

    case, annotation = made_up_case()
    ours = open_window(case, annotation)
    panel = panel_of(ours)
    assert panel is not None
    assert panel.coordinator.session is not None
    for name in ("shape", "lesions", "next"):
        panel.sections[name].expand()
    ours.dims.set_point(0, ours.layers[-1].data_to_world(CENTRE)[0])
    controller = panel.coordinator.session.controller

    plain = napari.Viewer(title="napari", show_welcome_screen=False)
    for data, meta, _ in case_tuples(case):
        plain.add_image(data, **meta)
    data, meta, _ = labels_tuple(case, annotation)
    layer = plain.add_labels(np.array(data), **meta)
    plain.layers.selection.active = layer
    plain.dims.set_point(range(3), ours.dims.point)
    layer.mode, layer.brush_size, layer.selected_label = "paint", NAPARI_SIZE, 2
    windows = Window(ours), Window(plain)
    for window in windows:
        window.settle(1.0)
    _same_view(*windows)
    try:
        yield Desk(windows[0], controller, windows[1], layer)
    finally:
        panel.coordinator.work_file.let_go()
        for window in windows:
            window.settle(0.1)
        panel.coordinator.session.edit.mark_saved()
        ours.close()
        plain.close()
        QApplication.processEvents()


def _same_view(ours: Window, plain: Window) -> None:
    """Give the plain window's canvas our size, place the two side by side, show the same part."""
    windows = [window.viewer.window._qt_window for window in (ours, plain)]
    wanted = ours.canvas.size
    windows[1].move(windows[0].frameGeometry().right() + 1, 0)
    for _ in range(3):  # docks take what they need
        size, now = windows[1].size(), plain.canvas.size
        windows[1].resize(size.width() + wanted[1] - now[1], size.height() + wanted[0] - now[0])
        plain.settle(0.3)
    camera, other = ours.viewer.scene.camera, plain.viewer.scene.camera
    other.center, other.zoom = camera.center, camera.zoom
    plain.settle(0.3)
