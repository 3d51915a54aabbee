"""Several looks of one network at one case, and the mean of what it says.

Averaging over mirror images is from Krizhevsky et al., NIPS 2012, and usual for brain tumours since
the BraTS 2017 winners. A network that learnt to do without any one contrast can also be asked
without each of them in turn: where one is poor or looks like no other, the mean believes it less.
That is done on coarser voxels, which cost a quarter: what it sees at one edge length alone is
believed less, too. How far the answers differ shows where the network is unsure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..models.card import LOOKS, MIRRORED, SINGLE, THOROUGH
from ..protocol import Protocol
from .preview import quick_look

#: One pass: channels (modalities, I, P, L) and the share of all passes done before and after it.
Pass = Callable[[NDArray[np.float32], float, float], NDArray[np.float32]]

#: The mean of the looks, and how far they lie apart (None after one alone).
Looked = tuple[NDArray[np.float32], NDArray[np.float32] | None]


@dataclass(frozen=True)
class Look:
    """One way to show the network a case.

    `mirrored`: the array axes along which it is mirrored. `without`: the channel that is left
    out, as if it were missing, on the coarser voxels of a quick look.
    """

    mirrored: tuple[int, ...] = ()
    without: int | None = None

    @property
    def weight(self) -> int:
        """How much the answer counts, and about what it costs: a coarse one a quarter."""
        return 4 if self.without is None else 1


def looks_named(name: str, orientation: str, channels: int) -> tuple[Look, ...]:
    """The looks that `name` stands for, the plain one first.

    `orientation` says where the three axes point, such as "IPL"; `channels` is how many there are
    that can be left out.

    Raises
    ------
    InputError
        When `name` is not one of `LOOKS`.
    """
    if name not in LOOKS:
        raise InputError(f"there are no looks {name!r}: choose one of {', '.join(LOOKS)}")
    if name == SINGLE:
        return (Look(),)
    side = next(axis for axis, letter in enumerate(orientation) if letter in "LR")
    both = (Look(), Look(mirrored=(side,)))
    if name == MIRRORED:
        return both
    assert name == THOROUGH
    return (*both, *(Look(without=channel) for channel in range(channels)))


def outermost(regions: Sequence[str], protocol: Protocol) -> tuple[int, ...]:
    """The places in `regions` of those that lie inside no other one of them."""
    return tuple(
        place
        for place, name in enumerate(regions)
        if not any(parent.name in regions for parent in protocol.ancestors(name))
    )


def mean_and_spread(
    run: Pass,
    channels: NDArray[np.float32],
    looks: Sequence[Look],
    outer: Collection[int],
    stride: int,
) -> Looked:
    """The mean answer to `channels` (modalities, I, P, L; multiples of `stride`) over `looks`.

    Looks without a contrast count for the regions at the places `outer` alone: what is inside
    them is told by one contrast or the other, and without it the network guesses. Also twice the
    standard deviation over the looks (0: all alike, 1: half say 0, half say 1), None where there
    is one look only. Both (regions, I, P, L).
    """
    if looks == (Look(),):
        return run(channels, 0.0, 1.0), None
    total: NDArray[np.float32] | None = None
    squares: NDArray[np.float32] | None = None
    counts = np.zeros(0, np.float32)
    all_of_it, done = sum(look.weight for look in looks), 0
    for look in looks:
        shares = done / all_of_it, (done + look.weight) / all_of_it
        found = _answer(look, run, channels, stride, shares)
        if total is None or squares is None:
            total, squares = np.zeros_like(found), np.zeros_like(found)
            counts = np.zeros((len(found), 1, 1, 1), np.float32)
        for region in range(len(found)) if look.without is None else sorted(outer):
            total[region] += look.weight * found[region]
            squares[region] += look.weight * found[region] ** 2
            counts[region] += look.weight
        done += look.weight
    assert total is not None
    assert squares is not None
    total /= counts
    squares /= counts
    # Rounding may leave the variance a little below 0.
    variance = np.maximum(squares - total * total, 0.0)
    return total, np.minimum(2.0 * np.sqrt(variance), 1.0)


def _answer(
    look: Look,
    run: Pass,
    channels: NDArray[np.float32],
    stride: int,
    shares: tuple[float, float],
) -> NDArray[np.float32]:
    """The network's answer to one look, on the voxels of `channels`."""
    if look.without is not None:
        given = channels.copy()
        given[look.without] = 0.0
        return quick_look(lambda coarse: run(coarse, *shares), given, stride)
    axes = tuple(axis + 1 for axis in look.mirrored)
    return np.flip(run(np.ascontiguousarray(np.flip(channels, axes)), *shares), axes)
