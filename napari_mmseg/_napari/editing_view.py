"""What of the labels is on screen: the plane, the slice, the voxel under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..editing import Change

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

Voxel = tuple[int, int, int]

#: A place is brought to the middle of the view when it lies within this share of its border.
_BORDER_SHARE = 0.1


class SliceView:
    """A labels layer (I, P, L) as the viewer shows it; dims before the layer's own left out.

    Parameters
    ----------
    viewer
        Where the layer is shown.
    layer
        Three-dimensional labels without rotation.
    """

    def __init__(self, viewer: ViewerModel, layer: Labels) -> None:
        self._viewer = viewer
        self._layer = layer

    @property
    def is_flat(self) -> bool:
        """Is a slice shown, and not the volume?"""
        return bool(self._viewer.dims.ndisplay == 2)

    @property
    def across(self) -> int:
        """The array axis across the plane on screen."""
        own = self._viewer.dims.ndim - 3
        shown = {axis - own for axis in self._viewer.dims.displayed}
        return next(axis for axis in (0, 1, 2) if axis not in shown)

    @property
    def shown_axes(self) -> tuple[int, int]:
        """The array axes that run down and to the right of the screen in a slice."""
        own = self._viewer.dims.ndim - 3
        down, right = self._viewer.dims.displayed[-2:]
        return down - own, right - own

    @property
    def painted_axis(self) -> int | None:
        """The axis across the painted plane, or None when the tool works in 3D."""
        return None if self._layer.n_edit_dimensions == 3 else self.across

    @property
    def index(self) -> int:
        """The slice on screen: array index along `across`."""
        return self._shown()[self.across]

    @property
    def finest_mm(self) -> float:
        """What napari counts brush sizes in: the smaller voxel edge on screen, in mm."""
        across = self.across if self.is_flat else None
        spacing = self._layer.scale[-3:]
        return min(float(mm) for axis, mm in enumerate(spacing) if axis != across)

    def voxel_at(self, position: Sequence[float] | Any) -> Voxel:
        """The voxel at a position of the drawn scene; it may lie outside the array."""
        return voxel_of(self._layer.world_to_data(position))

    def holds(self, voxel: Voxel) -> bool:
        """Does a voxel lie inside the array?"""
        return all(0 <= i < n for i, n in zip(voxel, self._layer.data.shape, strict=True))

    def turn_to(self, change: Change) -> None:
        """Turn to the slice with most of a change, unless some of it is on screen already."""
        if not self.is_flat:
            return
        axis = self.across
        first = change.box[axis].start
        counts = change.mask.sum(axis=tuple(i for i in range(3) if i != axis))
        shown = self._shown()
        if 0 <= shown[axis] - first < counts.size and counts[shown[axis] - first]:
            return
        place = list(shown)
        place[axis] = first + int(np.argmax(counts))
        self._turn(place, [axis])

    def go_to(self, voxel: Voxel) -> None:
        """Show a voxel's slices in all planes, and move the view only where it is out of sight."""
        self._turn(list(voxel), [0, 1, 2])
        if not self.is_flat:
            return
        camera, shown = self._viewer.scene.camera, list(self._viewer.dims.displayed)
        world = np.asarray(self._layer.data_to_world(voxel), dtype=float)[-3:]
        own = self._viewer.dims.ndim - 3
        place = world[[axis - own for axis in shown]]
        middle = np.asarray(camera.center, dtype=float)[-2:]
        reach = np.asarray(self._viewer.canvas.size, dtype=float) / 2 / camera.zoom
        if (np.abs(place - middle) > reach * (1 - _BORDER_SHARE)).any():
            camera.center = (0.0, float(place[0]), float(place[1]))

    def _shown(self) -> Voxel:
        return voxel_of(self._layer.world_to_data(self._viewer.dims.point))

    def _turn(self, place: list[int], axes: list[int]) -> None:
        dims = self._viewer.dims
        own = dims.ndim - 3
        world = self._layer.data_to_world(place)
        # At once: every step on its own has all layers sliced and drawn again.
        dims.set_point([own + axis for axis in axes], [float(world[axis]) for axis in axes])


def voxel_of(coordinates: Sequence[float] | Any) -> Voxel:
    """The voxel at data coordinates; rounded as napari rounds them for slicing."""
    a, b, c = np.rint(np.asarray(coordinates, dtype=float)[-3:]).astype(int).tolist()
    return a, b, c
