"""A quick look: the same network on coarser voxels, while the full result is still awaited.

Networks trained on voxels of 1 mm lose tumours on a grid of 2 mm (Dice against the full result
near 0 in three cases), but see most of them at about 1.5 mm: so the preview takes the finest grid
that a pass of bounded cost allows, rather than a fixed one (`python -m benchmarks preview`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .rescale import Shape, rescale_all

#: Voxels that the preview's pass may have: 1.4 s of processor time in fp32 with a U-Net of base 16
#: (measured), so about 0.7 s on two free cores.
MOST_VOXELS = 1_050_000

#: Steps in which coarser voxels are tried (share of the network's own edge).
_STEP = 0.02


def coarse_shape(shape: Shape, stride: int, most: int = MOST_VOXELS) -> Shape:
    """The finest grid (I, P, L) over the same box: multiples of `stride`, `most` voxels or fewer.

    `shape` itself where that is small enough. Edges differ by axis, as far as rounding to the
    stride asks for; two strides a side are the least.
    """
    edge, sides = 1.0, shape
    least = 2 * stride
    while np.prod(sides) > most and max(sides) > least:
        edge += _STEP
        a, b, c = (max(least, round(n / edge / stride) * stride) for n in shape)
        sides = (min(a, shape[0]), min(b, shape[1]), min(c, shape[2]))
    return sides


def quick_look(
    run: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    channels: NDArray[np.float32],
    stride: int,
    most: int = MOST_VOXELS,
) -> NDArray[np.float32]:
    """Probabilities (regions, I, P, L) over `channels` (modalities, I, P, L) from a coarse pass."""
    shape = (channels.shape[1], channels.shape[2], channels.shape[3])
    sides = coarse_shape(shape, stride, most)
    return rescale_all(run(rescale_all(channels, sides)), shape)
