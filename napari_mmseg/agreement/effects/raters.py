"""What sets one rater apart from the others: agreement with them (skill), and volume (bias).

Each rater's effect in a model with one level a case and one a rater, summing to zero: the
difference from the mean of all raters on the cases that they share, also when not everybody read
every case. Volume is compared with the raters' own volumes and not with that of the consensus: the
majority of several wavering outlines is smaller than each of them (a bulge that one rater drew is
outvoted), so that against it every rater, biased or not, would seem to draw too much.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .clusters import Floats, fit
from .design import percent, rows_of
from .findings import Effect, Kind, effect
from .readings import ScoredReading


def skill(readings: Sequence[ScoredReading], region: str) -> list[Effect]:
    """By rater: Dice with the majority of the others, minus the mean of all raters."""
    first = [r for r in readings if r.region == region and r.repeat == 0 and r.score is not None]
    return _levels(Kind.SKILL, region, first, np.array([r.score for r in first], np.float64))


def bias(readings: Sequence[ScoredReading], region: str) -> list[Effect]:
    """By rater: volume in percent of the raters' geometric mean, less 100; empty ones left out."""
    first = [r for r in readings if r.region == region and r.repeat == 0 and r.volume_ml > 0]
    logs = np.log(np.array([r.volume_ml for r in first], np.float64))
    return _levels(Kind.BIAS, region, first, logs)


def _levels(kind: Kind, region: str, rows: Sequence[ScoredReading], y: Floats) -> list[Effect]:
    if not rows:
        return []
    table = rows_of(rows)
    count = len(table.raters)
    if count < 2:
        return []
    contrasts = np.eye(count) - 1.0 / count
    found = fit(y, table.rater_columns, table.cases, contrasts)
    told = percent if kind is Kind.BIAS else np.asarray
    made = [
        effect(kind, region, rater, found.estimates[n], found.draws[:, n],
               cases=table.cases_of(n), told=told)
        for n, rater in enumerate(table.raters)
    ]  # fmt: skip
    return [one for one in made if one is not None]
