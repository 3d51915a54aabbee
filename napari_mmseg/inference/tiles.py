"""A pass in overlapping tiles, for where a whole one does not fit."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .engine import Check, Engine, OutOfMemory
from .rescale import Shape

#: Neighbouring tiles share this part of their side.
OVERLAP = 0.25

#: No tile is smaller than this (voxels, each side): less context than a tumour needs.
SMALLEST_SIDE = 64

#: Steps in which sides are tried (voxels); a multiple of every stride in use.
SIDE_STEP = 32


def run_in_tiles(
    engine: Engine,
    channels: NDArray[np.float32],
    regions: int,
    largest: int,
    check: Check,
    done: Callable[[float], None],
) -> NDArray[np.float32]:
    """Probabilities (regions, I, P, L) of `channels` from tiles of at most `largest` voxels.

    Tiles are weighted towards their centres where they overlap. `done` is told the share done.

    Raises
    ------
    OutOfMemory
        When not even the smallest tile fits.
    """
    whole = (channels.shape[1], channels.shape[2], channels.shape[3])
    tile = tile_shape(whole, largest)
    total = np.zeros((regions, *whole), dtype=np.float32)
    weight = np.zeros(whole, dtype=np.float32)
    towards_centre = _weights(tile)
    corners = list(product(*(starts(n, t) for n, t in zip(whole, tile, strict=True))))
    for number, corner in enumerate(corners):
        where = tuple(slice(c, c + t) for c, t in zip(corner, tile, strict=True))
        piece = np.ascontiguousarray(channels[(slice(None), *where)])
        total[(slice(None), *where)] += engine.run(piece, check) * towards_centre
        weight[where] += towards_centre
        done((number + 1) / len(corners))
    total /= weight
    return total


def tile_shape(whole: Shape, largest: int) -> Shape:
    """The sides of a tile: as cubic as can be, at most `largest` voxels, never beyond `whole`.

    Raises
    ------
    OutOfMemory
        When the smallest tile is larger than `largest`.
    """
    tile = list(whole)
    while tile[0] * tile[1] * tile[2] > largest:
        axis = max(range(3), key=lambda a: tile[a])
        if tile[axis] <= SMALLEST_SIDE:
            raise OutOfMemory
        tile[axis] = max(SMALLEST_SIDE, (tile[axis] - 1) // SIDE_STEP * SIDE_STEP)
    return tile[0], tile[1], tile[2]


def starts(whole: int, tile: int) -> list[int]:
    """Where tiles begin along one axis: evenly spread, overlapping by `OVERLAP` or more."""
    if tile >= whole:
        return [0]
    count = int(np.ceil((whole - tile) / (tile * (1.0 - OVERLAP)))) + 1
    return [int(s) for s in np.round(np.linspace(0, whole - tile, count))]


def _weights(tile: Shape) -> NDArray[np.float32]:
    """A pyramid: 1 at the border voxels, rising to the centre of each axis."""
    sides = [np.minimum(np.arange(n), np.arange(n)[::-1]).astype(np.float32) + 1.0 for n in tile]
    a, b, c = (side / side.max() for side in sides)
    product_of_sides: NDArray[np.float32] = a[:, None, None] * b[None, :, None] * c[None, None, :]
    return product_of_sides
