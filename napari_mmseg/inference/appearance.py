"""A network's answer fitted to how the tissues of the case at hand look.

A network that never saw this scanner tends to find the right places and the wrong edges. Its
answer says roughly which tissue is where; that is enough to learn how each tissue looks in this
very case, and how it looks says where the edges are. A mixture of normal distributions over the
contrasts is fitted by expectation maximisation with the network's answer as the prior of each
voxel (Van Leemput K et al., IEEE Trans Med Imaging 18:897, 1999; Ashburner J, Friston KJ,
NeuroImage 26:839, 2005, whose prior is an atlas), and its likelihoods are weighed against the
network's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models import Card
from ..models.appearance import Appearance
from .mixture import DOUBT, Mixture, fit_mixture
from .prepare import Box, bounding_box
from .subdue import nest, subdue, without_rim

#: The mixture is fitted, and the answer moved, this near to what the network is sure of (voxels).
REACH = 12

#: Voxels of a tissue from which on its look can be learnt.
LEAST_VOXELS = 20

#: Standard deviation of the smoothing of log likelihoods (voxels): single voxels are noise.
SMOOTHING = 0.7

#: The most that intensities add to a logit.
CAP = 6.0

#: Log likelihoods are not lower than the best by more than this.
_FLOOR = -20.0

#: The least prior of a tissue when the network's answer is weighed against the likelihoods.
_LEAST_PRIOR = 0.01

#: The share of normal tissue in a voxel from which on it tells what normal tissue looks like.
_NORMAL = 0.9

Floats = NDArray[np.float32]


def adapted(
    probabilities: Floats, channels: Floats, card: Card, check: Callable[[], None]
) -> Floats:
    """The network's answer moved by what the tissues of the case look like.

    Parameters
    ----------
    probabilities
        (regions, I, P, L) from 0 to 1, each region nested in the one before.
    channels
        (modalities, I, P, L), normalised; 0 outside the brain, all 0 where a modality is missing.
    card
        Of the model. One without `appearance` leaves the answer as it is.
    check
        Called between the steps; raises when the job is cancelled.

    Returns
    -------
    (regions, I, P, L), nested; the input where there is nothing to learn from.
    """
    told = card.appearance
    used = [number for number, channel in enumerate(channels) if channel.any()]
    if told is None or not used:
        return probabilities
    doubtful = probabilities[0] > DOUBT
    first = card.regions[0]
    if np.count_nonzero(probabilities[0] >= card.thresholds[first]) < LEAST_VOXELS:
        return probabilities
    moved = probabilities.copy()
    nest(moved)
    box = _grown(bounding_box(doubtful), doubtful.shape)
    contrasts = channels[(used, *box)]
    inside = moved[(slice(None), *box)].copy()
    near = _near(inside[0] >= card.thresholds[first])
    brain = np.asarray(contrasts.any(axis=0))
    # Places in the flat box, not a mask, which would be gone through at every use.
    where = np.flatnonzero((near | (inside[0] > DOUBT)) & brain)
    seen = _Voxels(
        where=where,
        shape=brain.shape,
        said=np.stack([_at(region, where) for region in inside]),
        values=np.stack([_at(contrast, where) for contrast in contrasts], axis=1),
    )
    sparse = [
        (card.regions.index(region), way)
        for region, way in told.sparse.items()
        if card.channels.index(way.seen_in) in used
    ]
    ways = (told, *(told.where_sparse(*each) for each in sparse))
    looks: dict[float, _Looks] = {}
    for power in sorted({power for way in ways for power in way.powers}):
        check()
        # The outermost region can grow; the others stay where it may be.
        grows = any(way.powers[0] == power for way in ways)
        learnt = seen.looks(power, grows, told.gaussians, check)
        if learnt is None:
            return probabilities
        looks[power] = learnt
    check()
    place = np.unravel_index(where, brain.shape)
    normal = without_rim(near & (inside[0] < 1.0 - _NORMAL), brain)

    def answered(way: Appearance) -> Floats:
        found = inside.copy()
        for part, judged in zip(found, seen.judged(looks, way), strict=True):
            part[place] = judged
        subdue(found, inside, channels[(slice(None), *box)], normal, card)
        return found

    found = answered(told)
    for number, way in sparse:
        outer, inner = (
            np.count_nonzero(found[n] >= card.thresholds[card.regions[n]])
            for n in (number, number + 1)
        )
        if outer and (weight := way.weight(inner / outer)) > 0.0:
            check()
            other = answered(told.where_sparse(number, way))
            found += np.float32(weight) * (other - found)
    moved[(slice(None), *box)] = found
    return moved


@dataclass(frozen=True, eq=False)
class _Looks:
    """Log likelihoods (1 + regions, m) of those `m` of the voxels (n,) that `some` marks."""

    some: NDArray[np.bool_]
    likelihoods: Floats


@dataclass(frozen=True, eq=False)
class _Voxels:
    """The voxels that are looked at: `n` flat places `where` in a box of `shape`.

    `said`: what the network says of them (regions, n); `values`: their contrasts (n, contrasts).
    """

    where: NDArray[np.intp]
    shape: tuple[int, ...]
    said: Floats
    values: Floats

    def looks(
        self, power: float, grows: bool, gaussians: tuple[int, ...], check: Callable[[], None]
    ) -> _Looks | None:
        """How tissues look by the network's answer to that power; None where that cannot be told.

        `grows`: of all voxels, not only of those where the outermost region may be.
        """
        prior = tissues(self.said if power == 1.0 else self.said**power)
        mixture = fit_mixture(self.values, prior, gaussians, LEAST_VOXELS)
        if not mixture.knows(0):
            return None
        check()
        some = np.ones(len(self.values), bool) if grows else self.said[0] > DOUBT
        found = _likelihoods(mixture, self.values[some])
        return _Looks(some, _smoothed(found, self.where[some], self.shape))

    def judged(self, looks: Mapping[float, _Looks], told: Appearance) -> Floats:
        """Regions (regions, n), nested, from what the network says and how tissues look."""
        own = np.zeros_like(self.said)
        for power in set(told.powers):
            some, likelihoods = looks[power].some, looks[power].likelihoods
            answer = weighed(tissues(self.said[:, some]), likelihoods, told)
            for number, mine in enumerate(told.powers):
                if mine == power:
                    own[number, some] = answer[number]
        # Whatever they were judged by: all lie in the outermost, and each holds those inside it.
        np.minimum(own, own[0], out=own)
        return np.asarray(np.maximum.accumulate(own[::-1], axis=0)[::-1])


def tissues(nested: Floats) -> Floats:
    """From nested regions (regions, n) to the tissues (1 + regions, n) that exclude each other.

    The first is outside all regions, each other one a region without its child.
    """
    edges = np.concatenate([np.ones_like(nested[:1]), nested, np.zeros_like(nested[:1])])
    return np.asarray(edges[:-1] - edges[1:])


def weighed(prior: Floats, likelihoods: Floats, told: Appearance) -> Floats:
    """Regions (regions, n) from tissues' priors and log likelihoods (both 1 + regions, n).

    Region by region from the outside in, given its parent: the logit of the network plus a share
    of the log likelihood ratio of all tissues inside to the tissue around.
    """
    # What a tissue's prior and look say together; likelihoods lie within exp's reach.
    shares = np.maximum(prior, _LEAST_PRIOR) * np.exp(likelihoods)
    within = _from_inside(prior)
    found = np.empty((len(prior) - 1, prior.shape[1]), dtype=np.float32)
    parent = np.ones(prior.shape[1], dtype=np.float32)
    for number, (weight, offset) in enumerate(zip(told.weights, told.offsets, strict=True)):
        inner = np.log(shares[number + 1 :].sum(axis=0) / np.maximum(within[number + 1], DOUBT))
        evidence = np.clip(weight * (inner - likelihoods[number]), -CAP, CAP)
        given = _logit(within[number + 1] / np.maximum(within[number], 1e-3))
        parent = parent * _squashed(given + evidence + offset)
        found[number] = parent
    return found


def _from_inside(tissue_shares: Floats) -> Floats:
    """Tissues (tissues, n), each with all those inside it added."""
    return np.asarray(np.cumsum(tissue_shares[::-1], axis=0)[::-1])


def _near(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`mask` (I, P, L) and the cubes of `REACH` around its voxels."""
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(mask.view(np.uint8), 2 * REACH + 1) > 0)


def _likelihoods(mixture: Mixture, values: Floats) -> Floats:
    """Log likelihoods (tissues, n) below the best tissue's; a tissue unknown looks as around it."""
    found = mixture.log_likelihoods(values)
    for number in range(1, len(found)):
        if not mixture.knows(number):
            found[number] = found[number - 1]
    found -= found.max(axis=0)
    return np.maximum(found, _FLOOR, out=found)


def _at(volume: Floats, where: NDArray[np.intp]) -> Floats:
    """`volume` (I, P, L) at flat places (n,): (n,)."""
    return np.asarray(volume.ravel()[where])


def _smoothed(values: Floats, where: NDArray[np.intp], shape: tuple[int, ...]) -> Floats:
    """`values` (maps, n) smoothed within the flat places `where` (n,) of a box of `shape`."""
    from scipy.ndimage import gaussian_filter

    def smooth(inside: Floats) -> Floats:
        whole = np.zeros(shape, dtype=np.float32)
        whole.ravel()[where] = inside
        return _at(gaussian_filter(whole, SMOOTHING, truncate=3.0), where)

    with ThreadPoolExecutor() as threads:
        weight, *maps = threads.map(smooth, [np.ones_like(values[0]), *values])
    return np.stack(maps) / weight


def _grown(box: Box | None, shape: tuple[int, ...]) -> Box:
    assert box is not None
    a, b, c = (
        slice(max(0, side.start - REACH), min(n, side.stop + REACH))
        for side, n in zip(box, shape, strict=True)
    )
    return a, b, c


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-4, 1.0 - 1e-4)
    return np.asarray(np.log(clipped / (1.0 - clipped)), dtype=np.float32)


def _squashed(logit: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logit)), dtype=np.float32)
