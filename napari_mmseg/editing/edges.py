"""Images without their noise, and the edges in them, near a brush."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .brush import Spacing

#: Share of the voxels compared that must be of one tissue.
SAME_TISSUE_SHARE = 0.4

#: Half the width of the interval that holds that share of a normal distribution (deviations).
HALF_WIDTH = 0.5244

#: How far on a voxel looks for what lies beyond an edge: an edge in MRI is 2 to 4 voxels wide.
EDGE_REACH_VOXELS = 2

#: Axes with voxels longer than this (times the shortest edge) are not smoothed along.
THICK = 2.0

#: Noise is told from differences of voxels so far apart.
NOISE_LAG_VOXELS = 4

#: Every so manieth voxel tells the noise.
_NOISE_STEP = 3


class Edges(NamedTuple):
    """An image without its noise, and between which levels each voxel counts as part of an edge.

    A voxel brighter than a level L belongs to L when `from_below` <= L, that is when it is nearer
    to L than to the brightest voxel beyond it; a darker one when `from_above` >= L. `noise` is
    the deviation within one tissue.
    """

    smooth: NDArray[np.float32]
    from_below: NDArray[np.float32]
    from_above: NDArray[np.float32]
    noise: float


@lru_cache(maxsize=8)
def looks(spacing: Spacing, axis: int | None) -> tuple[tuple[int, ...], tuple[int, int, int]]:
    """The axes to smooth along, and how far a voxel looks along each axis for an edge."""
    free = [i for i in range(3) if i != axis]
    edge = min(spacing[i] for i in free)
    smooth = tuple(i for i in free if spacing[i] < THICK * edge)
    look = [0 if i == axis else EDGE_REACH_VOXELS if i in smooth else 1 for i in range(3)]
    return smooth, (look[0], look[1], look[2])


def box_around(low: list[int], high: list[int], shape: tuple[int, ...]) -> Any:
    """An index of a box that may reach beyond the image, where its border voxels go on."""
    if min(low) >= 0 and all(stop <= size for stop, size in zip(high, shape, strict=True)):
        return tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    sides = zip(low, high, shape, strict=True)
    return np.ix_(*(np.clip(np.arange(a, b), 0, size - 1) for a, b, size in sides))


def find_edges(
    values: NDArray[np.float32], smooth: tuple[int, ...], look: tuple[int, int, int]
) -> Edges:
    """Smooth by (1, 2, 1)/4 along axes, and find the edges; both cut the box's margin off.

    All works on flat voxels, where a neighbour is a fixed number of voxels away: faster
    than on boxes in the box. What then wraps around lies in the margin.
    """
    shape = values.shape
    steps = (shape[1] * shape[2], shape[2], 1)
    flat, start = values.ravel(), 0
    for axis in smooth:  # sums of neighbours, twice
        step = steps[axis]
        flat = flat[:-step] + flat[step:]
        flat = flat[:-step] + flat[step:]
        start += step
    flat *= np.float32(0.25 ** len(smooth))
    offsets = [n * step for n, step in zip(look, steps, strict=True) if n]
    far = max(offsets)
    count = len(flat) - 2 * far
    beyond = [flat[far + o : far + o + count] for offset in offsets for o in (-offset, offset)]
    middle = flat[far : far + count]
    found = [np.empty(shape, dtype=np.float32) for _ in range(3)]
    at = slice(start + far, start + far + count)
    same, highest, lowest = (array.reshape(-1)[at] for array in found)
    np.copyto(same, middle)
    np.maximum(beyond[0], beyond[1], out=highest)
    np.minimum(beyond[0], beyond[1], out=lowest)
    for part in beyond[2:]:
        np.maximum(highest, part, out=highest)
        np.minimum(lowest, part, out=lowest)
    twice = middle + middle
    np.subtract(twice, highest, out=highest)
    np.subtract(twice, lowest, out=lowest)
    margin = [n + (i in smooth) for i, n in enumerate(look)]
    core = tuple(slice(n, size - n) for n, size in zip(margin, shape, strict=True))
    cut = [array[core] for array in found]
    return Edges(cut[0], cut[1], cut[2], _noise(flat, steps[smooth[-1]]))


def _noise(flat: NDArray[np.float32], step: int) -> float:
    """Deviation of smoothed voxels from others of their tissue, in a box with edges.

    From differences between voxels too far apart to share noise; of those the smaller ones, as
    the larger lie across edges.
    """
    apart = NOISE_LAG_VOXELS * step
    if len(flat) <= apart:
        return 0.0
    differences = flat[apart::_NOISE_STEP] - flat[: len(flat) - apart : _NOISE_STEP]
    place = int(len(differences) * SAME_TISSUE_SHARE)
    return float(np.partition(np.abs(differences), place)[place]) / HALF_WIDTH / 2**0.5
