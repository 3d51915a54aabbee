"""Puts the outline of some voxels over the slice on screen, and takes it away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..editing.stroke import Box
from .editing_view import SliceView
from .hover_outline import rectangles, sides

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from .hover_overlay import HoverOverlay

RGB = tuple[float, float, float]

#: A line of a colour on a wider dark one: seen on bright and on dark tissue, and on labels of its
#: own colour (pixels on the screen; RGBA).
_LINE_PX, _DARK_PX = 1.6, 3.8
_DARK = (0.0, 0.0, 0.0, 0.75)

_SMALLEST_ZOOM = 1e-3


class HoverDrawing:
    """The outline over one layer (I, P, L); nothing to be edited, exported or undone."""

    def __init__(self, viewer: ViewerModel, layer: Labels, view: SliceView) -> None:
        self._viewer, self._layer, self._view = viewer, layer, view
        self._overlay: HoverOverlay | None = None

    def show(self, box: Box, mask: NDArray[np.bool_], colour: RGB) -> bool:
        """Outline what of a mask in a box of the array lies in the slice on screen.

        False when that is nothing: then nothing is shown.
        """
        across = self._view.across
        index = self._view.index - box[across].start
        there = 0 <= index < mask.shape[across]
        section = np.moveaxis(mask, across, 0)[index if there else 0]
        if not there or not section.any():
            self.hide()
            return False
        self._draw(self._lines(section, box), colour)
        return True

    def hide(self) -> None:
        if self._overlay is not None:
            self._overlay.visible = False

    def _lines(self, section: NDArray[np.bool_], box: Box) -> NDArray[np.float64]:
        """The outline of a slice of a box in mm of the scene, (N, 2, 2): both ends, right, down."""
        plane = [axis for axis in range(3) if axis != self._view.across]
        spacing, origin = self._layer.scale[-3:][plane], self._layer.translate[-3:][plane]
        lines = (sides(section) + [box[axis].start for axis in plane]) * spacing + origin
        down, right = self._view.shown_axes
        return lines[..., [plane.index(right), plane.index(down)]]

    def _draw(self, lines: NDArray[np.float64], colour: RGB) -> None:
        from .hover_overlay import Drawing, overlay_of

        pixel = 1 / max(float(self._viewer.scene.camera.zoom), _SMALLEST_ZOOM)  # mm
        below, triangles = rectangles(lines, _DARK_PX * pixel)
        above, _ = rectangles(lines, _LINE_PX * pixel)
        corners = np.concatenate([below, above])
        shades = np.array([_DARK, (*colour, 1.0)], np.float32)
        self._overlay = overlay_of(self._viewer)
        self._overlay.drawing = Drawing(
            np.pad(corners, ((0, 0), (0, 1))).astype(np.float32),
            np.concatenate([triangles, triangles + np.uint32(len(below))]),
            np.repeat(shades, len(below), axis=0),
        )
        self._overlay.visible = True
