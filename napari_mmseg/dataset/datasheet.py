"""The datasheet of a dataset: what is known from the study; the rest is for its authors.

Headings after Gebru et al., Datasheets for Datasets, Communications of the ACM 64(12), 2021.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .. import __version__
from ..io.sidecar import NOTICE, now
from ..report.raters_case import RatersReport
from ..report.raters_methods import methods
from ..report.raters_summary import summarise
from .layouts import Layout

if TYPE_CHECKING:
    from ..study import Study

_OPEN = "*To be filled in by the authors:* "

_METHODS = {
    "majority": "the majority of the raters (more than half)",
    "staple": "STAPLE (Warfield et al. 2004, SimpleITK)",
    "simple": "SIMPLE (Langerak et al. 2010)",
}


def datasheet(
    study: Study, report: RatersReport, layout: Layout, method: str, images: bool, encoding: str
) -> str:
    """Markdown."""
    sections = {
        "Motivation": [_OPEN + "for what purpose, by whom and on whose funds it was made."],
        "Composition": _composition(study, report, layout, images, encoding),
        "Collection process": [
            *_collection(study, report),
            _OPEN + "where the images come from, how cases were chosen, over which time, who the "
            "raters are (training, years of experience), ethical review and consent.",
        ],
        "Preprocessing, cleaning, labelling": [
            f"The consensus is {_METHODS[method]} of first readings, region by region, with "
            "nesting restored (parents first); probabilities are the share of the vote or the "
            "method's own.",
            *methods(replace(report, disputed=())),
            "Names of patients, free text in headers, raters' comments and hashes of the original "
            "images are left out. "
            + ("Images are as they were: faces were not removed. " if images else "")
            + "Cases and raters have the study's pseudonyms; who holds the study's folder can "
            "lead them back.",
        ],
        "Uses": [
            "The spread of the raters is part of the data: read a model's agreement with the "
            "consensus beside the raters' own, in `readings.tsv`.",
            NOTICE,
            _OPEN + "what it was used for, and what it should not be used for.",
        ],
        "Distribution": [_OPEN + "how, under which licence, with which restrictions."],
        "Maintenance": [_OPEN + "who answers questions, how errors are reported and mended."],
    }
    body = "\n\n".join(
        f"## {heading}\n\n" + "\n\n".join(paragraphs) for heading, paragraphs in sections.items()
    )
    return (
        f"# Datasheet: {study.name}\n\n"
        f"Written by napari-mmseg {__version__} on {now()[:10]}; headings after Gebru et al., "
        f"Datasheets for Datasets (2021).\n\n{body}\n"
    )


def _composition(
    study: Study, report: RatersReport, layout: Layout, images: bool, encoding: str
) -> list[str]:
    write = study.protocol.encoding(encoding).write
    values = ", ".join(
        f"{write[r.code]} {r.compartment}" for r in study.protocol.regions if r.code in write
    )
    lines = [
        f"{len(report.cases)} cases of {len(study.cases)} in the study, each with a consensus "
        f"segmentation, its probabilities by region, and the labels of up to "
        f"{len(report.raters)} raters (layout: {layout.name}). "
        + ("Images are included." if images else "Images are not included."),
        f"Label values ({encoding}): {values}, 0 background. Regions nest: "
        + "; ".join(f"{r.name} {r.title}" for r in study.protocol.regions)
        + ".",
        "`readings.tsv` has a row for each reading and region, `agreement.tsv` one for each case "
        "and region, `reliability.json` everything measured with its definitions.",
        "| region | Dice of two raters | 95 % interval | cases |\n| --- | --- | --- | --- |\n"
        + "\n".join(_dice_row(report, region) for region in report.regions),
    ]
    if report.skipped:
        left = "\n".join(f"- {name}: {said}" for name, said in report.skipped.items())
        lines.append(f"Left out:\n\n{left}")
    return lines


def _dice_row(report: RatersReport, region: str) -> str:
    dice = summarise(report)[region]["dice"]
    mean = "–" if dice.mean is None else f"{dice.mean:.3f}"
    ends = "–" if dice.ci95 is None else f"{dice.ci95[0]:.3f} to {dice.ci95[1]:.3f}"
    return f"| {region} | {mean} | {ends} | {dice.n} |"


def _collection(study: Study, report: RatersReport) -> list[str]:
    design = study.plan.design
    states = ", ".join(f"{count} {state}" for state, count in report.counts.items() if count)
    shown = {
        "shown": "All readings began with the model's proposal.",
        "hidden": "Raters did not see the model's proposal.",
        "randomised": "Whether a reading began with the model's proposal was randomised, balanced "
        "within raters.",
    }[str(design.proposal)]
    repeats = (
        f" {design.repeats:.0%} of the cases came back to each rater unannounced"
        f"{', mirrored' if design.mirror else ''}."
        if design.repeats
        else ""
    )
    return [
        f"Raters labelled in napari-mmseg, blind to each other, each in their own random order. "
        f"{shown}{repeats} Readings: {states}."
    ]
