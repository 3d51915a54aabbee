"""Confidence intervals by bootstrap over cases: cases are drawn with replacement, not voxels.

- percentile: the quantiles of the resampled statistic.
- BCa (bias-corrected and accelerated): the same at levels shifted by the statistic's bias and by
  how its spread depends on its value, from leaving out one case at a time. Efron, Journal of the
  American Statistical Association 82:171, 1987. Where it has no value (all resamples on one side
  of the statistic) the percentile interval stands for it, and `method` says so.

With few cases both are too narrow; below about ten they say little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Method = Literal["bca", "percentile"]

#: Resamplings of the cases, and where their random numbers start.
RESAMPLES = 5000
SEED = 2023

LEVEL = 0.95

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Interval:
    """A statistic over `cases` cases and its confidence interval."""

    value: float
    low: float
    high: float
    cases: int
    level: float = LEVEL
    method: Method = "bca"


def bootstrap(
    sample: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], float | None] | None = None,
    *,
    method: Method = "bca",
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """The interval of a statistic over cases; None with fewer than two, or without a value.

    Parameters
    ----------
    sample
        One value a case, or one row a case (cases, ...). Cases in which anything is missing
        (None, not-a-number) are left out.
    statistic
        From a sample to a number; by default the mean. Resamples for which it is None are drawn
        in vain.
    """
    cases = complete_cases(sample)
    n = len(cases)
    if n < 2:
        return None
    value = _value(cases, statistic)
    if value is None:
        return None
    drawn = np.random.default_rng(seed).integers(0, n, (resamples, n))
    found = _values(cases, drawn, statistic)
    if not found.size:
        return None
    tails = ((1 - level) / 2, (1 + level) / 2)
    used: Method = "percentile"
    if method == "bca":
        left_out = np.array([[i for i in range(n) if i != out] for out in range(n)])
        shifted = _shifted(tails, value, found, _values(cases, left_out, statistic))
        if shifted is not None:
            tails, used = shifted, "bca"
    low, high = np.quantile(found, tails)
    return Interval(value, float(low), float(high), n, level, used)


def complete_cases(sample: ArrayLike) -> NDArray[np.float64]:
    """The rows in which nothing is missing."""
    rows = np.asarray(sample, np.float64)
    missing = np.isnan(rows).any(axis=tuple(range(1, rows.ndim)))
    return rows[~missing]


def _value(cases: NDArray[np.float64], statistic: Callable[[Any], Any] | None) -> float | None:
    value = cases.mean() if statistic is None else statistic(cases)
    return None if value is None or np.isnan(value) else float(value)


def _values(
    cases: NDArray[np.float64], chosen: NDArray[Any], statistic: Callable[[Any], Any] | None
) -> NDArray[np.float64]:
    """The statistic of each row of chosen cases."""
    if statistic is None and cases.ndim == 1:
        return np.asarray(cases[chosen].mean(axis=1))
    found = (_value(cases[row], statistic) for row in chosen)
    return np.array([value for value in found if value is not None])


def _shifted(
    tails: tuple[float, float],
    value: float,
    found: NDArray[np.float64],
    left_out: NDArray[np.float64],
) -> tuple[float, float] | None:
    """The levels that BCa takes instead of `tails`; None where it has none."""
    below = float(np.mean(found < value) + np.mean(found <= value)) / 2
    away = left_out.mean() - left_out
    if not 0 < below < 1 or not away.any():
        return None
    bias = _NORMAL.inv_cdf(below)
    acceleration = float((away**3).sum() / (6 * (away**2).sum() ** 1.5))
    levels = []
    for tail in tails:
        z = bias + _NORMAL.inv_cdf(tail)
        levels.append(_NORMAL.cdf(bias + z / (1 - acceleration * z)))
    return levels[0], levels[1]
