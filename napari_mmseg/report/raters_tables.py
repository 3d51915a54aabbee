"""The raters' agreement as CSV (a row a reading and region) and as plain values for JSON."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields
from typing import Any

from .. import __version__
from ..agreement.effects import ScoredReading
from .raters_case import RatersReport
from .raters_methods import methods
from .raters_summary import icc_of_volumes, summarise

#: Of numbers in the CSV: a millionth of a millilitre is no voxel.
_DIGITS = 6


def as_csv(report: RatersReport) -> str:
    """Every reading and region with its scores; what is not known is an empty cell."""
    columns = [field.name for field in fields(ScoredReading)]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for reading in report.readings:
        told = asdict(reading)
        writer.writerow(
            {k: round(v, _DIGITS) if isinstance(v, float) else v for k, v in told.items()}
        )
    return text.getvalue()


def as_values(report: RatersReport) -> dict[str, Any]:
    """Everything but the pictures."""
    return {
        "software": "napari-mmseg",
        "version": __version__,
        "title": report.title,
        "protocol": report.protocol,
        "raters": list(report.raters),
        "readings_by_state": report.counts,
        "summary": {
            region: {name: asdict(summary) for name, summary in measures.items()}
            for region, measures in summarise(report).items()
        },
        "icc_of_volumes": {
            region: asdict(found) if (found := icc_of_volumes(report, region)) else None
            for region in report.regions
        },
        **report.effects.facts(),
        "cases": {
            case.name: case.agreement.facts() if case.agreement else None for case in report.cases
        },
        "against_others": {
            case.name: {
                region: [asdict(one) for one in by_rater.values()]
                for region, by_rater in case.others.items()
            }
            for case in report.cases
        },
        "readings": [asdict(reading) for reading in report.readings],
        "disputed": [
            {
                "case": one.case,
                "region": one.region,
                "slice_from_top": one.index,
                "doubt_mm2": one.doubt_mm2,
            }
            for one in report.disputed
        ],
        "skipped": report.skipped,
        "methods": methods(report),
    }
