"""Voting: the share of raters, weighted or not, and how well each agrees with the outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..surfaces import Mask
from .result import RaterPerformance, Ties

#: Shares this near a half are ties: weighted sums carry rounding.
_ROUNDING = 1e-9

Says = NDArray[np.bool_]  # axes (rater, ...)


def share(says: Says, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """The share of raters (of their weights) that say yes to each voxel."""
    if weights is None:
        return says.sum(axis=0, dtype=np.uint16) / len(says)
    total = weights.sum()
    if total == 0:  # nobody has a say
        return np.zeros(says.shape[1:])
    return np.tensordot(weights, says, axes=1) / total


def decided(probability: NDArray[np.float64], ties: Ties = "out") -> Mask:
    """Voxels with more than half of the vote; at exactly half `ties` decides."""
    edge = 0.5 - _ROUNDING if ties == "in" else 0.5 + _ROUNDING
    return probability > edge


def measured(
    says: Says, outcome: Mask, weights: NDArray[np.float64] | None = None
) -> list[RaterPerformance]:
    """Sensitivity and specificity of each rater against the outcome, over the voxels given.

    Parameters
    ----------
    says
        Axes (rater, voxel).
    outcome
        Axis (voxel).
    weights
        Of the raters, in any unit; None for equal ones.
    """
    parts = np.ones(len(says)) if weights is None else weights
    parts = parts / parts.sum() if parts.sum() else parts
    yes, no = int(np.count_nonzero(outcome)), int(np.count_nonzero(~outcome))
    found: list[RaterPerformance] = []
    for said, part in zip(says, parts, strict=True):
        hits = int(np.count_nonzero(said & outcome))
        spared = no - (int(np.count_nonzero(said)) - hits)
        found.append(
            RaterPerformance(
                sensitivity=hits / yes if yes else None,
                specificity=spared / no if no else None,
                weight=float(part),
            )
        )
    return found
