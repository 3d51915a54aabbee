"""A magnetic lasso: outlines that follow edges between the points that are clicked.

Live-wire (Mortensen and Barrett, SIGGRAPH 1995): the cheapest way between two points of a plane,
where edges are cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .polygon import polygon
from .stroke import Footprint

Voxel = tuple[int, int, int]
Spacing = tuple[float, float, float]

#: Images are smoothed by so much before their edges are taken (mm).
SMOOTH_MM = 0.8

#: What a pixel on the strongest edge costs, as a share of one without any: it keeps ways short.
LEAST_COST = 0.02

#: This quantile of the gradients in a slice counts as a full edge.
EDGE_QUANTILE = 0.95

#: A way may leave the box of its ends by this share of its length, and by at least so much (mm).
ASIDE_SHARE = 0.25
ASIDE_LEAST_MM = 10.0

#: What it costs to pass a pixel once more on the way back to the first corner, as multiples of one
#: without any edge: an outline that went back where it came from would enclose nothing.
RETRACED_COST = 5.0


class Lasso:
    """Ways along the edges of one slice of an image.

    Parameters
    ----------
    image
        Axes (I, P, L).
    spacing
        Voxel edges in mm.
    axis, index
        The slice: across `axis` at array index `index`.

    Raises
    ------
    InputError
        When there is no such slice.
    """

    def __init__(self, image: NDArray[Any], spacing: Spacing, axis: int, index: int) -> None:
        if not 0 <= index < image.shape[axis]:
            raise InputError(f"the image has no slice {index}: click inside it")
        self._axis, self._index = axis, index
        self._plane = [i for i in range(3) if i != axis]
        self._edges = np.array([spacing[i] for i in self._plane])
        self._costs = _costs(np.take(image, index, axis=axis), self._edges)

    def path(
        self, start: Voxel, end: Voxel, drawn: Sequence[NDArray[np.intp]] = ()
    ) -> NDArray[np.intp]:
        """The voxels from one to another along edges, both ends included: (n, 3).

        `drawn` are ways (n, 3) that this one keeps clear of where it can.

        Raises
        ------
        InputError
            When an end lies outside the slice.
        """
        from skimage.graph import MCP_Geometric

        a, b = self._flat(start), self._flat(end)
        length = float(np.linalg.norm((b - a) * self._edges))
        aside = np.ceil(max(ASIDE_SHARE * length, ASIDE_LEAST_MM) / self._edges).astype(int)
        low = np.maximum(np.minimum(a, b) - aside, 0)
        high = np.minimum(np.maximum(a, b) + aside + 1, self._costs.shape)
        window = self._costs[low[0] : high[0], low[1] : high[1]]
        if drawn:
            window = window.copy()
            passed = np.concatenate(drawn)[:, self._plane] - low
            here = ((passed >= 0) & (passed < window.shape)).all(axis=1)
            window[tuple(passed[here].T)] = RETRACED_COST
        ways = MCP_Geometric(window, sampling=tuple(self._edges))
        ways.find_costs([tuple(a - low)], [tuple(b - low)])
        flat = np.array(ways.traceback(tuple(b - low)), dtype=np.intp) + low
        path = np.full((len(flat), 3), self._index, dtype=np.intp)
        path[:, self._plane] = flat
        return path

    def outline(self, corners: Sequence[Voxel]) -> NDArray[np.intp]:
        """The closed way through corners and back to the first by another way, (n, 3).

        Raises
        ------
        InputError
            When there are fewer than two corners, or one lies outside the slice.
        """
        if len(corners) < 2:
            raise InputError("a lasso needs two points at least: click once more")
        ways = [self.path(a, b) for a, b in pairwise(corners)]
        ways.append(self.path(corners[-1], corners[0], ways))
        outline = np.concatenate([way[:-1] for way in ways])
        return outline if len(outline) else self.path(corners[0], corners[0])

    def fill(self, corners: Sequence[Voxel]) -> Footprint:
        """The voxels on and inside the closed outline through corners."""
        outline = self.outline(corners)
        if len(outline) < 3:  # two neighbours, or one voxel twice
            outline = np.resize(outline, (3, 3))
        return polygon(outline, self._axis)

    def _flat(self, voxel: Voxel) -> NDArray[np.intp]:
        flat = np.array([voxel[i] for i in self._plane], dtype=np.intp)
        if (flat < 0).any() or (flat >= self._costs.shape).any():
            raise InputError("that point lies outside the image: click inside it")
        return flat


def _costs(plane: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """What it costs to pass each pixel: 1 where there is no edge, little on a full one."""
    from scipy import ndimage

    values = plane.astype(np.float64)
    slopes = [
        ndimage.gaussian_filter(values, SMOOTH_MM / edges, order=order) / mm
        for order, mm in zip(((1, 0), (0, 1)), edges, strict=True)
    ]
    gradient = np.hypot(*slopes)
    inside = gradient[gradient > 0]
    full = float(np.quantile(inside, EDGE_QUANTILE)) if inside.size else 1.0
    return np.asarray(LEAST_COST + (1 - LEAST_COST) * (1 - np.minimum(gradient / full, 1.0)) ** 2)
