"""Where a raters' report gets its readings: a study folder, or loose files of one case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..agreement.many import CaseAgreement
from ..agreement.metrics import TOLERANCE_MM
from ..annotation import Annotation
from ..case import Case
from ..errors import InputError
from .raters_case import Others, RatedCase, RatedReading, RatersReport, measure_raters

if TYPE_CHECKING:
    from ..study import Reading, Study


def report_on_study(
    study: Study, *, drafts: bool = False, progress: Callable[[str], None] = lambda _: None
) -> RatersReport:
    """Measure the finished readings of a study (submitted, locked or signed off).

    Parameters
    ----------
    drafts
        Readings that were begun count too.

    Raises
    ------
    InputError
        When no reading is finished, or none can be used.
    """
    readings = list(study.readings())
    used = [r for r in readings if is_usable(r, drafts=drafts)]
    if not used and (broken := sum(r.state.is_finished and bool(r.problem) for r in readings)):
        raise InputError(
            f'no reading of the study "{study.name}" can be used ({broken} that are handed in '
            "cannot): napari-mmseg study check says why"
        )
    if not used:
        raise InputError(
            f'no gradable reading of the study "{study.name}" is submitted: raters submit '
            "theirs when they are done"
        )
    counts = Counter(str(reading.state) for reading in readings)
    if ungradable := sum(bool(reading.not_gradable) for reading in readings):
        counts["not gradable"] = ungradable
    return measure_raters(
        study.name,
        rated_cases(study, used),
        counts=dict(counts),
        skipped={f"{r.case}, {r.rater}": r.problem for r in readings if r.problem},
        progress=progress,
    )


def is_usable(reading: Reading, *, drafts: bool = False) -> bool:
    """Do its labels count? Finished, gradable, and its files can be used."""
    begun = reading.has_work if drafts else False
    return (reading.state.is_finished or begun) and not reading.not_gradable and not reading.problem


def rated_cases(study: Study, readings: list[Reading]) -> list[RatedCase]:
    """The cases of a study that were read, in its order."""
    from ..study import load_annotation

    made = []
    for case, entry in study.cases.items():
        own = [
            RatedReading(
                reading.rater,
                partial(load_annotation, reading),
                reading.repeat,
                reading.proposal_shown,
                reading.order,
                reading.active_s or None,
                reading.confidence,
            )
            for reading in readings
            if reading.case == case
        ]
        if own:
            made.append(
                RatedCase(
                    case,
                    tuple(own),
                    partial(_proposal, study, case) if entry.proposal else lambda: None,
                    partial(_images, study.case_path(case)),
                )
            )
    return made


def report_on_files(
    annotations: Mapping[str, Annotation],
    *,
    title: str = "Label files",
    agreement: CaseAgreement | None = None,
    others: Others | None = None,
    images: Case | None = None,
) -> RatersReport:
    """Measure the label files of one case, by rater.

    Parameters
    ----------
    agreement, others
        Theirs, and of each with the majority of the others, where they are known already.
    images
        To draw the most disputed slices over.

    Raises
    ------
    InputError
        When they cannot be compared.
    """
    readings = tuple(
        RatedReading(name, partial(_same, annotation)) for name, annotation in annotations.items()
    )
    case = RatedCase(
        "case", readings, load_images=lambda: images, agreement=agreement, others=others
    )
    tolerance = TOLERANCE_MM if agreement is None else agreement.tolerance_mm
    return measure_raters(title, [case], tolerance_mm=tolerance)


def _same(annotation: Annotation) -> Annotation:
    return annotation


def _proposal(study: Study, case: str) -> Annotation:
    from ..study.proposal import load_proposal

    return load_proposal(study, study.cases[case])


def _images(path: Path) -> Case:
    from ..io import open_case

    return open_case(path)
