"""Means, spreads and confidence intervals of a cohort.

A case whose ratio is undefined in a region (empty on both sides, or 0/0) does not count there; `n`
tells how many do. HD95 has no value where one side is empty: a region missed or invented altogether
shows in Dice (0) and in the lesion-wise scores (with their penalty), not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..agreement.intervals import RESAMPLES as RESAMPLES
from ..agreement.intervals import SEED as SEED
from ..agreement.intervals import bootstrap
from .cohort import Cohort


@dataclass(frozen=True)
class Measure:
    """A column of the tables: a field of `RegionAgreement`, and how it is told."""

    key: str
    title: str
    digits: int = 3
    scale: float = 1.0
    unit: str = ""

    def text(self, value: float | None) -> str:
        return "–" if value is None else f"{value * self.scale:.{self.digits}f}"

    @property
    def heading(self) -> str:
        return f"{self.title}, {self.unit}" if self.unit else self.title


#: In the order of the tables.
MEASURES = (
    Measure("dice", "Dice"),
    Measure("hd95_mm", "HD95", 1, unit="mm"),
    Measure("nsd", "NSD"),
    Measure("sensitivity", "sensitivity"),
    Measure("specificity", "specificity", 4),
    Measure("precision", "precision"),
    Measure("volume_error_ml", "volume error", 1, unit="ml"),
    Measure("volume_error", "volume error", 0, 100.0, "%"),
    Measure("lesionwise_dice", "lesion-wise Dice"),
    Measure("lesionwise_hd95_mm", "lesion-wise HD95", 1, unit="mm"),
)


@dataclass(frozen=True)
class Summary:
    """One measure of one region over the cases where it has a value.

    `sd` is the sample's (n - 1); `ci95` the 95 % bootstrap interval of the mean. Both need two
    cases.
    """

    n: int
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    ci95: tuple[float, float] | None = None


def summarise(cohort: Cohort) -> dict[str, dict[str, Summary]]:
    """By region, then by measure."""
    return {
        region: {
            measure.key: summary_of([value for _, value in values(cohort, region, measure.key)])
            for measure in MEASURES
        }
        for region in cohort.regions
    }


def values(cohort: Cohort, region: str, key: str) -> list[tuple[str, float]]:
    """The case names and values of one measure, where it has one."""
    found: list[tuple[str, Any]] = [
        (case.name, getattr(case.regions[region], key)) for case in cohort.cases
    ]
    return [(name, float(value)) for name, value in found if value is not None]


def summary_of(sample: Sequence[float]) -> Summary:
    if not sample:
        return Summary(0)
    array = np.asarray(sample, dtype=np.float64)
    if array.size == 1:
        return Summary(1, mean=float(array[0]), median=float(array[0]))
    interval = bootstrap(array, method="percentile")
    return Summary(
        n=int(array.size),
        mean=float(array.mean()),
        sd=float(array.std(ddof=1)),
        median=float(np.median(array)),
        ci95=(interval.low, interval.high) if interval else None,
    )
