"""HD95 with surfaces weighted by area, as DeepMind's `surface-distance` and BraTS 2023 take it.

A surface lies between voxels: at every corner where eight voxels meet, some of them inside, there
is a piece of it that passes half-way between inside and outside (marching cubes). Its area depends
on which of the eight are inside; its place is the corner. The 95th percentile is of area, not of
pieces: a rough boundary counts for no more than a smooth one. Between two algorithms' whole tumours
of a real case this gave 1.0 mm where the percentile of surface voxels (see `surfaces`) gave 4.5.
Source of the method: Nikolov et al., arXiv:1809.04430; written from its description.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .surfaces import HAUSDORFF_PERCENTILE, Mask, bounding_box, distance_to

_CORNERS = tuple(product((0, 1), repeat=3))
_ALL_INSIDE = 255

Corner = tuple[int, ...]
Edge = tuple[Corner, Corner]


def hausdorff_95_by_area(
    first: Mask, second: Mask, spacing: tuple[float, float, float]
) -> float | None:
    """The larger of the two directed 95th percentiles of surface area, in mm.

    `spacing` are a voxel's edges in mm. None when a mask is empty.
    """
    if not first.any() or not second.any():
        return None
    box = bounding_box(first | second)
    codes = _corner_codes(first[box]), _corner_codes(second[box])
    borders = [(code > 0) & (code < _ALL_INSIDE) for code in codes]
    areas = piece_areas(spacing)
    directed = []
    for own, other in ((0, 1), (1, 0)):
        mm = distance_to(borders[other], spacing)[borders[own]]
        directed.append(_percentile(mm, areas[codes[own][borders[own]]]))
    return max(directed)


@lru_cache(maxsize=32)
def piece_areas(spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    """Area in mm2 of the surface at a corner, by which of the eight voxels are inside (256,).

    Bit 4 i + 2 j + k of the index is the voxel on the sides (i, j, k).
    """
    return np.array([_area(code, np.array(spacing)) for code in range(256)])


def _corner_codes(mask: Mask) -> NDArray[np.uint8]:
    """Which of the eight voxels about each corner are inside; one longer along each axis."""
    padded = np.pad(mask, 1).astype(np.uint8)
    sides = tuple(n + 1 for n in mask.shape)
    codes = np.zeros(sides, np.uint8)
    for bit, start in enumerate(_CORNERS):
        part = padded[tuple(slice(s, s + n) for s, n in zip(start, sides, strict=True))]
        codes |= part << np.uint8(bit)
    return codes


def _percentile(mm: NDArray[Any], areas: NDArray[np.float64]) -> float:
    """The distance within which that share of the area lies."""
    order = np.argsort(mm, kind="stable")
    share = np.cumsum(areas[order]) / areas.sum()
    place = int(np.searchsorted(share, HAUSDORFF_PERCENTILE / 100.0))
    return float(mm[order][min(place, mm.size - 1)])


def _area(code: int, spacing: NDArray[np.float64]) -> float:
    """Where a face can be cut in two ways, the corners of the rarer kind are cut off one by one.

    A bent polygon has the area of its largest fan of triangles, judged on a cube. Both choices are
    those of `surface-distance`: all 256 areas equal its own.
    """
    rarer = code.bit_count() <= len(_CORNERS) // 2
    cut_off = {corner: bool(code >> bit & 1) == rarer for bit, corner in enumerate(_CORNERS)}
    return sum(_polygon_area(loop, spacing) for loop in _loops(_segments(cut_off)))


def _polygon_area(loop: list[Edge], spacing: NDArray[np.float64]) -> float:
    cube = np.array([np.add(*edge) / 2 for edge in loop])
    turns = range(len(loop))
    widest = max(turns, key=lambda n: round(_fan_area(np.roll(cube, -n, axis=0)), 9))
    return _fan_area(np.roll(cube * spacing, -widest, axis=0))


def _fan_area(points: NDArray[np.float64]) -> float:
    """Of the triangles that the first point makes with each pair of the others, in their order."""
    spokes = points[1:] - points[0]
    return float(0.5 * np.linalg.norm(np.cross(spokes[:-1], spokes[1:]), axis=1).sum())


def _segments(inside: dict[Corner, bool]) -> list[tuple[Edge, Edge]]:
    """Where the surface cuts the six faces of the cube between the eight voxels' centres.

    Two `inside` corners across a face's diagonal are cut off one by one.
    """
    segments: list[tuple[Edge, Edge]] = []
    for axis, side in product(range(3), (0, 1)):
        ring = [(0, 0), (0, 1), (1, 1), (1, 0)]
        face = [(*uv[:axis], side, *uv[axis:]) for uv in ring]
        cuts = [
            (face[n], face[(n + 1) % 4])
            for n in range(4)
            if inside[face[n]] != inside[face[(n + 1) % 4]]
        ]
        ordered: list[Edge] = [(min(edge), max(edge)) for edge in cuts]
        if len(cuts) == 2:
            segments.append((ordered[0], ordered[1]))
        elif len(cuts) == 4:  # every edge is cut: pair those that meet at an inside corner
            first = 3 if inside[face[0]] else 0
            for n in (first, first + 2):
                segments.append((ordered[n % 4], ordered[(n + 1) % 4]))
    return segments


def _loops(segments: list[tuple[Edge, Edge]]) -> list[list[Edge]]:
    """The segments joined into closed polygons."""
    loops: list[list[Edge]] = []
    left = list(segments)
    while left:
        start, end = left.pop()
        loop = [start]
        while end != start:
            loop.append(end)
            following = next(s for s in left if end in s)
            left.remove(following)
            end = following[1] if following[0] == end else following[0]
        loops.append(loop)
    return loops
