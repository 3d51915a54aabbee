"""The mouse over the labels: which button does what."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from .editing_lasso import LassoHand
from .editing_layer import LayerBridge
from .editing_strokes import Strokes
from .editing_told import say
from .editing_tool import EditTool, Tool
from .editing_view import SliceView, Voxel

if TYPE_CHECKING:
    from napari.layers import Labels

_LEFT, _RIGHT, _MIDDLE = 1, 2, 3  # vispy's numbers of mouse buttons

#: napari's modes in which the left button draws; the polygon's clicks are napari's own.
_DRAWING_MODES = ("paint", "erase", "polygon", "fill")

ONLY_IN_2D = "Labels are edited in the 2D view: switch back with the cube button below the layers"


class EditMouse:
    """Left draws, Ctrl and left choose a lesion, middle picks a region, until `detach`.

    Parameters
    ----------
    layer, view, bridge, strokes, lasso
        What is edited, how it is shown, and what the drawing does.
    tool
        Gives the tool in the hand.
    pick
        Takes the voxel under the cursor: its region comes into the hand.
    choose
        Takes the voxel under the cursor: the lesion there is chosen.
    """

    def __init__(
        self,
        layer: Labels,
        view: SliceView,
        bridge: LayerBridge,
        strokes: Strokes,
        lasso: LassoHand,
        tool: Callable[[], EditTool],
        pick: Callable[[Voxel], None],
        choose: Callable[[Voxel], None],
    ) -> None:
        self._layer, self._view, self._bridge, self._strokes = layer, view, bridge, strokes
        self._lasso, self._tool = lasso, tool
        self._pick, self._choose = pick, choose
        layer.mouse_drag_callbacks.append(self._on_drag)

    def detach(self) -> None:
        self._layer.mouse_drag_callbacks.remove(self._on_drag)

    def _on_drag(self, layer: Labels, event: Any) -> Generator[None, None, None]:
        if self._bridge.encircling:
            return
        chooses = event.button == _LEFT and "Control" in event.modifiers and layer.mode != "polygon"
        if not chooses and layer.mode not in _DRAWING_MODES:
            return
        if layer.cursor == "circle_frozen":  # Alt and mouse change the brush's size
            return
        if not self._view.is_flat:
            say(ONLY_IN_2D)
            return
        voxel = self._view.voxel_at(event.position)
        if chooses or event.button == _MIDDLE:
            if self._view.holds(voxel):
                (self._choose if chooses else self._pick)(voxel)
            return
        if self._tool().tool is Tool.LASSO:
            if event.button == _RIGHT:
                self._lasso.back()
            elif event.button == _LEFT:
                self._lasso.press(voxel)
        elif event.button == _LEFT and layer.mode != "polygon":
            yield from self._draw(event, voxel)

    def _draw(self, event: Any, voxel: Voxel) -> Generator[None, None, None]:
        try:
            go_on = self._strokes.press(voxel, other="Shift" in event.modifiers)
            if go_on is None:
                return
            last = voxel
            yield
            while event.type == "mouse_move":
                voxel = self._view.voxel_at(event.position)
                if voxel != last and not go_on(last, voxel):
                    return
                last = voxel
                yield
        finally:
            self._strokes.release()
