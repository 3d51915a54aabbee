"""The voxels of a polygon that was drawn in one plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .stroke import Footprint


def polygon(vertices: Sequence[Sequence[int]] | NDArray[np.intp], axis: int) -> Footprint:
    """Voxels inside a polygon and on its outline.

    Parameters
    ----------
    vertices
        Array indices of the corners, (n, 3), n >= 3, axes (I, P, L). Their plane is that of the
        first one.
    axis
        The axis across the plane.

    Notes
    -----
    Even-odd rule at voxel centres by scan lines: every edge toggles all voxels of its rows that
    lie beyond it, so no row is sorted (edge-flag fill; Ackland and Weste, IEEE Trans. Computers
    C-30(1):41, 1981). The voxels that the edges run through belong to it, as in napari.
    """
    corners = np.asarray(vertices, dtype=np.intp)
    if corners.ndim != 2 or corners.shape[1] != 3 or len(corners) < 3:
        raise InputError("a polygon has at least three corners: click once more")
    plane = [i for i in range(3) if i != axis]
    flat = corners[:, plane]
    low = flat.min(axis=0)
    rows, columns = flat.max(axis=0) - low + 1
    inside = _filled(flat - low, int(rows), int(columns))
    corner = [0, 0, 0]
    corner[axis], corner[plane[0]], corner[plane[1]] = (
        int(corners[0, axis]),
        int(low[0]),
        int(low[1]),
    )
    return Footprint((corner[0], corner[1], corner[2]), np.expand_dims(inside, axis))


def _filled(flat: NDArray[np.intp], rows: int, columns: int) -> NDArray[np.bool_]:
    toggles = np.zeros((rows, columns + 1), dtype=np.uint8)
    outline = np.zeros((rows, columns), dtype=bool)
    for (row_a, col_a), (row_b, col_b) in zip(flat, np.roll(flat, -1, axis=0), strict=True):
        steps = max(abs(row_b - row_a), abs(col_b - col_a), 1)
        way = np.rint(np.linspace((row_a, col_a), (row_b, col_b), steps + 1)).astype(np.intp)
        outline[way[:, 0], way[:, 1]] = True
        if row_a == row_b:
            continue
        if row_a > row_b:
            row_a, col_a, row_b, col_b = row_b, col_b, row_a, col_a
        crossed = np.arange(row_a, row_b)  # half open: a corner counts for one of its two edges
        column = col_a + (crossed - row_a) * (col_b - col_a) / (row_b - row_a)
        toggles[crossed, np.ceil(column).astype(np.intp)] ^= 1
    inside = np.bitwise_xor.accumulate(toggles, axis=1)[:, :columns].astype(bool)
    return np.asarray(inside | outline)
