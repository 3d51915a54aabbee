"""The papers of a dataset: tables of cases, raters, readings and agreement, and descriptions."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..report.raters_case import RatersReport
from ..report.raters_summary import MEASURES, value_of
from ..report.raters_tables import as_values
from .datasheet import datasheet
from .layouts import BIDS_VERSION, Images, Layout

if TYPE_CHECKING:
    from ..study import Study

_README = """\
Segmentations of the same cases by several raters who did not see each other, their consensus
(`desc-consensus`) with its probability by region, and how far the raters agree (`agreement.tsv`,
`readings.tsv`, `reliability.json`). What is here and how it came about: see `DATASHEET.md`.
"""


def papers(
    study: Study, report: RatersReport, layout: Layout, method: str, images: bool, encoding: str
) -> dict[str, str]:
    """The text of every file at the top of a dataset, by name."""
    sheet = datasheet(study, report, layout, method, images, encoding)
    made = {
        "DATASHEET.md": sheet,
        "readings.tsv": _readings(report, layout),
        "agreement.tsv": _agreement(report, layout),
        "raters.tsv": _raters(report),
        "reliability.json": _json(as_values(report)),
    }
    if layout.name == "bids":
        made |= _bids(study, report, layout, encoding)
    return made


def image_papers(layout: Layout, images: Images, written: Iterable[str]) -> dict[str, str]:
    """What BIDS wants to know about images, one file for each kind that was written (by name)."""
    if layout.name != "bids":
        return {}
    told: dict[str, Any] = {"Description": "The image that was labelled, as it was"}
    if images.skull_stripped is not None:
        told["SkullStripped"] = images.skull_stripped
    return {f"{kind}.json": _json(told) for kind in {name.rpartition("_")[2] for name in written}}


def _bids(study: Study, report: RatersReport, layout: Layout, encoding: str) -> dict[str, str]:
    write = study.protocol.encoding(encoding).write
    return {
        "dataset_description.json": _json(
            {
                "Name": study.name,
                "BIDSVersion": BIDS_VERSION,
                "DatasetType": "derivative",
                "GeneratedBy": [{"Name": "napari-mmseg", "Version": __version__}],
            }
        ),
        "README.md": f"# {study.name}\n\n{_README}",
        "participants.tsv": _tsv(
            ("participant_id",), [(layout.case(case.name),) for case in report.cases]
        ),
        "dseg.tsv": _tsv(
            ("index", "name"),
            [(write[r.code], r.compartment) for r in study.protocol.regions if r.code in write],
        ),
        "dseg.json": _json(
            {
                "Description": "Nested regions, as one rater or the consensus of all drew them",
                "Manual": True,
                "SpatialReference": "orig",
            }
        ),
        "probseg.json": _json(
            {
                "Description": "Probability of a region by the consensus of all raters",
                "Manual": True,
                "SpatialReference": "orig",
            }
        ),
        ".bidsignore": "DATASHEET.md\nreadings.tsv\nagreement.tsv\nraters.tsv\nreliability.json\n",
    }


def _readings(report: RatersReport, layout: Layout) -> str:
    rows = [{**asdict(one), "case": layout.case(one.case)} for one in report.readings]
    columns = list(rows[0]) if rows else []
    return _tsv(columns, [[row[name] for name in columns] for row in rows])


def _agreement(report: RatersReport, layout: Layout) -> str:
    rows = [
        [
            layout.case(case.name),
            region,
            len(case.raters),
            *(value_of(agreed, measure.key) for measure in MEASURES),
        ]
        for case in report.cases
        if case.agreement is not None
        for region, agreed in case.agreement.regions.items()
    ]
    return _tsv(("case", "region", "raters", *(measure.key for measure in MEASURES)), rows)


def _raters(report: RatersReport) -> str:
    first = Counter(rater for case in report.cases for rater in case.raters)
    again = Counter(rater for rater, _ in {(p.rater, p.case) for p in report.repeats})
    return _tsv(
        ("rater", "cases", "repeated"), [(r, first[r], again[r]) for r in sorted(report.raters)]
    )


def _tsv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Tabs between; what is not known is n/a, as BIDS has it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["n/a" if v is None else v for v in row] for row in rows])
    return text.getvalue()


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=2, allow_nan=False) + "\n"
