"""The tip of a brush that looks around: all its voxels, and those near its centre."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .brush import Spacing, Voxel, stamp
from .stroke import Box, Footprint

#: Radius of the inner part that tells value and noise, as a share of the brush's radius, and the
#: least that it is (voxel edges): a ring of contrast agent is only a few voxels wide.
INNER_SHARE = 0.35
INNER_LEAST_VOXELS = 1.5


class PlacedTip(NamedTuple):
    """A tip in an image, cut to it.

    `ball` marks its voxels in `box`, `seed` is the centre in that box, and `inner` holds flat
    indices of the inner part there. `voxels` is how many there would be if nothing were cut off.
    """

    box: Box
    ball: NDArray[np.bool_]
    seed: Voxel
    inner: NDArray[np.intp]
    is_cut: bool
    voxels: int


class Tip(NamedTuple):
    """A brush's shape: the ball, its voxels, its centre in its box, and its inner part.

    `near` is the inner part about its centre; `inner` holds its flat indices in the ball's box.
    """

    ball: NDArray[np.bool_]
    voxels: int
    reach: Voxel
    near: Footprint
    inner: NDArray[np.intp]

    def at(self, centre: Voxel, shape: tuple[int, ...]) -> PlacedTip:
        """The tip with its centre at a voxel of an image of `shape`."""
        corner = (centre[0] - self.reach[0], centre[1] - self.reach[1], centre[2] - self.reach[2])
        clipped = Footprint(corner, self.ball).clipped(shape)
        assert clipped is not None  # the centre is inside
        box, ball = clipped
        seed = (centre[0] - box[0].start, centre[1] - box[1].start, centre[2] - box[2].start)
        is_cut = ball is not self.ball
        inner = _inner(self.near, seed, ball.shape) if is_cut else self.inner
        return PlacedTip(box, ball, seed, inner, is_cut, self.voxels)


@lru_cache(maxsize=32)
def tip_of(diameter: float, spacing: Spacing, axis: int | None) -> Tip:
    """The tip of a diameter (mm): a disc across `axis`, or a ball when that is None."""
    (i, j, k), ball = stamp((0, 0, 0), diameter, spacing, axis)
    least = 2 * INNER_LEAST_VOXELS * min(spacing[i] for i in range(3) if i != axis)
    near = stamp((0, 0, 0), max(INNER_SHARE * diameter, least), spacing, axis)
    reach = (-i, -j, -k)
    return Tip(ball, int(np.count_nonzero(ball)), reach, near, _inner(near, reach, ball.shape))


def _inner(near: Footprint, seed: Voxel, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Flat indices of the inner part around `seed` in a box of a shape; never empty."""
    (i, j, k), mask = near
    clipped = Footprint((seed[0] + i, seed[1] + j, seed[2] + k), mask).clipped(shape)
    assert clipped is not None  # the seed is in the box
    inside = np.zeros(shape, dtype=bool)
    inside[clipped[0]] = clipped[1]
    return np.flatnonzero(inside)
