"""Distances from many voxels to the nearest of a surface, without a map of the whole image.

A map of distances costs by the voxel of its box, and one stray island makes the box large: 20
raters with islands in the corners of an image would pay for the image 60 times. So the map covers
the box about the large components alone, and what is strewn outside is looked up in a tree. Both
are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .surfaces import Box, Mask, distance_to

#: Looking a voxel up in a tree costs as much as this many voxels of a map (measured, rounded).
_VOXELS_PER_LOOK_UP = 100

#: Boxes about so many of the largest components are tried, beside the box about all.
_LARGEST = 8

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Places:
    """Voxels from which distances are wanted.

    Parameters
    ----------
    voxels
        Indices (n, 3).
    core
        The box that gets a map of distances.
    spacing
        Edges of a voxel in mm.
    inside
        Which of the voxels lie in the core.
    to_strewn
        For those inside, no voxel outside the core is nearer than this, in mm.
    """

    voxels: Indices
    core: Box
    spacing: tuple[float, float, float]
    inside: NDArray[np.bool_]
    to_strewn: NDArray[np.float64]

    @classmethod
    def of(cls, voxels: Indices, core: Box, spacing: tuple[float, float, float]) -> Places:
        inside = _within(voxels, core)
        low = np.array([side.start for side in core])
        high = np.array([side.stop for side in core])
        own = voxels[inside]
        steps = np.minimum(own - low + 1, high - own)  # to the first voxel beyond the nearer face
        return cls(voxels, core, spacing, inside, (steps * spacing).min(axis=1, initial=np.inf))

    def nearest(self, surface: Indices) -> NDArray[np.float32]:
        """How far each voxel is from the nearest of `surface` (m, 3), in mm; m is not 0."""
        found = np.full(len(self.voxels), np.inf, np.float32)
        mapped = _within(surface, self.core)
        strewn = surface[~mapped]
        if mapped.any():
            found[self.inside] = self._on_map(surface[mapped])
        if len(strewn):
            near = found[self.inside]
            # The map does not know what is strewn: ask where that could be nearer.
            doubtful = np.flatnonzero(near > self.to_strewn)
            own = self.voxels[self.inside][doubtful]
            near[doubtful] = np.minimum(near[doubtful], self._looked_up(own, strewn))
            found[self.inside] = near
        found[~self.inside] = self._looked_up(self.voxels[~self.inside], surface)
        return found

    def _on_map(self, surface: Indices) -> NDArray[np.float32]:
        low = [side.start for side in self.core]
        target = np.zeros([side.stop - side.start for side in self.core], np.bool_)
        target[tuple((surface - low).T)] = True
        own = self.voxels[self.inside] - low
        read: NDArray[np.float32] = distance_to(target, self.spacing)[tuple(own.T)]
        return read

    def _looked_up(self, own: Indices, surface: Indices) -> NDArray[np.float32]:
        if not len(own):
            return np.zeros(0, np.float32)
        from scipy.spatial import KDTree

        mm, _ = KDTree(surface * self.spacing).query(own * self.spacing)
        return np.asarray(mm, np.float32)


def core_of(union: Mask) -> Box:
    """The box about the largest components (26 neighbours) of a mask that is cheapest to work with.

    The mask is not empty.
    """
    import cc3d

    whole: Box = (slice(0, union.shape[0]), slice(0, union.shape[1]), slice(0, union.shape[2]))
    found = cc3d.statistics(cc3d.connected_components(union, connectivity=26))
    sizes = found["voxel_counts"][1:].astype(np.int64)
    boxes = found["bounding_boxes"][1:]
    order = np.argsort(-sizes, kind="stable")
    best, cheapest = whole, float(union.size)
    for count in range(1, min(len(sizes) - 1, _LARGEST) + 1):
        box = _about([boxes[n] for n in order[:count]])
        volume = float(np.prod([side.stop - side.start for side in box]))
        cost = volume + _VOXELS_PER_LOOK_UP * float(sizes[order[count:]].sum())
        if cost < cheapest:
            best, cheapest = box, cost
    return best


def _about(boxes: list[Box]) -> Box:
    first, second, third = (
        slice(int(min(box[axis].start for box in boxes)), int(max(box[axis].stop for box in boxes)))
        for axis in range(3)
    )
    return first, second, third


def _within(voxels: Indices, box: Box) -> NDArray[np.bool_]:
    low, high = [side.start for side in box], [side.stop for side in box]
    return np.asarray(((voxels >= low) & (voxels < high)).all(axis=1))
