"""Surfaces of masks, and how far two of them lie apart in mm.

- Surface: the voxels of a mask with a face neighbour outside it; what lies beyond the image counts
  as outside. Distances are between voxel centres, and every surface voxel counts once, as in
  MONAI's `compute_hausdorff_distance` and `compute_surface_dice`. DeepMind's `surface-distance`
  measures between the corners of voxels and weights them by area: it comes to values a fraction of
  a voxel beside these.
- HD95: the maximum of the two directed 95th percentiles (linear interpolation); the percentile of
  the pooled distances, which some tools report, is smaller.
- Mean surface distance: over the voxels of both surfaces together, as MONAI's
  `compute_average_surface_distance(symmetric=True)`; not the mean of the two directed means.
- NSD (normalised surface distance, surface Dice): the share of both surfaces that lies within a
  tolerance of the other one; Nikolov et al., arXiv:1809.04430.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The percentile of surface distances that stands for the largest: robust to single voxels.
HAUSDORFF_PERCENTILE = 95.0

#: Distances come as float32: what is this share above the tolerance is within it.
_ROUNDING = 1e-6

Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """From each surface voxel of one mask to the nearest of the other's, in mm; two flat arrays."""

    first_to_second: NDArray[np.float32]
    second_to_first: NDArray[np.float32]

    @property
    def hd95_mm(self) -> float:
        """The larger of the two directed 95th percentiles."""
        directed = (self.first_to_second, self.second_to_first)
        return float(max(np.percentile(mm, HAUSDORFF_PERCENTILE) for mm in directed))

    @property
    def mean_mm(self) -> float:
        """The mean over both surfaces together: each surface voxel counts once."""
        directed = (self.first_to_second, self.second_to_first)
        # float32 sums of many thousands of distances would lose digits.
        total = sum(float(mm.sum(dtype=np.float64)) for mm in directed)
        return total / sum(mm.size for mm in directed)

    def nsd(self, tolerance_mm: float) -> float:
        """The share of both surfaces that is no further than the tolerance from the other."""
        limit = tolerance_mm * (1 + _ROUNDING)
        directed = (self.first_to_second, self.second_to_first)
        near = sum(int(np.count_nonzero(mm <= limit)) for mm in directed)
        return near / sum(mm.size for mm in directed)


def distances(
    first: Mask, second: Mask, spacing: tuple[float, float, float]
) -> SurfaceDistances | None:
    """How far the surfaces of two masks of one shape lie apart; None when a mask is empty.

    `spacing` are a voxel's edges in mm. The work is done in the box that holds both masks.
    """
    if not first.any() or not second.any():
        return None
    box = bounding_box(first | second)
    surfaces = surface(first[box]), surface(second[box])
    return SurfaceDistances(
        distance_to(surfaces[1], spacing)[surfaces[0]],
        distance_to(surfaces[0], spacing)[surfaces[1]],
    )


def hausdorff_95(first: Mask, second: Mask, spacing: tuple[float, float, float]) -> float | None:
    """The larger of the two directed 95th percentiles of surface distances, in mm.

    None when a mask is empty.
    """
    apart = distances(first, second, spacing)
    return None if apart is None else apart.hd95_mm


def surface(mask: Mask) -> Mask:
    """The voxels of `mask` with a face neighbour outside it or outside the array."""
    padded = np.pad(mask, 1)
    deep = mask.copy()
    for axis in range(3):
        for side in (slice(None, -2), slice(2, None)):
            deep &= padded[tuple(side if n == axis else slice(1, -1) for n in range(3))]
    return mask & ~deep


def bounding_box(mask: Mask, margin: int = 0) -> Box:
    """The box that holds a mask that is not empty, grown by `margin` voxels within the array."""
    ends = []
    for axis, size in enumerate(mask.shape):
        others = tuple(i for i in range(3) if i != axis)
        occupied = np.flatnonzero(mask.any(axis=others))
        ends.append(
            slice(max(int(occupied[0]) - margin, 0), min(int(occupied[-1]) + 1 + margin, size))
        )
    return ends[0], ends[1], ends[2]


def distance_to(target: Mask, spacing: tuple[float, float, float]) -> NDArray[Any]:
    """Distance in mm of every voxel's centre to the nearest voxel of `target`."""
    import edt

    return edt.edt(np.ascontiguousarray(~target), anisotropy=spacing, black_border=False)
