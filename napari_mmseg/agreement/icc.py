"""Intraclass correlation of what raters measure (volumes, say) over cases.

Both are of single measurements and from a two-way analysis of variance without repeats, cases by
raters, after Shrout and Fleiss, Psychological Bulletin 86:420, 1979:

- ICC(2,1), absolute agreement: the raters are a sample of possible raters, and one who always
  draws larger than another disagrees.
- ICC(3,1), consistency: these raters and no others; constant differences between them do not count.

Intervals are from F distributions, as there and in McGraw and Wong, Psychological Methods 1:30,
1996. They suppose normal errors: for skewed volumes take the bootstrap (`intervals`) or logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .intervals import LEVEL, complete_cases

Kind = Literal["2,1", "3,1"]


@dataclass(frozen=True)
class Icc:
    """An intraclass correlation with its interval, from `cases` by `raters`."""

    kind: Kind
    value: float
    low: float
    high: float
    cases: int
    raters: int
    level: float = LEVEL


@dataclass(frozen=True)
class _Variance:
    """Mean squares between cases, between raters and of what is left."""

    between_cases: float
    between_raters: float
    residual: float
    n: int
    k: int

    @property
    def free(self) -> int:
        """Degrees of freedom of the residual."""
        return (self.n - 1) * (self.k - 1)


def icc(table: ArrayLike, kind: Kind = "2,1", *, level: float = LEVEL) -> Icc | None:
    """ICC of a table (cases, raters); None where it has none.

    Cases that not every rater measured (not-a-number) are left out. There is no value with fewer
    than two cases or raters, or when nothing varies.
    """
    rows = complete_cases(table)
    if rows.ndim != 2 or min(rows.shape) < 2:
        return None
    found = _analyse(rows)
    value = _absolute(found) if kind == "2,1" else _consistency(found)
    if value is None:
        return None
    tail = (1 + level) / 2
    low, high = (
        _absolute_interval(found, value, tail)
        if kind == "2,1"
        else _consistency_interval(found, tail)
    )
    return Icc(kind, value, low, high, found.n, found.k, level)


def _analyse(rows: np.ndarray) -> _Variance:
    n, k = rows.shape
    mean = rows.mean()
    cases = rows.mean(axis=1) - mean
    raters = rows.mean(axis=0) - mean
    left = rows - mean - cases[:, None] - raters[None]
    # What is left of equal numbers by rounding would pass for a variance.
    rounding = (np.finfo(float).eps * max(float(np.abs(rows).max()), 1e-300)) ** 2 * rows.size
    squares = (k * (cases**2).sum(), n * (raters**2).sum(), (left**2).sum())
    clean = [0.0 if s <= rounding else float(s) for s in squares]
    return _Variance(clean[0] / (n - 1), clean[1] / (k - 1), clean[2] / ((n - 1) * (k - 1)), n, k)


def _absolute(of: _Variance) -> float | None:
    raters = of.k * (of.between_raters - of.residual) / of.n
    return _ratio(
        of.between_cases - of.residual, of.between_cases + (of.k - 1) * of.residual + raters
    )


def _consistency(of: _Variance) -> float | None:
    return _ratio(of.between_cases - of.residual, of.between_cases + (of.k - 1) * of.residual)


def _consistency_interval(of: _Variance, tail: float) -> tuple[float, float]:
    from scipy.special import fdtri

    down = fdtri(of.n - 1, of.free, tail) * of.residual
    up = fdtri(of.free, of.n - 1, tail) * of.between_cases
    low = (of.between_cases - down) / (of.between_cases + (of.k - 1) * down)
    high = (up - of.residual) / (up + (of.k - 1) * of.residual)
    return float(low), float(high)


def _absolute_interval(of: _Variance, value: float, tail: float) -> tuple[float, float]:
    """With the degrees of freedom of Satterthwaite's approximation."""
    from scipy.special import fdtri

    if of.between_raters == of.residual == 0:
        return 1.0, 1.0
    n, k = of.n, of.k
    whole = n * (1 + (k - 1) * value) - k * value
    raters, rest = k * value * of.between_raters, whole * of.residual
    free = of.free * (raters + rest) ** 2 / ((n - 1) * raters**2 + rest**2)
    down, up = fdtri(n - 1, free, tail), fdtri(free, n - 1, tail)
    error = k * of.between_raters + (k * n - k - n) * of.residual
    cases = n * of.between_cases
    low = (cases - n * down * of.residual) / (down * error + cases)
    high = (up * cases - n * of.residual) / (error + up * cases)
    return float(low), float(high)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
