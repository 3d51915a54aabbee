"""Generalised energy distance: do two groups of segmentations spread in the same way?

D2 = 2 E[d(S, Y)] - E[d(S, S')] - E[d(Y, Y')], with d = 1 - IoU; S and S' are drawn from the one
group, Y and Y' from the other, each with replacement. 0 when both groups are alike, at most 2.
Source: Kohl et al., A probabilistic U-Net, NeurIPS 2018, equation 3.

Two who both see nothing do not differ: d is 0 there, as evaluations on LIDC take it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .surfaces import Mask


def energy_distance(first: Sequence[Mask], second: Sequence[Mask]) -> float:
    """D2 of two groups of masks of one shape: a model's samples and raters, for instance."""
    masks = np.stack([np.ravel(mask) for mask in (*first, *second)])
    masks = masks[:, masks.any(axis=0)].astype(np.float64)
    apart = distance_matrix((masks @ masks.T).astype(np.int64))
    group = np.arange(len(masks)) < len(first)
    return from_distances(apart, group)


def distance_matrix(shared: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 - IoU of all pairs, from how many voxels each two share (the diagonal: each one's own)."""
    own = np.diagonal(shared)
    either = own[:, None] + own[None] - shared
    return 1.0 - np.where(either > 0, shared / np.maximum(either, 1), 1.0)


def from_distances(apart: NDArray[np.float64], group: NDArray[np.bool_]) -> float:
    """D2 between the members of `group` and all others, from the distances of all pairs."""
    between = apart[np.ix_(group, ~group)].mean()
    return float(2 * between - diversity(apart, group) - diversity(apart, ~group))


def diversity(apart: NDArray[np.float64], group: NDArray[np.bool_]) -> float:
    """E[d(Y, Y')] of one group, drawn with replacement: a member may meet itself."""
    return float(apart[np.ix_(group, group)].mean())
