"""Grids that can be read but that no scanner makes: said, since every figure depends on them."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..grid import Grid

#: Sides of a voxel in mm that scans of a head have; beyond, another unit is likely.
SMALLEST_SIDE_MM = 0.1
LARGEST_SIDE_MM = 20.0

#: Axes of a scan are at right angles; header rounding stays below this (degrees).
SHEAR_TOLERANCE_DEG = 0.5


def oddities(grid: Grid) -> list[str]:
    """Sentences about voxels of unlikely size and axes that are not at right angles."""
    said: list[str] = []
    if min(grid.spacing) < SMALLEST_SIDE_MM or max(grid.spacing) > LARGEST_SIDE_MM:
        sides = " x ".join(f"{side:.3g}" for side in grid.spacing)
        said.append(
            f"voxels of {sides} mm are none of a scan of a head: the header may be wrong or in "
            "another unit, and all lengths and volumes with it"
        )
    axes = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    lean = max(
        float(np.degrees(np.arcsin(min(1.0, abs(axes[:, i] @ axes[:, j])))))
        for i, j in combinations(range(3), 2)
    )
    if lean > SHEAR_TOLERANCE_DEG:
        said.append(
            f"the axes of the voxels are not at right angles ({lean:.1f} degrees off): shown as if "
            "they were, and lengths across them are wrong; resample the images to right angles"
        )
    return said
