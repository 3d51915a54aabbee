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

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..models import Card
from ..models.appearance import Appearance
from .components import drop_dim_components, drop_doubtful_components
from .mixture import DOUBT, Mixture, fit_mixture
from .prepare import Box, bounding_box, quantise

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

#: Nor is what lies this near to the brain's edge (voxels) told to be normal tissue: dura, veins
#: and what a skull-stripping left take up contrast medium too, and can be brighter than a tumour.
_RIM = 5

#: With fewer voxels than this further inside, the rim is looked at after all.
_FEWEST_NORMAL = 500

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
    _nest(moved)
    box = _grown(bounding_box(doubtful), doubtful.shape)
    contrasts = channels[(used, *box)]
    inside = moved[(slice(None), *box)].copy()
    near = _near(inside[0] >= card.thresholds[first])
    brain = np.asarray(contrasts.any(axis=0))
    # Places in the flat box, not a mask, which would be gone through at every use.
    where = np.flatnonzero((near | (inside[0] > DOUBT)) & brain)
    values = np.stack([_at(contrast, where) for contrast in contrasts], axis=1)
    said = np.stack([_at(region, where) for region in inside])
    own = np.empty_like(said)
    for power in sorted(set(told.powers)):
        check()
        prior = tissues(said if power == 1.0 else said**power)
        mixture = fit_mixture(values, prior, told.gaussians, LEAST_VOXELS)
        if not mixture.knows(0):
            return probabilities
        check()
        judged = [number for number, mine in enumerate(told.powers) if mine == power]
        # The outermost region can grow; the others stay where it may be.
        some = np.ones(len(values), bool) if 0 in judged else said[0] > DOUBT
        likelihoods = _smoothed(_likelihoods(mixture, values[some]), where[some], brain.shape)
        check()
        answer = weighed(tissues(said[:, some]), likelihoods, told)
        for number in judged:
            own[number] = 0.0
            own[number, some] = answer[number]
    # Whatever they were judged by: all lie in the outermost, and each holds those inside it.
    np.minimum(own, own[0], out=own)
    own = np.maximum.accumulate(own[::-1], axis=0)[::-1]
    parts = moved[(slice(None), *box)]
    place = np.unravel_index(where, brain.shape)
    for part, found in zip(parts, own, strict=True):
        part[place] = found
    normal = _without_rim(near & (inside[0] < 1.0 - _NORMAL), brain)
    _subdue(parts, inside, channels[(slice(None), *box)], normal, card)
    return moved


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


def _nest(regions: Floats) -> None:
    """Cut each of the regions (regions, I, P, L) down to the one before, in place."""
    for outer, inner in pairwise(regions):  # accumulate takes ten times as long on this axis
        np.minimum(inner, outer, out=inner)


def _from_inside(tissue_shares: Floats) -> Floats:
    """Tissues (tissues, n), each with all those inside it added."""
    return np.asarray(np.cumsum(tissue_shares[::-1], axis=0)[::-1])


def _near(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`mask` (I, P, L) and the cubes of `REACH` around its voxels."""
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(mask.view(np.uint8), 2 * REACH + 1) > 0)


def _without_rim(normal: NDArray[np.bool_], brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`normal` (I, P, L) where it is not within `_RIM` voxels of the brain's edge.

    The box of the volumes may cut through the brain: its sides are no edge.
    """
    import fill_voids
    from scipy.ndimage import minimum_filter

    # Single voxels inside may be exactly 0 after normalisation.
    filled = fill_voids.fill(brain).view(np.uint8)
    deep: NDArray[np.bool_] = normal & (minimum_filter(filled, 2 * _RIM + 1, mode="nearest") > 0)
    return deep if np.count_nonzero(deep) >= _FEWEST_NORMAL else normal


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


def _subdue(
    moved: Floats, nested: Floats, channels: Floats, normal: NDArray[np.bool_], card: Card
) -> None:
    """Lower, in place, pieces that the network nowhere believed in or that look wrong.

    They end below half of the threshold, and who asks for so little sees them. `normal`
    (I, P, L) is the tissue that a region's brightness is compared with.
    """
    told = card.appearance
    assert told is not None
    for number, region in enumerate(card.regions):
        threshold = card.thresholds[region]
        mask = kept = moved[number] >= threshold
        if peak := card.peaks.get(region, 0.0):
            kept = drop_doubtful_components(kept, quantise(nested[number]), round(peak * 255))
        possible = kept
        for looks in told.brighter.get(region, ()):
            image = channels[card.channels.index(looks.modality)]
            seen = image != 0
            if looks.minus is not None:
                other = channels[card.channels.index(looks.minus)]
                image, seen = image - other, seen & (other != 0)
            if (seen := seen & normal).any():
                least = np.percentile(image[seen], looks.percentile)
                kept = drop_dim_components(kept, image, float(least))
        if kept is not possible and region in told.sure:
            kept = kept | drop_dim_components(possible, nested[number], told.sure[region])
        moved[number][mask & ~kept] *= 0.5 * threshold
    _nest(moved)


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
