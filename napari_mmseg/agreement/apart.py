"""How far the surfaces of all pairs of raters lie apart: one distance map a rater, not a pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np

from .nearest import Places, core_of
from .stack import Stack
from .surfaces import SurfaceDistances, surface


def surface_pairs(
    stack: Stack, pairs: Iterable[tuple[int, int]] | None = None
) -> Iterator[tuple[int, int, SurfaceDistances]]:
    """Each pair of raters who see the region, with the distances of their surfaces.

    `pairs` are those wanted; None: all.

    Each rater's map of distances is read where any rater has a surface and then dropped, so that
    one map is in memory at a time. Values are those of `surfaces.distances`. No threads: `edt`
    keeps Python's lock, and its own two threads gained nothing on two cores (measured).
    """
    seeing = [int(n) for n in np.flatnonzero(stack.voxels)]
    if len(seeing) < 2:
        return
    own = {n: np.flatnonzero(surface(stack.masks[n])) for n in seeing}
    shape = stack.union.shape
    anyones = np.zeros(stack.union.size, np.bool_)
    for voxels in own.values():
        anyones[voxels] = True
    read = np.flatnonzero(anyones)
    place = np.zeros(stack.union.size, np.int32)
    place[read] = np.arange(read.size, dtype=np.int32)
    places = Places.of(_indices(read, shape), core_of(stack.union), stack.spacing)
    to = {n: places.nearest(_indices(voxels, shape)) for n, voxels in own.items()}
    where = {n: place[voxels] for n, voxels in own.items()}
    for first, second in combinations(seeing, 2) if pairs is None else pairs:
        if first not in own or second not in own:
            continue
        yield first, second, SurfaceDistances(to[second][where[first]], to[first][where[second]])


def _indices(flat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(np.unravel_index(flat, shape), axis=1)
