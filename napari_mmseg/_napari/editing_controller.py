"""Joins an edit session, a Labels layer and the edit panel."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..editing import Change, EditSession, Footprint, Mode, Stroke, flood, polygon, stamp, sweep
from .editing_compat import bare_brush_circle
from .editing_keys import bind_keys, unbind_keys
from .editing_layer import LayerBridge
from .editing_link import EditLink
from .editing_proposal import ProposalOutline
from .editing_told import say, told
from .editing_tool import (
    BRUSH_STEP_MM,
    LARGEST_BRUSH_MM,
    SMALLEST_BRUSH_MM,
    EditAction,
    EditTool,
    Tool,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from .editing_widget import EditWidget

Voxel = tuple[int, int, int]

_LEFT, _MIDDLE = 1, 3  # vispy's numbers of mouse buttons

_TOOL_OF_MODE = {
    "paint": Tool.BRUSH,
    "erase": Tool.BRUSH,
    "polygon": Tool.POLYGON,
    "fill": Tool.FILL,
}

STAYS_ON_GRID = "The labels stay on the grid of their images: they cannot be moved or turned"
ONLY_IN_2D = "Labels are edited in the 2D view: switch back with the cube button below the layers"


def attach_editing(
    viewer: ViewerModel,
    layer: Labels,
    session: EditSession,
    widget: EditWidget | None = None,
) -> EditController:
    """Make a Labels layer the place where `session` is edited with mouse and keys.

    The layer then shows the session's own array. Undo, painting and filling through napari's
    own buttons, keys and methods act through the session too. A `widget` (one for the life of
    the panel) is joined to it until `detach`.
    """
    controller = EditController(viewer, layer, session)
    if widget is not None:
        controller.join(widget)
    return controller


class EditController:
    """The tool in the hand over one layer, until `detach`.

    Attributes
    ----------
    tool
        The tool in the hand; change it with `use`.
    on_tool
        Called with nothing after the tool or the view of the proposal changed.
    """

    def __init__(self, viewer: ViewerModel, layer: Labels, session: EditSession) -> None:
        self.viewer = viewer
        self.layer = layer
        self.session = session
        self.tool = EditTool(region=session.protocol.regions[0].name)
        self.on_tool: list[Callable[[], None]] = []
        self.proposal = ProposalOutline(viewer, layer, session)
        self._bridge = LayerBridge(layer, session, self)
        self._tool_in_2d = Tool.NAVIGATE
        self._syncing = False
        self._link: EditLink | None = None
        self._commands: dict[str, Callable[[str], None]] = {
            "region": lambda name: self.use(region=name),
            "tool": lambda name: self.use(tool=Tool(name)),
            "toggle_erase": lambda _: self.use(erase=not self.tool.erase),
            "toggle_exact": lambda _: self.use(exact=not self.tool.exact),
            "toggle_3d": lambda _: self.use(in_3d=not self.tool.in_3d),
            "smaller": lambda _: self.use(diameter=self.tool.diameter - BRUSH_STEP_MM),
            "larger": lambda _: self.use(diameter=self.tool.diameter + BRUSH_STEP_MM),
            "undo": lambda _: self.undo(),
            "redo": lambda _: self.redo(),
            "toggle_proposal": lambda _: self.show_proposal(not self.proposal.is_shown),
        }
        bare_brush_circle(viewer)
        layer.mouse_drag_callbacks.append(self._on_drag)
        layer.events.mode.connect(self._on_mode)
        layer.events.selected_label.connect(self._on_selected_label)
        layer.events.brush_size.connect(self._on_brush_size)
        layer.events.n_edit_dimensions.connect(self._on_edit_dimensions)
        viewer.dims.events.order.connect(self._on_view)
        viewer.dims.events.ndisplay.connect(self._on_view)
        bind_keys(viewer, layer, session.protocol, self.run)
        self._show_tool()

    def join(self, widget: EditWidget) -> None:
        """Let the edit panel drive this controller and show its state, until `detach`."""
        if self._link is not None:
            self._link.cut()
        self._link = EditLink(self, widget)

    def detach(self) -> None:
        """Let go of layer, session and keys; the layer stays as a plain Labels layer."""
        self.session.end()
        if self._link is not None:
            self._link.cut()
            self._link = None
        unbind_keys(self.viewer, self.layer, self.session.protocol)
        self.viewer.dims.events.order.disconnect(self._on_view)
        self.viewer.dims.events.ndisplay.disconnect(self._on_view)
        self.layer.events.mode.disconnect(self._on_mode)
        self.layer.events.selected_label.disconnect(self._on_selected_label)
        self.layer.events.brush_size.disconnect(self._on_brush_size)
        self.layer.events.n_edit_dimensions.disconnect(self._on_edit_dimensions)
        self.layer.mouse_drag_callbacks.remove(self._on_drag)
        self._bridge.detach()
        self.proposal.detach()

    @property
    def is_editable(self) -> bool:
        """Can the labels be edited in the present view?"""
        return bool(self.viewer.dims.ndisplay == 2)

    # Commands

    def run(self, action: EditAction) -> None:
        """Do what a key or a button stands for."""
        self._commands[action.name](action.argument)

    def use(self, **changes: Any) -> None:
        """Take another tool into the hand: fields of `EditTool` by name."""
        wanted = replace(self.tool, **changes)
        size = min(max(wanted.diameter, SMALLEST_BRUSH_MM), LARGEST_BRUSH_MM)
        wanted = replace(wanted, diameter=size, tool=Tool(wanted.tool))
        if wanted.tool is not Tool.NAVIGATE:
            if not self.is_editable:
                say(ONLY_IN_2D)
                wanted = replace(wanted, tool=Tool.NAVIGATE)
            elif "tool" in changes:
                self.layer.visible = True
                self.viewer.layers.selection.active = self.layer
        self.tool = wanted
        self._show_tool()

    def undo(self) -> None:
        """Take back the last step, and show where that was."""
        self._replay(self.session.undo)

    def redo(self) -> None:
        """Do the last undone step again, and show where that is."""
        self._replay(self.session.redo)

    def restore(self, region: str) -> None:
        """Bring one region back to what was proposed."""
        self.session.restore(region)

    def show_proposal(self, shown: bool) -> None:
        """Outline what was proposed beside the labels, or no longer."""
        self.proposal.show(shown)
        self._tell()

    def _replay(self, act: Callable[[], object]) -> None:
        changes: list[Change] = []
        note = changes.append
        self.session.on_change.append(note)
        try:
            act()
        finally:
            self.session.on_change.remove(note)
        for change in changes:
            self._look_at(change)

    def _look_at(self, change: Change) -> None:
        """Turn to the slice with most of a change, unless some of it is on screen already."""
        if not self.is_editable:
            return
        axis = self._across()
        first = change.box[axis].start
        counts = change.mask.sum(axis=tuple(i for i in range(3) if i != axis))
        dims = self.viewer.dims
        shown = _voxel(self.layer.world_to_data(dims.point))
        if 0 <= shown[axis] - first < counts.size and counts[shown[axis] - first]:
            return
        place = list(shown)
        place[axis] = first + int(np.argmax(counts))
        own = dims.ndim - 3
        dims.set_point(own + axis, self.layer.data_to_world(place)[axis])

    # Strokes

    def paint_at(self, coordinates: Sequence[float], label: int) -> None:
        """One stamp of the brush at data coordinates: what `layer.paint` does here."""
        voxel = _voxel(coordinates)
        self._stroke(label, stamp(voxel, self.tool.diameter, self._spacing, self._axis()))

    def fill_at(self, coordinates: Sequence[float], label: int) -> None:
        """Fill the area at data coordinates: what `layer.fill` does here."""
        with told():
            self._stroke(label, flood(self.session.codes, _voxel(coordinates), self._axis()))

    def paint_polygon(self, points: Any, label: int) -> None:
        """Fill a polygon of data coordinates in the shown plane: what `layer.paint_polygon` does.

        napari's polygon counts from voxel edges, its encircling stroke from voxel centres.
        """
        corners = np.asarray(points, dtype=float)
        across = self._across()
        voxels = np.rint(corners).astype(np.intp)
        if not self._bridge.encircling:
            plane = [i for i in range(3) if i != across]
            voxels[:, plane] = np.floor(corners[:, plane])
        with told():
            self._stroke(label, polygon(voxels, across))

    def _stroke(self, label: int, footprint: Footprint) -> None:
        """A stroke that napari asked for with a label: 0 erases the region in the hand."""
        named = {region.code: region.name for region in self.session.protocol.regions}
        tool = replace(self.tool, region=named.get(label, self.tool.region), erase=label == 0)
        mode = tool.mode()
        if not self.session.is_open:
            self.session.begin(tool.label(mode, self.session.protocol))
            self.session.extend(self._limited(tool, mode, footprint))
            self.session.end()
        else:
            self.session.extend(self._limited(tool, mode, footprint))

    def _limited(self, tool: EditTool, mode: Mode, footprint: Footprint) -> Stroke:
        """The stroke, kept to unlabelled voxels where napari's "preserve labels" is ticked."""
        over = None
        if self.layer.preserve_labels:
            adds = mode in (Mode.PAINT, Mode.SET)
            over = frozenset({0 if adds else self.session.protocol[tool.region].code})
        return Stroke(tool.region, mode, footprint, over)

    # The mouse

    def _on_drag(self, layer: Labels, event: Any) -> Generator[None, None, None]:
        """Brush, fill and pick; the polygon's clicks are napari's own."""
        if layer.mode not in _TOOL_OF_MODE or self._bridge.encircling:
            return
        if layer.cursor == "circle_frozen":  # Alt and mouse change the brush's size
            return
        if not self.is_editable:
            say(ONLY_IN_2D)
            return
        voxel = _voxel(layer.world_to_data(event.position))
        if event.button == _MIDDLE:
            self._pick(voxel)
            return
        if event.button != _LEFT or layer.mode == "polygon":
            return
        tool = self.tool
        mode = tool.mode(other="Shift" in event.modifiers)
        self.session.begin(tool.label(mode, self.session.protocol))
        try:
            if tool.tool is Tool.FILL:
                with told():
                    area = flood(self.session.codes, voxel, self._axis())
                    self.session.extend(self._limited(tool, mode, area))
                return
            last = voxel
            self._brush(tool, mode, last, voxel)
            yield
            while event.type == "mouse_move" and self.session.is_open:  # undo may close it
                voxel = _voxel(layer.world_to_data(event.position))
                if voxel != last:
                    self._brush(tool, mode, last, voxel)
                    last = voxel
                yield
        finally:
            self.session.end()

    def _brush(self, tool: EditTool, mode: Mode, start: Voxel, end: Voxel) -> None:
        axis = self._axis()
        if axis is not None and start[axis] != end[axis]:  # the slice was changed while dragging
            start = end
        footprint = sweep(start, end, tool.diameter, self._spacing, axis)
        self.session.extend(self._limited(tool, mode, footprint))

    def _pick(self, voxel: Voxel) -> None:
        """Take the region under the cursor into the hand."""
        codes = self.session.codes
        if any(not 0 <= i < n for i, n in zip(voxel, codes.shape, strict=True)):
            return
        for region in self.session.protocol.regions:
            if region.code == codes[voxel]:
                self.use(region=region.name)

    @property
    def _spacing(self) -> tuple[float, float, float]:
        return self.session.grid.spacing

    def _axis(self) -> int | None:
        """The axis across the painted plane, or None when the tool works in 3D."""
        return None if self.layer.n_edit_dimensions == 3 else self._across()

    def _across(self) -> int:
        """The array axis across the plane on screen (dims before the layer's own left out)."""
        own = self.viewer.dims.ndim - 3
        shown = {axis - own for axis in self.viewer.dims.displayed}
        return next(axis for axis in (0, 1, 2) if axis not in shown)

    # Tool and layer show the same

    def _show_tool(self) -> None:
        """Put the tool into the layer's own controls and the cursor."""
        tool, layer = self.tool, self.layer
        self._syncing = True
        try:
            layer.n_edit_dimensions = 3 if tool.in_3d and tool.tool is not Tool.POLYGON else 2
            erases_without_mode = tool.erase and tool.tool in (Tool.POLYGON, Tool.FILL)
            code = self.session.protocol[tool.region].code
            layer.selected_label = 0 if erases_without_mode else code
            layer.mode = {
                Tool.NAVIGATE: "pan_zoom",
                Tool.BRUSH: "erase" if tool.erase else "paint",
                Tool.POLYGON: "polygon",
                Tool.FILL: "fill",
            }[tool.tool]
            layer.brush_size = max(1, round(tool.diameter / self._finest_shown))
            layer.cursor_size = tool.diameter
        finally:
            self._syncing = False
        self._tell()

    @property
    def _finest_shown(self) -> float:
        """What napari counts brush sizes in: the smaller voxel edge on screen, in mm."""
        across = self._across() if self.viewer.dims.ndisplay == 2 else None
        return min(mm for axis, mm in enumerate(self._spacing) if axis != across)

    def _on_mode(self, event: object = None) -> None:
        if self._syncing:
            return
        mode = self.layer.mode
        if mode == "transform":
            say(STAYS_ON_GRID)
            self.use(tool=Tool.NAVIGATE)
            return
        tool = _TOOL_OF_MODE.get(mode, Tool.NAVIGATE)
        if tool is not Tool.NAVIGATE and not self.is_editable:
            self.use(tool=tool)  # says why not, and goes back to navigating
            return
        erase = mode == "erase" if tool is Tool.BRUSH else self.tool.erase
        self.tool = replace(self.tool, tool=tool, erase=erase)
        if tool is not Tool.NAVIGATE:
            self._show_tool()
        else:  # picking is napari's own mode: leave it alone
            self._tell()

    def _on_selected_label(self, event: object = None) -> None:
        if self._syncing:
            return
        label = self.layer.selected_label
        for region in self.session.protocol.regions:
            if region.code == label:
                self.use(region=region.name, erase=self.layer.mode == "erase")
                return
        self.use(erase=label == 0 or self.tool.erase)

    def _on_brush_size(self, event: object = None) -> None:
        if not self._syncing:
            self.use(diameter=self.layer.brush_size * self._finest_shown)

    def _on_edit_dimensions(self, event: object = None) -> None:
        if not self._syncing:
            self.use(in_3d=self.layer.n_edit_dimensions == 3)

    def _on_view(self, event: object = None) -> None:
        """The plane or the number of shown dimensions changed."""
        if self.viewer.dims.ndisplay == 3 and self.tool.tool is not Tool.NAVIGATE:
            self._tool_in_2d = self.tool.tool
            self.use(tool=Tool.NAVIGATE)
        elif self.viewer.dims.ndisplay == 2 and self._tool_in_2d is not Tool.NAVIGATE:
            tool, self._tool_in_2d = self._tool_in_2d, Tool.NAVIGATE
            self.use(tool=tool)
        elif self.viewer.dims.ndisplay == 2:
            self._show_tool()

    def _tell(self) -> None:
        for listener in self.on_tool:
            listener()


def _voxel(coordinates: Sequence[float] | Any) -> Voxel:
    """The voxel at data coordinates; rounded as napari rounds them for slicing."""
    a, b, c = np.rint(np.asarray(coordinates, dtype=float)[-3:]).astype(int).tolist()
    return a, b, c
