"""What changes an answer: the proposal shown (anchoring), the order (drift), and time (effort).

All are slopes in one model: a level for each case, one for each rater, and the slope, of all
raters together or of each. A slope within cases needs cases that were read in both ways, such as
with the proposal shown to some raters and hidden from others; where no case was, the cases' own
levels stay in, and the interval is wider for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .clusters import Floats, fit
from .design import Rows, percent, rows_of
from .findings import Effect, Kind, effect
from .readings import ScoredReading

#: Drift is told for so many readings.
READINGS = 10.0


def anchoring(readings: Sequence[ScoredReading], region: str) -> list[Effect]:
    """Dice with the model's proposal, shown minus hidden: of all raters, then of each."""
    rows = [
        r
        for r in readings
        if r.region == region and r.proposal_shown is not None and r.proposal_score is not None
    ]
    y = np.array([r.proposal_score for r in rows], np.float64)
    return _slopes(Kind.ANCHORING, region, rows, y, [float(bool(r.proposal_shown)) for r in rows])


def drift(readings: Sequence[ScoredReading], region: str) -> list[Effect]:
    """Change of Dice with the others for every ten readings: of all raters, then of each."""
    rows = [
        r for r in readings if r.region == region and r.order is not None and r.score is not None
    ]
    y = np.array([r.score for r in rows], np.float64)
    return _slopes(Kind.DRIFT, region, rows, y, [(r.order or 0) / READINGS for r in rows])


def volume_drift(readings: Sequence[ScoredReading], region: str) -> list[Effect]:
    """Change of volume in percent for every ten readings: of all raters, then of each."""
    rows = [r for r in readings if r.region == region and r.order is not None and r.volume_ml > 0]
    logs = np.log(np.array([r.volume_ml for r in rows], np.float64))
    x = [(r.order or 0) / READINGS for r in rows]
    return _slopes(Kind.VOLUME_DRIFT, region, rows, logs, x, percent)


def effort(readings: Sequence[ScoredReading], region: str) -> list[Effect]:
    """Change of Dice with the others when a reading takes twice the time, of all raters together.

    Within cases and raters: neither a hard case nor a slow rater counts as effort.
    """
    rows = [r for r in readings if r.region == region and r.score is not None and r.active_s]
    y = np.array([r.score for r in rows], np.float64)
    x = [float(np.log2(r.active_s or 1.0)) for r in rows]
    return _slopes(Kind.EFFORT, region, rows, y, x, by_rater=False)


def effort_rank(readings: Sequence[ScoredReading], region: str) -> float | None:
    """Spearman's correlation of time and Dice with the others, both less their case and rater."""
    from scipy import stats

    rows = [r for r in readings if r.region == region and r.score is not None and r.active_s]
    if len(rows) < 3:
        return None
    table = rows_of(rows)
    levels = np.hstack([table.rater_columns, table.cases[:, None] == np.arange(table.total_cases)])
    both = np.array([[r.score, np.log2(r.active_s or 1.0)] for r in rows], np.float64)
    rest = both - levels @ np.linalg.lstsq(levels, both, rcond=None)[0]
    if rest.std(axis=0).min() < 1e-12:
        return None
    return float(stats.spearmanr(rest[:, 0], rest[:, 1]).statistic)


def _slopes(
    kind: Kind,
    region: str,
    rows: Sequence[ScoredReading],
    y: Floats,
    x: Sequence[float],
    told: Callable[[Floats], Floats] = np.asarray,
    *,
    by_rater: bool = True,
) -> list[Effect]:
    if not rows:
        return []
    table = rows_of(rows)
    centred = table.centred(np.array(x, np.float64))
    within = _varies_within_cases(table, np.array(x, np.float64))
    levels = table.rater_columns
    count = len(table.raters)
    made: list[Effect | None] = []
    for each in (False, True) if by_rater and count > 1 else (False,):
        columns = levels * centred[:, None] if each else centred[:, None]
        contrasts = np.hstack([np.zeros((columns.shape[1], count)), np.eye(columns.shape[1])])
        found = fit(y, np.hstack([levels, columns]), table.cases, contrasts, within_cases=within)
        for n in range(columns.shape[1]):
            rater = table.raters[n] if each else None
            cases = table.cases_of(n) if each else table.total_cases
            made.append(
                effect(kind, region, rater, found.estimates[n], found.draws[:, n],
                       cases=cases, spent=2, told=told)
            )  # fmt: skip
    return [one for one in made if one is not None]


def _varies_within_cases(table: Rows, x: Floats) -> bool:
    low = np.full(int(table.cases.max()) + 1, np.inf)
    high = -low
    np.minimum.at(low, table.cases, x)
    np.maximum.at(high, table.cases, x)
    return bool((high > low).any())
