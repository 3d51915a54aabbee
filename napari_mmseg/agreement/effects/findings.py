"""An estimated effect with its interval, and when it is called real.

Interval: percentiles of the bootstrap, widened as Hesterberg says for few cases (What Teachers
Should Know About the Bootstrap, Am Stat 2015, "expanded percentile"), so that for a mean it is as
wide as Student's. P: Student's t of the estimate over the bootstrap's standard error. An effect is
called real when its p, corrected by Holm (Scand J Stat 1979) among all effects of the study (all
kinds, raters and regions), is below 0.05 and its interval leaves zero out: of the studies in which
nothing is to be found, one in twenty finds something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from .clusters import Floats

LEVEL = 0.05

#: Fewer cases than this allow an estimate and no interval.
FEWEST_CASES = 6

#: Drawings in which an effect could be estimated, at least, of all.
_FEWEST_DRAWN = 0.9


class Kind(StrEnum):
    """What an effect is about."""

    SKILL = "skill"
    BIAS = "bias"
    ANCHORING = "anchoring"
    DRIFT = "drift of agreement"
    VOLUME_DRIFT = "drift of volume"
    EFFORT = "effort"


#: What the estimate of each kind is, for tables and methods.
MEANING = {
    Kind.SKILL: ("Dice", "Dice with the majority of the others, minus the mean of all raters"),
    Kind.BIAS: ("%", "volume against the geometric mean of all raters"),
    Kind.ANCHORING: ("Dice", "Dice with the model's proposal, shown minus hidden"),
    Kind.DRIFT: ("Dice per 10 readings", "change of Dice with the majority of the others"),
    Kind.VOLUME_DRIFT: ("% per 10 readings", "change of volume"),
    Kind.EFFORT: ("Dice per doubling", "change of Dice with the others when time doubles"),
}


@dataclass(frozen=True)
class Effect:
    """One answer; `rater` is None where it is about all of them.

    `low` and `high` are the 95 % interval, `p` is without and `p_holm` with the correction; all
    are None where there are too few cases.
    """

    kind: Kind
    region: str
    rater: str | None
    estimate: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    cases: int = 0

    @property
    def unit(self) -> str:
        return MEANING[self.kind][0]

    @property
    def is_real(self) -> bool:
        if self.p_holm is None or self.low is None or self.high is None:
            return False
        return self.p_holm < LEVEL and not self.low <= 0 <= self.high

    def facts(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "kind": str(self.kind), "unit": self.unit, "is_real": self.is_real}


def effect(
    kind: Kind,
    region: str,
    rater: str | None,
    estimate: float,
    draws: Floats,
    *,
    cases: int,
    spent: int = 1,
    told: Callable[[Floats], Floats] = lambda values: values,
) -> Effect | None:
    """An effect with its interval; None where the readings cannot tell.

    Parameters
    ----------
    estimate, draws
        From a `clusters.Fit`, on a scale where zero is no effect.
    cases
        How many of them it rests on.
    spent
        Coefficients that these cases were spent on.
    told
        To the scale that is reported (rising, zero stays zero), such as percent.
    """
    if not np.isfinite(estimate):
        return None
    reported = float(told(np.array([estimate]))[0])
    plain = Effect(kind, region, rater, reported, cases=cases)
    spread = spread_of(estimate, draws, cases - spent, cases)
    if spread is None:
        return plain
    low, high, p = spread
    ends = told(np.array([low, high]))
    return replace(plain, low=float(ends[0]), high=float(ends[1]), p=p)


def spread_of(
    estimate: float, draws: Floats, freedom: int, cases: int
) -> tuple[float, float, float] | None:
    """The 95 % interval and the p of an estimate; None where there are too few cases."""
    from scipy import stats

    drawn = draws[np.isfinite(draws)]
    if cases < FEWEST_CASES or freedom < 1 or len(drawn) < _FEWEST_DRAWN * len(draws):
        return None
    wider = np.sqrt(cases / freedom)
    tail = float(stats.norm.cdf(-wider * stats.t.ppf(1 - LEVEL / 2, freedom)))
    low, high = np.quantile(drawn, (tail, 1 - tail))
    error = float(drawn.std(ddof=1)) * wider
    if error == 0:
        return float(low), float(high), 1.0 if estimate == 0 else 0.0
    return float(low), float(high), float(2 * stats.t.sf(abs(estimate) / error, freedom))


def corrected(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    """The same effects with p corrected for all of them by Holm's step-down procedure."""
    tested = [n for n, one in enumerate(effects) if one.p is not None]
    order = sorted(tested, key=lambda n: effects[n].p or 0.0)
    result = list(effects)
    highest = 0.0
    for rank, n in enumerate(order):
        highest = max(highest, min(1.0, (effects[n].p or 0.0) * (len(order) - rank)))
        result[n] = replace(effects[n], p_holm=highest)
    return tuple(result)
