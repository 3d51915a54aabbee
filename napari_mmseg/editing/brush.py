"""Round brushes in millimetres on grids of any spacing.

A brush covers the voxels whose centres lie within half its diameter of the voxel under the
cursor, in mm, so a ball on thick slices has as many slices as it is tall. The voxel under the
cursor is always covered.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .stroke import Footprint

Voxel = tuple[int, int, int]
Spacing = tuple[float, float, float]

#: Added to the radius (as a share of it) so that voxels exactly on it do not fall to rounding.
RADIUS_SLACK = 1e-9


def stamp(centre: Voxel, diameter: float, spacing: Spacing, axis: int | None) -> Footprint:
    """The brush at one voxel.

    Parameters
    ----------
    centre
        Array index of the voxel under the cursor, axes (I, P, L).
    diameter
        In mm.
    spacing
        Voxel edges in mm along (I, P, L).
    axis
        The axis across the plane that is painted, or None for a ball.
    """
    return sweep(centre, centre, diameter, spacing, axis)


def sweep(
    start: Voxel, end: Voxel, diameter: float, spacing: Spacing, axis: int | None
) -> Footprint:
    """All that the brush covers on its straight way from `start` to `end`, without a gap.

    The voxels within half of `diameter` of the segment, in mm, and those that the segment runs
    through. With an `axis` both ends lie in one plane across it.
    """
    way = (end[0] - start[0], end[1] - start[1], end[2] - start[2])
    offset, mask = _swept(way, float(diameter), spacing, axis)
    corner = (start[0] + offset[0], start[1] + offset[1], start[2] + offset[2])
    return Footprint(corner, mask)


@lru_cache(maxsize=128)
def _swept(
    way: Voxel, diameter: float, spacing: Spacing, axis: int | None
) -> tuple[Voxel, NDArray[np.bool_]]:
    """Corner (relative to the start) and mask of a sweep by `way` voxels; kept for reuse."""
    radius = diameter / 2 * (1 + RADIUS_SLACK)
    reach = [0 if i == axis else int(radius / spacing[i]) for i in range(3)]
    low = [min(0, way[i]) - reach[i] for i in range(3)]
    high = [max(0, way[i]) + reach[i] for i in range(3)]
    x, y, z = np.ogrid[low[0] : high[0] + 1, low[1] : high[1] + 1, low[2] : high[2] + 1]
    x, y, z = x * spacing[0], y * spacing[1], z * spacing[2]
    a, b, c = (way[i] * spacing[i] for i in range(3))
    length2 = a * a + b * b + c * c
    if length2:
        along = np.clip((x * a + y * b + z * c) / length2, 0.0, 1.0)
        distance2 = (x - along * a) ** 2 + (y - along * b) ** 2 + (z - along * c) ** 2
    else:
        distance2 = x * x + y * y + z * z
    mask = np.asarray(distance2 <= radius * radius)
    # A brush thinner than the voxels would leave gaps: the voxels on the way always belong.
    steps = max(abs(n) for n in way)
    on_the_way = np.rint(np.linspace((0, 0, 0), way, steps + 1)).astype(np.intp) - low
    mask[tuple(on_the_way.T)] = True
    mask.flags.writeable = False
    return (low[0], low[1], low[2]), mask
