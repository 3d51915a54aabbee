"""SIMPLE: vote, judge the raters by the outcome, leave out the worst, vote again.

After Langerak et al., "Label fusion in atlas-based segmentation using a selective and iterative
method for performance level estimation (SIMPLE)", IEEE Trans Med Imaging 29(12), 2010: a majority
first; then each rater's performance is the Dice with the present estimate, those below the mean
minus `SPREADS` standard deviations are left out, and the others vote weighted by their
performance, until nothing changes. The constants are our choice. Two guards are ours: `FEWEST`
raters always stay, and nobody is left out who is within `LEAST_GAP` of the mean, since in a panel
that is nearly of one mind somebody always is one standard deviation below it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .votes import Says, decided, share

#: How many standard deviations of Dice below the mean a rater is left out.
SPREADS = 1.0

#: So near the mean (Dice) a rater always stays.
LEAST_GAP = 0.05

#: So many raters always stay; with fewer the outcome cannot tell who is wrong.
FEWEST = 3

#: Weighted votes may come to swing between two outcomes.
MOST_ROUNDS = 50


def simple(says: Says) -> NDArray[np.float64]:
    """The weight of each rater: the Dice with the outcome, 0 for those who were left out.

    Parameters
    ----------
    says
        Axes (rater, voxel), at least `FEWEST` raters; voxels that nobody marked change nothing.
    """
    kept = np.ones(len(says), dtype=bool)
    outcome = decided(share(says))
    weights = np.ones(len(says))
    for _ in range(MOST_ROUNDS):
        scores = _dice(says, outcome)
        leaving = _worst(scores, kept)
        kept &= ~leaving
        weights = np.where(kept, scores, 0.0)
        before, outcome = outcome, decided(share(says, weights))
        if not leaving.any() and bool((before == outcome).all()):
            break
    return weights


def _worst(scores: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who has to leave now, the worst first as long as enough stay."""
    mean, spread = scores[kept].mean(), scores[kept].std()
    below = kept & (scores < mean - SPREADS * spread) & (scores < mean - LEAST_GAP)
    room = int(np.count_nonzero(kept)) - FEWEST
    leaving = np.zeros_like(kept)
    for rater in np.flatnonzero(below)[np.argsort(scores[below], kind="stable")][: max(room, 0)]:
        leaving[rater] = True
    return leaving


def _dice(says: Says, outcome: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Dice of each rater with the outcome; an empty mask agrees fully with an empty outcome."""
    both = np.count_nonzero(says & outcome, axis=1)
    sizes = np.count_nonzero(says, axis=1) + np.count_nonzero(outcome)
    return np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), 1.0)
