"""Outlines along the edges of voxels, as thin rectangles that a screen can draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sides(mask: NDArray[np.bool_]) -> Floats:
    """The straight sides of a mask's outline, its holes included.

    Parameters
    ----------
    mask
        Pixels, axes (row, column).

    Returns
    -------
    Both ends of each side in pixels, (N, 2, 2): (row, column), where whole numbers are the
    middles of pixels. Every edge between a pixel inside and one outside is on one side.
    """
    framed = np.pad(mask, 1)
    along_columns = _runs(framed[1:] ^ framed[:-1])
    along_rows = _runs((framed[:, 1:] ^ framed[:, :-1]).T)[..., ::-1]
    return np.concatenate([along_columns, along_rows])


def rectangles(lines: Floats, width: float) -> tuple[Floats, NDArray[np.uint32]]:
    """Lines along the axes as rectangles of a width, which lengthens them at both ends too.

    Parameters
    ----------
    lines
        Both ends of each, (N, 2, 2).

    Returns
    -------
    Corners (4 N, 2), and triangles (2 N, 3) of them.
    """
    low, high = lines.min(axis=1) - width / 2, lines.max(axis=1) + width / 2
    corners = np.stack(
        [low, np.stack([low[:, 0], high[:, 1]], 1), high, np.stack([high[:, 0], low[:, 1]], 1)], 1
    )
    first = 4 * np.arange(len(lines), dtype=np.uint32)[:, None, None]
    halves = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.uint32)
    return corners.reshape(-1, 2), (first + halves).reshape(-1, 3)


def _runs(edges: NDArray[Any]) -> Floats:
    """The runs in each row of the edges above the rows of a framed mask, as in `sides`."""
    ends = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(ends == 1)
    stop = np.nonzero(ends == -1)[1]  # row by row: the runs in the same order
    first = np.stack([row, start], 1)
    last = np.stack([row, stop], 1)
    # Edge 0 lies above row 0 of the mask; column 1 of the frame is column 0 of the mask.
    return np.stack([first, last], 1) + np.array([-0.5, -1.5])
