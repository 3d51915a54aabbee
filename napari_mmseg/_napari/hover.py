"""What a press of the tool in the hand would take, outlined while the pointer rests."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from ..editing import EditSession
from ..editing.patch import Patch
from ..editing.stroke import Mode
from ..errors import MmsegError
from . import hover_memory
from .editing_strokes import Strokes
from .editing_tool import HOVER_TOOLS, EditTool
from .editing_view import SliceView, Voxel
from .hover_drawing import HoverDrawing
from .pause import after_pause
from .task import Task

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

#: The outline comes so long after the pointer has come to a voxel (ms).
PAUSE_MS = 50

#: An outline stays while the pointer goes no further than this, until the next is there: moving
#: slowly it would flicker else.
_NEAR_VOXELS = 2

#: napari's modes in which a press of the left button does what the tool says.
_MODES = ("paint", "erase", "fill")

#: The outline's colour for erasing; for adding it is the region's.
_ERASES = (1.0, 1.0, 1.0)


class HoverPreview(QObject):
    """Outlines the voxels that a press where the pointer is would change; it changes none.

    What is shown is found as the press finds it (`Strokes.outcome`), in 2D at once, in 3D, where
    that may take a tenth of a second, beside the window, and is the part in the slice on screen.
    It goes when the pointer moves on or leaves, while a button is down, and when the view moves.

    Parameters
    ----------
    viewer, layer, view, session
        What is edited, and how it is shown.
    tool
        Gives the tool in the hand.
    strokes
        Knows what the tool would do.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        layer: Labels,
        view: SliceView,
        session: EditSession,
        tool: Callable[[], EditTool],
        strokes: Strokes,
    ) -> None:
        super().__init__()
        self._viewer, self._layer, self._view, self._session = viewer, layer, view, session
        self._tool, self._strokes = tool, strokes
        self._is_on = hover_memory.wanted()
        self._is_down = False
        self._at: tuple[Voxel, bool] | None = None  # where the pointer is, and is Shift held
        self._shown_at: Voxel | None = None
        self._drawing = HoverDrawing(viewer, layer, view)
        self._task: Task | None = None
        self._timer = after_pause(self, PAUSE_MS, self._look)
        layer.mouse_move_callbacks.append(self._on_move)
        layer.mouse_drag_callbacks.append(self._on_press)
        for key, react in self._held_keys.items():
            layer.bind_key(key, react, overwrite=True)
        session.on_state.append(self.follow)
        for event, react in self._wires():
            event.connect(react)

    @property
    def is_on(self) -> bool:
        """Does the user want to see it?"""
        return self._is_on

    @property
    def is_shown(self) -> bool:
        """Is an outline on the screen?"""
        return self._shown_at is not None

    @property
    def is_seeking(self) -> bool:
        """Is what a press would take still being found, or about to be?"""
        is_found = self._task is None or not self._task.is_running
        return self._timer.isActive() or not is_found

    def show(self, wanted: bool) -> None:
        """Show what a press would take, or no longer; remembered from one start to the next."""
        if wanted != self._is_on:
            self._is_on = wanted
            hover_memory.remember(wanted)
        self.follow()

    def follow(self, event: object = None) -> None:
        """The tool, the labels or the slice changed: what was shown is found anew."""
        self._clear()
        if self._at is not None:
            self._restart()

    def detach(self) -> None:
        self._forget()
        for event, react in self._wires():
            event.disconnect(react)
        self._session.on_state.remove(self.follow)
        for key in self._held_keys:
            self._layer.bind_key(key, None)
        self._layer.mouse_move_callbacks.remove(self._on_move)
        self._layer.mouse_drag_callbacks.remove(self._on_press)

    # The pointer

    def _wires(self) -> tuple[tuple[Any, Callable[..., None]], ...]:
        viewer, camera = self._viewer, self._viewer.scene.camera.events
        return (
            (viewer.dims.events.current_step, self._on_step),
            (viewer.dims.events.order, self._forget),
            (viewer.dims.events.ndisplay, self._forget),
            (camera.center, self._forget),
            (camera.zoom, self._forget),
            (viewer.layers.selection.events.active, self._forget),
            (viewer.events.mouse_over_canvas, self._on_leave),
            (self._layer.events.preserve_labels, self.follow),
        )

    def _on_move(self, layer: Labels, event: Any) -> None:
        held = event.modifiers
        voxel = self._view.voxel_at(event.position)
        if not self._applies or "Control" in held or "Alt" in held or not self._view.holds(voxel):
            self._forget()
            return
        at = (voxel, "Shift" in held)
        if at == self._at:
            return
        is_other = self._at is not None and self._at[1] != at[1]
        self._at = at
        if is_other or (self._shown_at is not None and _apart(voxel, self._shown_at)):
            self._clear()
        self._restart()

    def _on_press(self, layer: Labels, event: Any) -> Generator[None, None, None]:
        self._is_down = True
        self._forget()
        yield
        while event.type == "mouse_move":
            yield
        self._is_down = False
        self._on_move(layer, event)

    @property
    def _held_keys(self) -> dict[str, Callable[..., Any]]:
        """Held over a pointer that rests, these change what a press does."""
        return {"Shift": self._on_shift, "Control": self._forget}

    def _on_shift(self, layer: Labels) -> Generator[None, None, None]:
        self._swap(True)
        yield
        self._swap(False)

    def _swap(self, other: bool) -> None:
        if self._at is not None:
            self._at = (self._at[0], other)
            self.follow()

    def _on_step(self, event: object = None) -> None:
        """Another slice under a pointer that rests."""
        if self._at is not None and self._view.is_flat:
            voxel = list(self._at[0])
            voxel[self._view.across] = self._view.index
            self._at = ((voxel[0], voxel[1], voxel[2]), self._at[1])
            self.follow()

    def _on_leave(self, event: object = None) -> None:
        if not self._viewer.mouse_over_canvas:
            self._forget()

    @property
    def _applies(self) -> bool:
        return (
            self._is_on
            and not self._is_down
            and self._tool().tool in HOVER_TOOLS
            and self._view.is_flat
            and self._layer.mode in _MODES
        )

    # What is found and shown

    def _forget(self, event: object = None) -> None:
        """The pointer is nowhere, until it moves."""
        self._at = None
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()
        self._clear()

    def _restart(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._timer.start()

    def _look(self) -> None:
        """Find what a press would take where the pointer is now."""
        if self._at is None or not self._applies or not self._view.holds(self._at[0]):
            self._clear()
            return
        if self._task is not None and not self._task.wait(0):
            self._timer.start()  # what is no longer wanted is still being found: one at a time
            return
        find = partial(self._strokes.outcome, *self._at)
        if self._view.painted_axis is None:
            self._task = Task(lambda *_: find())
            self._task.finished.connect(self._receive)
            self._task.failed.connect(lambda _: self._clear())
            self._task.start()
            return
        try:
            found = find()
        except MmsegError:  # such as an area that is not enclosed: the press says so
            found = None
        self._receive(found)

    def _receive(self, patch: Patch | None) -> None:
        if patch is None or self._at is None:
            self._clear()
            return
        voxel, other = self._at
        tool = self._tool()
        adds = tool.mode(other) in (Mode.PAINT, Mode.SET)
        colour = self._session.protocol[tool.region].colour if adds else _ERASES
        self._shown_at = voxel if self._drawing.show(patch.box, patch.mask, colour) else None

    def _clear(self) -> None:
        self._shown_at = None
        self._drawing.hide()


def _apart(a: Voxel, b: Voxel) -> bool:
    return max(abs(i - j) for i, j in zip(a, b, strict=True)) > _NEAR_VOXELS
