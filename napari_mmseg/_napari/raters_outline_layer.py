"""The layer that draws the raters' outlines in the slice that is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..case import Case
from .colours import RGBA
from .layers import ORIGIN, Origin
from .raters_outlines import Edges, Outlines

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Vectors

OUTLINES_NAME = "Raters (outlines)"

#: Width of a line on the screen in pixels, whatever the zoom; thicker for the rater pointed out.
_WIDTH_PX = 1.8

#: Each edge is drawn so much longer at both ends, as a share of a voxel: no gaps at the corners.
_OVERLAP = 0.08

#: Opacity of the others' outlines while one rater is pointed out.
_FAINT = 0.3


class OutlineLayer:
    """One layer of lines; it follows slice, plane and zoom.

    Parameters
    ----------
    viewer, case
        Where the lines are drawn, over the case's images.
    wanted
        Called with nothing when outlines of another plane are needed (see `across`).
    """

    def __init__(self, viewer: ViewerModel, case: Case, wanted: Callable[[], None]) -> None:
        self._viewer, self._case, self._wanted = viewer, case, wanted
        self._layer: Vectors | None = None
        self._outlines: Outlines | None = None
        self._colours: NDArray[np.float32] = np.zeros((0, 4), np.float32)
        self._pointed_out: int | None = None
        self._drawn: int | None = None  # the slice whose lines the layer has
        viewer.dims.events.current_step.connect(self._on_step)
        viewer.dims.events.order.connect(self._on_plane)
        viewer.dims.events.ndisplay.connect(self._on_plane)
        viewer.scene.camera.events.zoom.connect(self._on_zoom)

    @property
    def across(self) -> int:
        """The array axis across the plane on screen."""
        return int(self._viewer.dims.order[0])

    @property
    def is_flat(self) -> bool:
        """Is a slice shown? In the volume there is nothing to draw."""
        return bool(self._viewer.dims.ndisplay == 2)

    def show(
        self, outlines: Outlines, colours: Sequence[RGBA], pointed_out: int | None = None
    ) -> None:
        """Draw these outlines; `colours` has one entry a rater, in the order of their bits."""
        self._outlines, self._pointed_out = outlines, pointed_out
        self._colours = np.asarray(colours, dtype=np.float32).reshape(-1, 4)
        if self._layer is None or self._layer not in self._viewer.layers:
            self._layer = self._added()
        self._raise()
        self._draw()

    def point_out(self, rater: int | None) -> None:
        """Draw one rater's outline over all others, which turn faint; None for all alike."""
        if self._pointed_out != rater:
            self._pointed_out = rater
            self._draw()

    def hide(self) -> None:
        self._outlines = None
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def detach(self) -> None:
        """Let go of the viewer, without the layer."""
        self.hide()
        self._viewer.dims.events.current_step.disconnect(self._on_step)
        self._viewer.dims.events.order.disconnect(self._on_plane)
        self._viewer.dims.events.ndisplay.disconnect(self._on_plane)
        self._viewer.scene.camera.events.zoom.disconnect(self._on_zoom)

    def _added(self) -> Vectors:
        from napari.layers import Vectors

        active = self._viewer.layers.selection.active
        layer = Vectors(
            np.zeros((0, 2, 3), np.float32),
            ndim=3,
            name=OUTLINES_NAME,
            units=("mm",) * 3,
            vector_style="line",
            edge_width=self._width_mm,
            opacity=1.0,
            blending="translucent_no_depth",
            metadata={ORIGIN: Origin(self._case)},
        )
        self._viewer.add_layer(layer)
        if active is not None:
            self._viewer.layers.selection.active = active
        return layer

    def _raise(self) -> None:
        """Lines lie over all areas."""
        layers, active = self._viewer.layers, self._viewer.layers.selection.active
        if self._layer is not None and layers[-1] is not self._layer:
            layers.move(layers.index(self._layer), len(layers))
            layers.selection.active = active

    @property
    def _width_mm(self) -> float:
        return _WIDTH_PX / max(float(self._viewer.scene.camera.zoom), 1e-3)

    def _on_zoom(self, event: object = None) -> None:
        if self._layer is not None:
            self._layer.edge_width = self._width_mm

    def _on_plane(self, event: object = None) -> None:
        self._draw()
        if self._outlines is not None and self.is_flat and self._outlines.across != self.across:
            self._wanted()

    def _on_step(self, event: object = None) -> None:
        """A step within the plane, as part of going somewhere, changes no line."""
        if self._drawn != self._index:
            self._draw()

    @property
    def _index(self) -> int:
        """The slice on screen: array index along `across`."""
        grid, across = self._case.grid, self.across
        place = float(self._viewer.dims.point[across])
        return int(np.rint((place - grid.display_translate[across]) / grid.spacing[across]))

    def _draw(self) -> None:
        if self._layer is None or self._layer not in self._viewer.layers:
            return
        outlines = self._outlines
        self._drawn = None
        if outlines is None or not self.is_flat or outlines.across != self.across:
            self._put(np.zeros((0, 2, 3), np.float32), np.zeros((0, 4), np.float32))
            return
        grid, across = self._case.grid, self.across
        spacing, origin = np.array(grid.spacing), np.array(grid.display_translate)
        self._drawn = self._index
        edges = outlines.at(self._drawn)
        lines = segments(edges)
        lines[:, 0] = lines[:, 0] * spacing + origin
        lines[:, 1] *= spacing
        lines[:, 0, across] = float(self._viewer.dims.point[across])
        colours = self._colours[edges.turns()] if len(edges) else np.zeros((0, 4), np.float32)
        if self._pointed_out is not None and len(edges):
            of = edges.of(self._pointed_out)
            colours[~of, 3] *= _FAINT
            colours[of] = self._colours[self._pointed_out]
            order = np.argsort(of, kind="stable")  # drawn last: on top
            lines, colours = lines[order], colours[order]
        self._put(lines, colours)

    def _put(self, lines: NDArray[Any], colours: NDArray[np.float32]) -> None:
        layer = self._layer
        if layer is None or (not len(lines) and not len(layer.data)):
            return
        if not len(lines):
            layer.data = lines
            return
        # The colours have all of it drawn; the scene gets no larger by lines within the image.
        with layer.events.set_data.blocker(), layer.events.data.blocker():
            layer.data = lines
        layer.edge_color = colours


def segments(edges: Edges) -> NDArray[np.float64]:
    """Start and direction of each edge in voxels, (N, 2, 3), a little longer than the edge."""
    lines = np.zeros((len(edges), 2, 3))
    lines[:, 0] = edges.start
    rows = np.arange(len(edges))
    lines[rows, 0, edges.axis] -= _OVERLAP
    lines[rows, 1, edges.axis] = 1 + 2 * _OVERLAP
    return lines
