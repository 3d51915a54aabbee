"""A rater against themself: cases that came back under another name.

The within-rater standard deviation is that of two readings of one case, sqrt(mean d^2 / 2), on
logarithms of volume, so it is told in percent; 95 % of differences lie within 1.96 sqrt(2) of it
(the repeatability coefficient: Bland and Altman, Stat Methods Med Res 1999). Its interval is the
chi-square's: repeats are too few for a bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .clusters import RESAMPLES, SEED
from .findings import LEVEL, spread_of
from .readings import RepeatedReading

#: Half the width of the range of 95 % of all differences, in standard deviations.
_NORMAL_95 = 1.96


@dataclass(frozen=True)
class Repeatability:
    """How far one rater (None: all together) agrees with themself in one region.

    `dice` is the mean of the repeated cases with its interval; `volume_sd` the within-rater
    standard deviation in percent, with its interval; `repeatability` what 95 % of differences
    between two readings stay below, in percent. None where nothing can be told.

    Of all `pairs` of readings only `dice_pairs` have a Dice (the region is not empty in both) and
    only `volume_pairs` a ratio of volumes (it is empty in neither).
    """

    region: str
    rater: str | None
    pairs: int
    dice: float | None = None
    dice_ci95: tuple[float, float] | None = None
    volume_sd: float | None = None
    volume_sd_ci95: tuple[float, float] | None = None
    repeatability: float | None = None
    dice_pairs: int = 0
    volume_pairs: int = 0

    def facts(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def repeatability(repeats: Sequence[RepeatedReading]) -> list[Repeatability]:
    """By region: all raters together, then each."""
    regions = list(dict.fromkeys(r.region for r in repeats))
    raters = sorted({r.rater for r in repeats})
    made = []
    for region in regions:
        for rater in (None, *raters):
            rows = [r for r in repeats if r.region == region and rater in (None, r.rater)]
            if rows:
                made.append(_of(region, rater, rows))
    return made


def _of(region: str, rater: str | None, rows: Sequence[RepeatedReading]) -> Repeatability:
    dice, interval = _mean_dice(rows)
    logs = [np.log(r.second_ml / r.first_ml) for r in rows if r.first_ml > 0 and r.second_ml > 0]
    compared = sum(r.dice is not None for r in rows)
    if not logs:
        return Repeatability(region, rater, len(rows), dice, interval, dice_pairs=compared)
    sd = float(np.sqrt(np.mean(np.square(logs)) / 2))
    return Repeatability(
        region, rater, len(rows), dice, interval,
        volume_sd=100 * sd,
        volume_sd_ci95=_chi_square(sd, len(logs)),
        repeatability=float(100 * _NORMAL_95 * np.sqrt(2) * sd),
        dice_pairs=compared, volume_pairs=len(logs),
    )  # fmt: skip


def _mean_dice(
    rows: Sequence[RepeatedReading],
) -> tuple[float | None, tuple[float, float] | None]:
    """Mean over the rows; cases are drawn again as wholes."""
    by_case: dict[str, list[float]] = {}
    for row in rows:
        if row.dice is not None:
            by_case.setdefault(row.case, []).append(row.dice)
    if not by_case:
        return None, None
    sums = np.array([sum(values) for values in by_case.values()])
    counts = np.array([len(values) for values in by_case.values()], np.float64)
    mean, total = float(sums.sum() / counts.sum()), len(sums)
    drawn = np.random.default_rng(SEED).multinomial(
        total, np.full(total, 1.0 / total), size=RESAMPLES
    )
    spread = spread_of(mean, (drawn @ sums) / (drawn @ counts), total - 1, total)
    return mean, None if spread is None else spread[:2]


def _chi_square(sd: float, count: int) -> tuple[float, float] | None:
    """The interval of a standard deviation around a known mean of zero, in percent."""
    from scipy import stats

    if count < 2:
        return None
    low, high = stats.chi2.ppf((1 - LEVEL / 2, LEVEL / 2), count)
    return float(100 * sd * np.sqrt(count / low)), float(100 * sd * np.sqrt(count / high))
