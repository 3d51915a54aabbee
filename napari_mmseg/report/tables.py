"""A cohort as CSV (a row a case and region) and as plain values for JSON."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields
from typing import Any

from ..agreement import RegionAgreement
from ..agreement.lesions import DILATIONS, PENALTY_MM, UNSCORED_MM3
from .cohort import Cohort
from .summary import RESAMPLES, SEED, summarise


def as_csv(cohort: Cohort) -> str:
    """All measures of all cases; what is undefined is an empty cell."""
    columns = [field.name for field in fields(RegionAgreement)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "region", *columns])
    for case in cohort.cases:
        for region, agreement in case.regions.items():
            row = asdict(agreement)
            writer.writerow([case.name, region, *(row[name] for name in columns)])
    return text.getvalue()


def as_values(cohort: Cohort) -> dict[str, Any]:
    """What `napari-mmseg evaluate --json` prints for folders."""
    return {
        "cases": {
            case.name: {region: asdict(scores) for region, scores in case.regions.items()}
            for case in cohort.cases
        },
        "summary": {
            region: {key: asdict(summary) for key, summary in measures.items()}
            for region, measures in summarise(cohort).items()
        },
        "skipped": cohort.skipped,
        "without_reference": list(cohort.without_reference),
        "without_prediction": list(cohort.without_prediction),
        "notes": list(cohort.notes),
        "conventions": {
            "nsd_tolerance_mm": cohort.tolerance_mm,
            "empty_regions": "undefined ratios are null and do not count in n",
            "lesionwise": {
                "definition": "BraTS 2023, adult glioma",
                "dilations_voxels": DILATIONS,
                "unscored_mm3": UNSCORED_MM3,
                "penalty_mm": PENALTY_MM,
                "both_empty": {"dice": 1.0, "hd95_mm": 0.0},
            },
            "ci95": {
                "method": "percentile bootstrap of the mean",
                "resamples": RESAMPLES,
                "seed": SEED,
            },
        },
    }
