"""Keeps the head as large as the view allows until the user zooms or moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..case import Case
from .intensity import background_value

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Room left around the head, so that the letters at the edges stay clear of it.
_FILL = 0.86

#: Every so many voxels are looked at to find the head.
_STEP = 3


class HeadFit:
    """Centres the head in the 2D view and zooms to it, again after the window or plane changes."""

    def __init__(self, viewer: ViewerModel, case: Case) -> None:
        self._viewer = viewer
        grid = case.grid
        low, high = head_box(case.volumes[case.reference].array)
        spacing, start = np.array(grid.spacing), np.array(grid.display_translate)
        self._centre = start + (low + high) / 2 * spacing
        self._size = (high - low + 1) * spacing
        self._ours: tuple[tuple[float, ...], float] | None = None
        viewer.canvas.events.size.connect(self._on_size)
        viewer.dims.events.order.connect(self._on_size)

    def fit(self) -> None:
        """Centre and zoom now (2D only)."""
        viewer = self._viewer
        if viewer.dims.ndisplay != 2:
            return
        shown = list(viewer.dims.displayed)
        room = np.maximum(np.array(viewer.canvas.size, dtype=float), 1.0)
        camera = viewer.scene.camera
        centre = self._centre[shown]
        camera.center = (0.0, float(centre[0]), float(centre[1]))
        camera.zoom = float((room / self._size[shown]).min() * _FILL)
        self._ours = (tuple(camera.center), camera.zoom)

    def remove(self) -> None:
        self._viewer.canvas.events.size.disconnect(self._on_size)
        self._viewer.dims.events.order.disconnect(self._on_size)

    def _on_size(self, event: object = None) -> None:
        camera = self._viewer.scene.camera
        if self._ours == (tuple(camera.center), camera.zoom):
            self.fit()


def head_box(array: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last index along each axis of what is not background (about a step exact)."""
    inside = array[::_STEP, ::_STEP, ::_STEP] != background_value(array)
    low, high = np.zeros(3), np.array(array.shape, dtype=float) - 1
    for axis in range(3):
        other = tuple(i for i in range(3) if i != axis)
        found = np.flatnonzero(inside.any(axis=other))
        if found.size:
            low[axis], high[axis] = found[0] * _STEP, found[-1] * _STEP
    return low, high
