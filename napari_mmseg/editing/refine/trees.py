"""A small forest that learns from scribbles within the time of a key press.

Extremely randomised trees (Geurts et al., Machine Learning 63, 2006) in their oblivious form
(Kohavi, ECML 1994): all nodes of a level ask the same question, so a tree of depth d is d
comparisons of whole arrays and one look-up. That predicts a 64^3 box as fast as scikit-learn does,
whose import alone takes longer than a refinement may (1.3 s of processor time, measured).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TREES = 30
DEPTH = 7

#: Questions drawn by lot at each level, of which the best is kept.
CANDIDATES = 10

#: Each leaf begins with this weight of samples that are half inside.
LEAF_PRIOR = 0.5


@dataclass(frozen=True, eq=False)
class Forest:
    """Questions and answers of the trees.

    Parameters
    ----------
    features, thresholds
        (trees, depth): level l asks whether feature f is above the threshold.
    leaves
        (trees, 2^depth): the probability of being inside, by the answers read as a binary number.
    """

    features: NDArray[np.intp]
    thresholds: NDArray[np.float32]
    leaves: NDArray[np.float32]

    def probability(self, bank: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of the trees' answers for `bank` (features, *shape): (*shape)."""
        depth = self.features.shape[1]
        shape = bank.shape[1:]
        total = np.zeros(shape, dtype=np.float32)
        leaf = np.empty(shape, dtype=np.uint16 if depth > 8 else np.uint8)
        answer = np.empty(shape, dtype=bool)
        for asked, limits, leaves in zip(self.features, self.thresholds, self.leaves, strict=True):
            leaf[...] = 0
            for feature, limit in zip(asked, limits, strict=True):
                np.greater(bank[feature], limit, out=answer)
                np.left_shift(leaf, 1, out=leaf)
                np.bitwise_or(leaf, answer.view(np.uint8), out=leaf)
            total += leaves.take(leaf)
        total /= len(self.leaves)
        return total


def grow(
    samples: NDArray[np.float32],
    inside: NDArray[np.bool_],
    weights: NDArray[np.float32],
    seed: int = 0,
    trees: int = TREES,
) -> Forest:
    """The forest that tells samples inside from those outside.

    Parameters
    ----------
    samples
        (features, samples).
    inside, weights
        (samples,); both classes should weigh alike. The same seed grows the same forest.
    """
    rng = np.random.default_rng(seed)
    grown = [_tree(samples, inside, weights, rng) for _ in range(trees)]
    features, thresholds, leaves = (np.stack(part) for part in zip(*grown, strict=True))
    return Forest(features, thresholds, leaves)


def _tree(
    samples: NDArray[np.float32],
    inside: NDArray[np.bool_],
    weights: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    count = samples.shape[1]
    positive = np.where(inside, weights, 0).astype(np.float64)
    leaf = np.zeros(count, dtype=np.intp)
    features, thresholds = np.zeros(DEPTH, dtype=np.intp), np.zeros(DEPTH, dtype=np.float32)
    for level in range(DEPTH):
        asked = rng.integers(0, len(samples), CANDIDATES)
        values = samples[asked]
        low, high = values.min(axis=1), values.max(axis=1)
        # Between two samples' values as often as uniformly: long tails would waste uniform draws.
        pair = np.take_along_axis(values, rng.integers(0, count, (CANDIDATES, 2)), axis=1)
        limits = np.where(
            rng.random(CANDIDATES) < 0.5,
            low + (high - low) * rng.random(CANDIDATES),
            pair.mean(axis=1),
        ).astype(np.float32)
        bins = 2 << level
        answers = 2 * leaf + (values > limits[:, None])
        flat = (answers + bins * np.arange(CANDIDATES)[:, None]).ravel()
        size = bins * CANDIDATES
        total = np.bincount(flat, np.tile(weights, CANDIDATES), size).reshape(CANDIDATES, bins)
        good = np.bincount(flat, np.tile(positive, CANDIDATES), size).reshape(CANDIDATES, bins)
        impurity = (good * (total - good) / np.maximum(total, 1e-9)).sum(axis=1)
        best = int(np.argmin(impurity))
        features[level], thresholds[level], leaf = asked[best], limits[best], answers[best]
    total = np.bincount(leaf, weights, 1 << DEPTH)
    good = np.bincount(leaf, positive, 1 << DEPTH)
    share = (good + LEAF_PRIOR / 2) / (total + LEAF_PRIOR)
    return features, thresholds, share.astype(np.float32)
