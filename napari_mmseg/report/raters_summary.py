"""The raters' agreement over the cases: means with intervals, by region and by pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..agreement.icc import Icc, icc
from ..agreement.many import RatersAgreement
from .raters_case import RatersReport
from .summary import Measure, Summary, summary_of

#: Means over the pairs of a case.
PAIRS = (
    Measure("dice", "Dice"),
    Measure("jaccard", "Jaccard"),
    Measure("hd95_mm", "HD95", 1, unit="mm"),
    Measure("mean_surface_mm", "mean surface distance", 2, unit="mm"),
    Measure("nsd", "NSD"),
    Measure("lesion_f1", "F1 of lesions"),
    Measure("volume_difference_ml", "volume difference (size)", 1, unit="ml"),
)

#: Values of all raters of a case.
TOGETHER = (
    Measure("fleiss_kappa", "Fleiss' kappa"),
    Measure("krippendorff_alpha", "Krippendorff's alpha"),
    Measure("diversity", "diversity"),
)

MEASURES = (*PAIRS, *TOGETHER)


def value_of(agreed: RatersAgreement, key: str) -> float | None:
    """One measure of one case and region; None where there is nothing to measure."""
    if any(measure.key == key for measure in PAIRS):
        return agreed.mean(key)
    found: float | None = getattr(agreed, key)
    return found


def case_values(report: RatersReport, region: str, key: str) -> list[tuple[str, float]]:
    """The cases that have a value, with it."""
    found = [(name, value_of(agreed, key)) for name, agreed in _agreed(report, region)]
    return [(name, value) for name, value in found if value is not None]


def summarise(report: RatersReport) -> dict[str, dict[str, Summary]]:
    """By region, then by measure: over the cases that have a value."""
    return {
        region: {
            measure.key: summary_of([v for _, v in case_values(report, region, measure.key)])
            for measure in MEASURES
        }
        for region in report.regions
    }


def pair_means(report: RatersReport, region: str, key: str = "dice") -> NDArray[np.float64]:
    """(raters, raters): the mean of each pair over its cases, not-a-number where there is none."""
    place = {rater: n for n, rater in enumerate(report.raters)}
    sums = np.zeros((len(place), len(place)))
    counts = np.zeros_like(sums)
    for _, agreed in _agreed(report, region):
        for pair in agreed.pairs:
            value = getattr(pair, key)
            if value is not None:
                i, j = place[pair.first], place[pair.second]
                for where in ((i, j), (j, i)):
                    sums[where] += value
                    counts[where] += 1
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def others_values(report: RatersReport, region: str, rater: str, key: str) -> list[float]:
    """One measure of a rater against the majority of the others, of the cases that have it.

    Volume differences keep their sign: rater minus majority.
    """
    found = [
        getattr(case.others[region][rater], key)
        for case in report.cases
        if rater in case.others.get(region, {})
    ]
    return [value for value in found if value is not None]


def icc_of_volumes(report: RatersReport, region: str) -> Icc | None:
    """ICC(2,1) of the volumes over the cases that all raters read; None where there are too few."""
    table = [
        [agreed.volumes_ml.get(rater, float("nan")) for rater in report.raters]
        for _, agreed in _agreed(report, region)
    ]
    return icc(table) if table else None


def _agreed(report: RatersReport, region: str) -> list[tuple[str, RatersAgreement]]:
    return [
        (case.name, case.agreement.regions[region])
        for case in report.cases
        if case.agreement is not None
    ]
