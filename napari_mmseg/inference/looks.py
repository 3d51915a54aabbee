"""Several looks of a model's networks at one case, and the mean of what they say.

Averaging over mirror images is from Krizhevsky et al., NIPS 2012, and usual for brain tumours since
the BraTS 2017 winners. A network that learnt to do without any one contrast can also be asked
without each of them in turn: where one is poor or looks like no other, the mean believes it less.
That is done on coarser voxels, which cost a third: what it sees at one edge length alone is
believed less, too. How far the answers differ shows where the network is unsure.

Of several networks the model's own looks at the plain image and its members at the mirrored one:
each at both is no better (`docs/record.md`) and takes twice the time. All take the coarse looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..models.card import LOOKS, MIRRORED, SINGLE, THOROUGH
from ..protocol import Protocol
from ..volume import Modality
from .preview import coarse_shape
from .rescale import rescale_all

#: One pass: channels (modalities, I, P, L) and the share of all passes done before and after it.
Pass = Callable[[NDArray[np.float32], float, float], NDArray[np.float32]]

#: How much a look at all contrasts counts where one without a contrast counts 1; about what it
#: costs, too. So the looks without one make up a third; as a quarter they no longer mended what
#: fails on one contrast.
WHOLE = 3

#: No look leaves this one out: it adds little to where a tumour ends. With such a look the mean
#: Dice of WT over 34 cases is the same to 0.01; without that for T1ce too, single cases fail again.
KEPT = Modality.T1

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


def looks_named(name: str, orientation: str, channels: Sequence[Modality]) -> tuple[Look, ...]:
    """The looks that `name` stands for, the plain one first.

    `orientation` says where the three axes point, such as "IPL"; of `channels` all can be left
    out but T1.

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
    partial = (Look(without=n) for n, modality in enumerate(channels) if modality is not KEPT)
    return (*both, *partial)


def outermost(regions: Sequence[str], protocol: Protocol) -> tuple[int, ...]:
    """The places in `regions` of those that lie inside no other one of them."""
    return tuple(
        place
        for place, name in enumerate(regions)
        if not any(parent.name in regions for parent in protocol.ancestors(name))
    )


@dataclass(frozen=True)
class Voice:
    """One network of a model, and its share of the answer; all shares sum to 1."""

    run: Pass
    share: float


def mean_and_spread(
    voices: Sequence[Voice],
    channels: NDArray[np.float32],
    looks: Sequence[Look],
    outer: Sequence[int],
    stride: int,
) -> Looked:
    """The mean answer to `channels` (modalities, I, P, L; multiples of `stride`) over `looks`.

    `voices`: the model's own network, then its members, which take the mirrored look where there
    are any. `looks` are what `looks_named` gives: one or two at all contrasts, then those without
    one. The latter count for the regions at the places `outer` alone: what is inside them is told
    by one contrast or the other, and without it the network guesses. Also twice the standard
    deviation over the answers (0: all alike, 1: half say 0, half say 1), None where there is one
    answer only. Both (regions, I, P, L).
    """
    whole = [look for look in looks if look.without is None]
    partial = [look.without for look in looks if look.without is not None]
    own, *members = voices
    if members:
        asked = [(own, whole[:1]), *((member, whole[1:] or whole) for member in members)]
    else:
        asked = [(own, whole)]
    passes = _Passes(WHOLE * sum(len(ways) for _, ways in asked) + len(partial) * len(voices))
    answers = _Answers()
    for voice, ways in asked:
        for look in ways:
            axes = tuple(axis + 1 for axis in look.mirrored)
            given = np.ascontiguousarray(np.flip(channels, axes))
            found = voice.run(given, *passes.next(WHOLE))
            answers.add(np.flip(found, axes), voice.share / len(ways))
    mean, variance = answers.mean, answers.variance
    if variance is None:
        return mean, None
    if partial:
        without, squares = _without_each(voices, channels, partial, outer, stride, passes)
        share = np.float32(len(partial) / (len(whole) * WHOLE + len(partial)))
        for region, place in enumerate(outer):
            found, moved = without[region], without[region] - mean[place]
            # Within the two groups of looks, and between them. Rounding may go below 0.
            variance[place] *= 1 - share
            variance[place] += share * np.maximum(squares[region] - found * found, 0.0)
            variance[place] += share * (1 - share) * moved * moved
            mean[place] += share * moved
    np.sqrt(variance, out=variance)
    variance *= 2.0
    return mean, np.minimum(variance, 1.0, out=variance)


class _Answers:
    """Mean and variance of weighed answers (regions, I, P, L) as they come.

    In one go for each (West DHD, Commun ACM 22:532, 1979), and region by region in threads: to go
    through the volumes several times takes as long as a coarse pass.
    """

    def __init__(self) -> None:
        self._weight = 0.0
        self.mean: NDArray[np.float32]
        self.variance: NDArray[np.float32] | None = None

    def add(self, answer: NDArray[np.float32], weight: float) -> None:
        if self._weight == 0.0:
            self.mean, self._weight = answer, weight
            return
        if self.variance is None:
            self.mean = np.array(self.mean, order="C")  # the first answer is its engine's
            self.variance = np.zeros(self.mean.shape, np.float32)
        total = self._weight + weight
        share, kept = np.float32(weight / total), np.float32(self._weight / total)

        def update(mean: NDArray[Any], variance: NDArray[Any], found: NDArray[Any]) -> None:
            apart = found - mean
            mean += share * apart
            apart *= apart
            variance += share * apart
            variance *= kept

        with ThreadPoolExecutor() as threads:
            list(threads.map(update, self.mean, self.variance, answer))
        self._weight = total


class _Passes:
    """Tells each pass from which to which share of all of them it goes, by what they cost."""

    def __init__(self, cost: int) -> None:
        self._all, self._done = cost, 0

    def next(self, cost: int) -> tuple[float, float]:
        begin = self._done
        self._done += cost
        return begin / self._all, self._done / self._all


def _without_each(
    voices: Sequence[Voice],
    channels: NDArray[np.float32],
    left_out: Sequence[int],
    regions: Sequence[int],
    stride: int,
    passes: _Passes,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and mean square (regions, I, P, L) of the answers without one channel each.

    On the coarser voxels of a quick look.
    """
    shape = (channels.shape[1], channels.shape[2], channels.shape[3])
    coarse = rescale_all(channels, coarse_shape(shape, stride))
    total = np.zeros((2, len(regions), *coarse.shape[1:]), np.float32)
    for channel in left_out:
        given = coarse.copy()
        given[channel] = 0.0
        for voice in voices:
            weight = np.float32(voice.share / len(left_out))
            found = voice.run(given, *passes.next(1))[list(regions)]
            total[0] += weight * found
            total[1] += weight * found * found
    return rescale_all(total[0], shape), rescale_all(total[1], shape)
