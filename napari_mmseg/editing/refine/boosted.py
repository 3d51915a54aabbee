"""Trees that each put right what those before got wrong: slower to learn than `trees`, and closer.

Stochastic gradient boosting of the logistic loss (Friedman, Annals of Statistics 29:1189, 2001;
Computational Statistics & Data Analysis 38:367, 2002) with second-order leaves (Chen and Guestrin,
KDD 2016) on binned features, in oblivious trees (Prokhorenkova et al., NeurIPS 2018): all nodes of
a level ask the same question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROUNDS = 150
DEPTH = 6

#: How much of each tree's answer is added.
RATE = 0.15

#: Thresholds of a feature lie between so many parts with as many samples each.
BINS = 32

#: Each tree sees so many of the samples, and this share of the features, drawn by lot.
SEEN, SEEN_FEATURES = 4000, 0.5

#: Pulls the leaves towards no answer.
PULL = 1.0

#: No more trees are grown when the samples are told apart so well (mean error of probability).
SURE = 0.01

_LEAST_CURVATURE = 1e-6


@dataclass(frozen=True, eq=False)
class Boosted:
    """Questions of the trees and what they add to the log odds.

    Parameters
    ----------
    features, thresholds
        (trees, depth): level l asks whether feature f is above the threshold.
    leaves
        (trees, 2^depth): by the answers read as a binary number.
    bias
        The log odds before any question.
    """

    features: NDArray[np.intp]
    thresholds: NDArray[np.float32]
    leaves: NDArray[np.float32]
    bias: float

    def probability(self, bank: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of being inside, for `bank` (features, *shape): (*shape)."""
        shape = bank.shape[1:]
        odds = np.full(shape, self.bias, dtype=np.float32)
        leaf = np.empty(shape, dtype=np.uint8)
        answer = np.empty(shape, dtype=bool)
        for asked, limits, leaves in zip(self.features, self.thresholds, self.leaves, strict=True):
            leaf[...] = 0
            for feature, limit in zip(asked, limits, strict=True):
                np.greater(bank[feature], limit, out=answer)
                np.left_shift(leaf, 1, out=leaf)
                np.bitwise_or(leaf, answer.view(np.uint8), out=leaf)
            odds += leaves.take(leaf)
        return np.asarray(_squashed(odds))


def boost(
    samples: NDArray[np.float32],
    inside: NDArray[np.bool_],
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Boosted:
    """Trees that tell samples (features, samples) `inside` (samples,) from those outside.

    There must be some of both. The same seed grows the same trees.
    """
    rng = np.random.default_rng(seed)
    count = inside.size
    limits = np.quantile(samples, np.arange(1, BINS) / BINS, axis=1).T.astype(np.float32)
    binned = np.stack([np.searchsorted(at, row) for at, row in zip(limits, samples, strict=True)])
    share = float(inside.mean())
    bias = float(np.log(share / (1 - share)))
    odds = np.full(count, bias)
    width = max(1, round(SEEN_FEATURES * len(samples)))
    features: list[NDArray[np.intp]] = []
    thresholds: list[NDArray[np.float32]] = []
    leaves: list[NDArray[np.float32]] = []
    for _ in range(rounds):
        seen = rng.choice(count, SEEN, replace=False) if count > SEEN else np.arange(count)
        columns = rng.choice(len(samples), width, replace=False)
        probability = _squashed(odds)
        slope = inside - probability
        curvature = np.maximum(probability * (1 - probability), _LEAST_CURVATURE)
        asked, at, answers = _tree(binned[np.ix_(columns, seen)], slope[seen], curvature[seen])
        features.append(columns[asked])
        thresholds.append(limits[columns[asked], at])
        leaves.append((RATE * answers).astype(np.float32))
        leaf = np.zeros(count, dtype=np.intp)
        for feature, cut in zip(columns[asked], at, strict=True):
            leaf = 2 * leaf + (binned[feature] > cut)
        odds += leaves[-1][leaf]
        if np.abs(inside - _squashed(odds)).mean() < SURE:
            break
    return Boosted(np.stack(features), np.stack(thresholds), np.stack(leaves), bias)


def _tree(
    binned: NDArray[np.intp], slope: NDArray[np.float64], curvature: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Rows of `binned` (features, samples) asked and the bins cut at, by level; the leaves."""
    width, count = binned.shape
    cells = binned + BINS * np.arange(width)[:, None]
    slopes, curvatures = np.tile(slope, width), np.tile(curvature, width)
    leaf = np.zeros(count, dtype=np.intp)
    asked, cuts = np.zeros(DEPTH, dtype=np.intp), np.zeros(DEPTH, dtype=np.intp)
    for level in range(DEPTH):
        shape = (1 << level, width, BINS)
        size = shape[0] * width * BINS
        flat = (cells + width * BINS * leaf).ravel()
        pull = np.bincount(flat, slopes, size).reshape(shape).cumsum(axis=2)
        mass = np.bincount(flat, curvatures, size).reshape(shape).cumsum(axis=2) + PULL
        below, above = pull[..., :-1], pull[..., -1:] - pull[..., :-1]
        gain = below**2 / mass[..., :-1] + above**2 / (mass[..., -1:] - mass[..., :-1] + PULL)
        best = np.unravel_index(int(gain.sum(axis=0).argmax()), (width, BINS - 1))
        asked[level], cuts[level] = best
        leaf = 2 * leaf + (binned[asked[level]] > cuts[level])
    pulled = np.bincount(leaf, slope, 1 << DEPTH)
    return asked, cuts, pulled / (np.bincount(leaf, curvature, 1 << DEPTH) + PULL)


def _squashed(odds: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(1 / (1 + np.exp(-odds)))
