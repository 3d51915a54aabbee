"""Least squares with an effect for every case, and its bootstrap over the cases.

Readings of one case are alike (a hard case is hard for all), so cases, not readings, are drawn
again (Field and Welsh, J R Stat Soc B 2007: the cluster bootstrap). A case's own level is taken out
by subtracting its mean: raters are compared on the cases that they share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Drawings of the cases, and where they start.
RESAMPLES = 2000
SEED = 2023

#: A direction that the readings say less about than this (of the best known one) is not known.
_KNOWN_ABOVE = 1e-9
_LEAK = 1e-6


@dataclass(frozen=True)
class Fit:
    """Contrasts of the coefficients: their estimates (K), and those of every drawing (B, K).

    NaN where the readings, or those drawn, cannot tell.
    """

    estimates: Floats
    draws: Floats


def fit(
    y: Floats,
    columns: Floats,
    cases: NDArray[np.int64],
    contrasts: Floats,
    *,
    within_cases: bool = True,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Fit:
    """Estimate `contrasts @ coefficients` of `y = case + columns @ coefficients`.

    Parameters
    ----------
    y
        (N,) what was measured.
    columns
        (N, M) what it may depend on; linear dependence among them is allowed.
    cases
        (N,) the number of the case, from 0.
    contrasts
        (K, M).
    within_cases
        False leaves the cases' own levels in: `y = columns @ coefficients`.
    """
    total = int(cases.max()) + 1 if len(cases) else 0
    x, z = columns.astype(np.float64), y.astype(np.float64)
    if within_cases:
        x, z = _less_case_mean(x, cases, total), _less_case_mean(z[:, None], cases, total)[:, 0]
    width = x.shape[1]
    grams = np.zeros((total, width, width))
    sums = np.zeros((total, width))
    np.add.at(grams, cases, x[:, :, None] * x[:, None, :])
    np.add.at(sums, cases, x * z[:, None])
    random = np.random.default_rng(seed)
    drawn = random.multinomial(total, np.full(total, 1.0 / total), size=resamples)
    weights = np.vstack([np.ones(total), drawn]).astype(np.float64)
    gram = (weights @ grams.reshape(total, -1)).reshape(-1, width, width)
    found = _solve(gram, weights @ sums, contrasts)
    return Fit(found[0], found[1:])


def _less_case_mean(values: Floats, cases: NDArray[np.int64], total: int) -> Floats:
    sums = np.zeros((total, values.shape[1]))
    np.add.at(sums, cases, values)
    counts = np.maximum(np.bincount(cases, minlength=total), 1)
    return np.asarray(values - (sums / counts[:, None])[cases])


def _solve(gram: Floats, sums: Floats, contrasts: Floats) -> Floats:
    """(B, K) contrasts of the least-squares solutions; NaN where a contrast is not estimable."""
    size, vectors = np.linalg.eigh(gram)
    known = size > _KNOWN_ABOVE * np.maximum(size[:, -1:], 1e-300)
    along = contrasts @ vectors  # (B, K, M)
    leak = np.where(known[:, None, :], 0.0, along**2).sum(axis=2)
    inverse = np.where(known, 1.0 / np.where(known, size, 1.0), 0.0)
    projected = np.einsum("bmk,bm->bk", vectors, sums)
    found = np.einsum("bkm,bm->bk", along, inverse * projected)
    return np.where(leak > _LEAK, np.nan, found)
