"""Limits of agreement: how far two raters' measurements of one case may lie apart.

Bland and Altman, Lancet 1:307, 1986; intervals of the limits from their Measuring agreement in
method comparison studies, Statistical Methods in Medical Research 8:135, 1999, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .intervals import LEVEL, complete_cases

#: Half the width of the limits in standard deviations: 95 % of normal differences lie within.
LIMITS_SD = 1.96


@dataclass(frozen=True)
class Limits:
    """The mean difference (`bias`), the limits about it, and a confidence interval of each.

    In the unit of the differences; `sd` is the sample's (n - 1).
    """

    bias: float
    sd: float
    low: float
    high: float
    bias_interval: tuple[float, float]
    low_interval: tuple[float, float]
    high_interval: tuple[float, float]
    cases: int
    level: float = LEVEL


def limits_of_agreement(differences: ArrayLike, *, level: float = LEVEL) -> Limits | None:
    """Of one difference a case (missing ones are left out); None with fewer than two."""
    from scipy.special import stdtrit

    sample = complete_cases(differences)
    n = len(sample)
    if n < 2:
        return None
    bias, sd = float(sample.mean()), float(sample.std(ddof=1))
    t = float(stdtrit(n - 1, (1 + level) / 2))
    of_bias = t * sd / n**0.5
    of_limit = t * sd * float(np.sqrt(1 / n + LIMITS_SD**2 / (2 * (n - 1))))
    low, high = bias - LIMITS_SD * sd, bias + LIMITS_SD * sd
    return Limits(
        bias=bias,
        sd=sd,
        low=low,
        high=high,
        bias_interval=(bias - of_bias, bias + of_bias),
        low_interval=(low - of_limit, low + of_limit),
        high_interval=(high - of_limit, high + of_limit),
        cases=n,
        level=level,
    )
