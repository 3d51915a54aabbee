"""Test-time flips: the mean of a network's answers to an image and its mirror images.

Averaging over flips is from Krizhevsky et al., NIPS 2012, and usual for brain tumours since the
BraTS 2017 winners. How far the answers differ shows where the network is unsure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

#: No mirror image; the left-right one; those of every set of axes (8 passes).
FLIPS = ("none", "left-right", "all")

#: One pass: channels (modalities, I, P, L) and the share of all passes done before and after it.
Pass = Callable[[NDArray[np.float32], float, float], NDArray[np.float32]]

#: The mean of the passes, and how far they lie apart (None after one pass alone).
Flipped = tuple[NDArray[np.float32], NDArray[np.float32] | None]


def mirrored_axes(flips: str, orientation: str) -> tuple[tuple[int, ...], ...]:
    """The array axes to mirror in each pass, the plain pass first.

    `orientation` names where the three axes point, such as "IPL".

    Raises
    ------
    InputError
        When `flips` is not one of `FLIPS`.
    """
    if flips not in FLIPS:
        raise InputError(f"there are no flips {flips!r}: choose one of {', '.join(FLIPS)}")
    if flips == "none":
        return ((),)
    if flips == "left-right":
        side = next(axis for axis, letter in enumerate(orientation) if letter in "LR")
        return (), (side,)
    return tuple(chain.from_iterable(combinations(range(3), n) for n in range(4)))


def mean_and_spread(
    run: Pass, channels: NDArray[np.float32], mirrors: Sequence[tuple[int, ...]]
) -> Flipped:
    """The mean answer to `channels` (modalities, I, P, L) mirrored along each of `mirrors`.

    Also twice the standard deviation over the passes (0: all alike, 1: half say 0, half say 1),
    None where there is one pass only. Both (regions, I, P, L).
    """
    if len(mirrors) == 1:
        return run(channels, 0.0, 1.0), None
    count = len(mirrors)
    total: NDArray[np.float32] | None = None
    squares: NDArray[np.float32] | None = None
    for number, axes in enumerate(mirrors):
        array_axes = tuple(axis + 1 for axis in axes)
        given = np.ascontiguousarray(np.flip(channels, array_axes))
        found = np.flip(run(given, number / count, (number + 1) / count), array_axes)
        total = found.copy() if total is None else np.add(total, found, out=total)
        found *= found
        squares = found if squares is None else np.add(squares, found, out=squares)
    assert total is not None
    assert squares is not None
    mean = total / np.float32(count)
    # Rounding may leave it a little below 0.
    variance = np.maximum(squares / np.float32(count) - mean * mean, 0.0)
    return mean, np.minimum(2.0 * np.sqrt(variance), 1.0)
