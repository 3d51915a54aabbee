"""Napari's own layer controls show the tool in the hand, and changing them changes the tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..protocol import Protocol
from .editing_told import say
from .editing_tool import FLAT_TOOLS, ROUND_TOOLS, EditTool, Tool
from .editing_view import SliceView

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

STAYS_ON_GRID = "The labels stay on the grid of their images: they cannot be moved or turned"

_MODES = {
    Tool.NAVIGATE: "pan_zoom",
    Tool.POLYGON: "polygon",
    Tool.FILL: "fill",
    Tool.LASSO: "fill",
}


class LayerControls:
    """Keeps mode, label, brush size and dimensions of a Labels layer and the tool the same.

    Parameters
    ----------
    viewer, layer, view, protocol
        What is edited, and how it is shown.
    tool
        Gives the tool in the hand.
    use
        Takes another one: fields of `EditTool` by name.
    took
        Called with a tool that napari's controls already show in full.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        layer: Labels,
        view: SliceView,
        protocol: Protocol,
        tool: Callable[[], EditTool],
        use: Callable[..., None],
        took: Callable[[EditTool], None],
    ) -> None:
        self._viewer, self._layer, self._view = viewer, layer, view
        self._protocol = protocol
        self._tool, self._use, self._took = tool, use, took
        self._tool_in_2d = Tool.NAVIGATE
        self._last = {"pan_zoom": Tool.NAVIGATE, "polygon": Tool.POLYGON, "fill": Tool.FILL}
        self._last_round = Tool.BRUSH
        self._syncing = False
        layer.events.mode.connect(self._on_mode)
        layer.events.selected_label.connect(self._on_selected_label)
        layer.events.brush_size.connect(self._on_brush_size)
        layer.events.n_edit_dimensions.connect(self._on_edit_dimensions)
        viewer.dims.events.order.connect(self._on_view)
        viewer.dims.events.ndisplay.connect(self._on_view)

    def detach(self) -> None:
        self._viewer.dims.events.order.disconnect(self._on_view)
        self._viewer.dims.events.ndisplay.disconnect(self._on_view)
        self._layer.events.mode.disconnect(self._on_mode)
        self._layer.events.selected_label.disconnect(self._on_selected_label)
        self._layer.events.brush_size.disconnect(self._on_brush_size)
        self._layer.events.n_edit_dimensions.disconnect(self._on_edit_dimensions)

    def show(self, tool: EditTool) -> None:
        """Put the tool into the layer's own controls and the cursor."""
        layer = self._layer
        if tool.tool in ROUND_TOOLS:
            self._last_round = tool.tool
        else:
            self._last[_MODES[tool.tool]] = tool.tool
        self._syncing = True
        try:
            layer.n_edit_dimensions = 3 if tool.in_3d and tool.tool not in FLAT_TOOLS else 2
            erases_without_mode = tool.erase and tool.tool not in ROUND_TOOLS
            code = self._protocol[tool.region].code
            layer.selected_label = 0 if erases_without_mode else code
            layer.mode = _MODES.get(tool.tool, "erase" if tool.erase else "paint")
            layer.brush_size = max(1, round(tool.diameter / self._view.finest_mm))
            layer.cursor_size = tool.diameter
        finally:
            self._syncing = False

    def _on_mode(self, event: object = None) -> None:
        if self._syncing:
            return
        mode = self._layer.mode
        if mode == "transform":
            say(STAYS_ON_GRID)
            self._use(tool=Tool.NAVIGATE)
            return
        tool = self._tool_of(mode)
        if tool is not Tool.NAVIGATE and not self._view.is_flat:
            self._use(tool=tool)  # says why not, and goes back to navigating
            return
        now = self._tool()
        erase = mode == "erase" if tool in ROUND_TOOLS else now.erase
        taken = replace(now, tool=tool, erase=erase)
        if tool is not Tool.NAVIGATE:  # picking is napari's own mode: leave it alone
            self.show(taken)
        self._took(taken)

    def _tool_of(self, mode: str) -> Tool:
        """A mode of napari means that of its tools which was in the hand last.

        So letting go of Space returns to the adaptive brush where that was left.
        """
        if mode in ("paint", "erase"):
            return self._last_round
        return self._last.get(mode, Tool.NAVIGATE)

    def _on_selected_label(self, event: object = None) -> None:
        if self._syncing:
            return
        label = self._layer.selected_label
        for region in self._protocol.regions:
            if region.code == label:
                self._use(region=region.name, erase=self._layer.mode == "erase")
                return
        self._use(erase=label == 0 or self._tool().erase)

    def _on_brush_size(self, event: object = None) -> None:
        if not self._syncing:
            self._use(diameter=self._layer.brush_size * self._view.finest_mm)

    def _on_edit_dimensions(self, event: object = None) -> None:
        if not self._syncing:
            self._use(in_3d=self._layer.n_edit_dimensions == 3)

    def _on_view(self, event: object = None) -> None:
        """The plane or the number of shown dimensions changed."""
        tool = self._tool().tool
        if not self._view.is_flat and tool is not Tool.NAVIGATE:
            self._tool_in_2d = tool
            self._use(tool=Tool.NAVIGATE)
        elif self._view.is_flat and self._tool_in_2d is not Tool.NAVIGATE:
            before, self._tool_in_2d = self._tool_in_2d, Tool.NAVIGATE
            self._use(tool=before)
        elif self._view.is_flat:
            self._use()
