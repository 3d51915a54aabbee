"""What the tool in the hand does to the session where it passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..editing import (
    AdaptiveBrush,
    EditSession,
    Footprint,
    Mode,
    Stroke,
    flood,
    polygon,
    stamp,
    sweep,
)
from ..editing.patch import Patch
from ..editing.restore import restoring
from .editing_told import told
from .editing_tool import ALL_CONTRASTS, EditTool, Tool
from .editing_view import SliceView, Voxel, voxel_of

if TYPE_CHECKING:
    from napari.layers import Labels


class Strokes:
    """Turns places under the cursor into strokes of the session.

    Parameters
    ----------
    session, layer, view
        What is edited, and how it is shown.
    tool
        Gives the tool in the hand.
    images
        The case's contrasts by name, (I, P, L), for the tools that look at them; may be none.
    scribble
        Takes what is scribbled: region, is it inside, where.
    """

    def __init__(
        self,
        session: EditSession,
        layer: Labels,
        view: SliceView,
        tool: Callable[[], EditTool],
        images: Mapping[str, NDArray[Any]],
        scribble: Callable[[str, bool, Footprint], None],
    ) -> None:
        self._session, self._layer, self._view = session, layer, view
        self._tool, self._scribble = tool, scribble
        self._images = images
        self._adaptive: dict[str, AdaptiveBrush] = {}

    # What the mouse asks for

    def press(self, voxel: Voxel, other: bool) -> Callable[[Voxel, Voxel], bool] | None:
        """Begin at a voxel with adding and erasing as set, or swapped (`other`).

        What it gives goes on from one voxel to the next while the mouse is dragged, until
        `release`, or until it says False: undo has closed the step. None for a tool that is done
        with the click. The restore brush does not add or erase: `other` restores all regions.
        """
        tool = self._tool()
        if tool.tool is Tool.RESTORE:
            tool = replace(tool, erase=False)
        mode = tool.mode(other)
        if tool.tool is not Tool.SCRIBBLE:
            self._session.begin(tool.label(mode, self._session.protocol))
        if tool.tool is Tool.FILL:
            with told():
                self._lay(tool, mode, self._area(tool, voxel, voxel, self._view.painted_axis))
            return None

        def go_on(start: Voxel, end: Voxel) -> bool:
            if tool.tool is not Tool.SCRIBBLE and not self._session.is_open:
                return False
            axis = self._view.painted_axis
            if axis is not None and start[axis] != end[axis]:  # the slice was turned meanwhile
                start = end
            self._lay(tool, mode, self._area(tool, start, end, axis))
            return True

        go_on(voxel, voxel)
        return go_on

    def release(self) -> None:
        self._session.end()

    def outcome(self, voxel: Voxel, other: bool) -> Patch | None:
        """What a press at a voxel inside the array would change, or None; it is not done.

        The adaptive brush looks where a press there then looks, and remembers it: the press finds
        the same. For the tools that add or erase.

        Raises
        ------
        InputError
            When the tool would refuse to.
        """
        tool = self._tool()
        area = self._area(tool, voxel, voxel, self._view.painted_axis)
        return self._session.outcome(self._limited(tool, tool.mode(other), area))

    def enclose(self, area: Footprint) -> None:
        """Add an area that the tool in the hand has enclosed, or erase it; one step of undo."""
        tool = self._tool()
        mode = tool.mode()
        stroke = self._limited(tool, mode, area)
        self._session.apply(stroke, tool.label(mode, self._session.protocol))

    # What napari's own methods and tools ask for

    def paint_at(self, coordinates: Sequence[float], label: int) -> None:
        """One stamp of the brush at data coordinates: what `layer.paint` does here."""
        spacing, axis = self._session.grid.spacing, self._view.painted_axis
        self._stroke(label, stamp(voxel_of(coordinates), self._tool().diameter, spacing, axis))

    def fill_at(self, coordinates: Sequence[float], label: int) -> None:
        """Fill the area at data coordinates: what `layer.fill` does here."""
        with told():
            area = flood(self._session.codes, voxel_of(coordinates), self._view.painted_axis)
            self._stroke(label, area)

    def paint_polygon(self, points: Any, label: int, from_edges: bool) -> None:
        """Fill a polygon of data coordinates in the shown plane: what `layer.paint_polygon` does.

        napari's polygon counts from voxel edges (`from_edges`), its encircling stroke from voxel
        centres.
        """
        corners = np.asarray(points, dtype=float)
        across = self._view.across
        voxels = np.rint(corners).astype(np.intp)
        if from_edges:
            plane = [i for i in range(3) if i != across]
            voxels[:, plane] = np.floor(corners[:, plane])
        with told():
            area = polygon(voxels, across)
            tool = self._tool()
            if tool.tool in (Tool.RESTORE, Tool.SCRIBBLE) and not from_edges:
                mode = Mode.PAINT if tool.tool is Tool.RESTORE else tool.mode()
                self._lay(tool, mode, area)
            else:
                self._stroke(label, area)

    # Inside

    def _area(self, tool: EditTool, start: Voxel, end: Voxel, axis: int | None) -> Footprint:
        """What a tool covers on its way from one voxel to another; `axis` as the tools have it."""
        if tool.tool is Tool.FILL:
            return flood(self._session.codes, end, axis)
        if tool.tool is Tool.ADAPTIVE and (brush := self._brush(tool.looks_at)) is not None:
            return brush.sweep(start, end, tool.diameter, axis)
        return sweep(start, end, tool.diameter, self._session.grid.spacing, axis)

    def _lay(self, tool: EditTool, mode: Mode, footprint: Footprint) -> None:
        """Do what the tool does to the voxels of a footprint, within the open step."""
        if tool.tool is Tool.SCRIBBLE:
            self._scribble(tool.region, mode in (Mode.PAINT, Mode.SET), footprint)
        elif tool.tool is Tool.RESTORE:
            session = self._session
            region = None if mode in (Mode.ERASE, Mode.UNSET) else tool.region
            for stroke in restoring(
                session.codes, session.proposal, session.protocol, region, footprint
            ):
                session.extend(stroke)
        else:
            self._session.extend(self._limited(tool, mode, footprint))

    def _brush(self, looks_at: str) -> AdaptiveBrush | None:
        """The adaptive brush over one contrast or all; None where there is no image."""
        names = [looks_at] if looks_at in self._images else list(self._images)
        key = looks_at if looks_at in self._images else ALL_CONTRASTS
        if names and key not in self._adaptive:
            images = [self._images[name] for name in names]
            self._adaptive[key] = AdaptiveBrush(images, self._session.grid.spacing)
        return self._adaptive.get(key)

    def _stroke(self, label: int, footprint: Footprint) -> None:
        """A stroke that napari asked for with a label: 0 erases the region in the hand."""
        named = {region.code: region.name for region in self._session.protocol.regions}
        now = self._tool()
        tool = replace(now, region=named.get(label, now.region), erase=label == 0)
        mode = tool.mode()
        stroke = self._limited(tool, mode, footprint)
        if self._session.is_open:
            self._session.extend(stroke)
        else:
            self._session.apply(stroke, tool.label(mode, self._session.protocol))

    def _limited(self, tool: EditTool, mode: Mode, footprint: Footprint) -> Stroke:
        """The stroke, kept to unlabelled voxels where napari's "preserve labels" is ticked."""
        over = None
        if self._layer.preserve_labels:
            adds = mode in (Mode.PAINT, Mode.SET)
            over = frozenset({0 if adds else self._session.protocol[tool.region].code})
        return Stroke(tool.region, mode, footprint, over)
