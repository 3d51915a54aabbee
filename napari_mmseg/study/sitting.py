"""What a rater sits down to: a case under its blind name, where to begin, and the work file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..annotation import Annotation, Provenance
from ..case import Case
from ..errors import InputError, MmsegError
from ..io.sidecar import without_names
from ..journal import Place, fingerprint_of
from .belonging import expected_fingerprint, work_problem
from .mirror import mirrored_annotation, mirrored_case
from .proposal import load_proposal
from .reading import read_aside
from .states import State

if TYPE_CHECKING:
    from ..editing.history import Memory
    from .assign import Assignment
    from .plan import CaseEntry
    from .study import Study


@dataclass(frozen=True, eq=False)
class Sitting:
    """A reading that is opened for its rater (or for a review).

    Parameters
    ----------
    item, rater
        The reading and whose it is.
    case
        The images under the reading's name, without anything that tells where they came from or
        what others drew; mirrored where the reading is.
    start
        What the rater begins with: the model's proposal or nothing. What was drawn since is in
        the work file and comes on top of it.
    place
        The work file, and what its header says of case and rater.
    model_allowed
        May the rater run the model? Not where its proposal is hidden.
    read_only
        Why nothing can be changed, in one sentence; empty when it can.
    memory
        What was drawn so far, where nothing can be changed and something was.
    """

    item: str
    rater: str
    case: Case
    start: Annotation
    place: Place
    model_allowed: bool
    read_only: str = ""
    memory: Memory | None = None


def open_item(study: Study, rater: str, item: str | None = None) -> Sitting:
    """Open a reading for its rater; the next that is not finished when no item is named.

    Raises
    ------
    InputError
        When there is nothing (more) to read, the images are not what they were when the study
        was made, or the work file does not belong here.
    """
    study.checked_rater(rater)
    chosen = item or study.next_item(rater)
    if chosen is None:
        if not study.worklist(rater):
            raise InputError(f"{rater} has no readings yet: ask whoever runs the study")
        raise InputError(f"{rater} has finished all readings: name one to look at it again")
    assignment = study.assignment(rater, chosen)
    reading = study.reading(rater, chosen)
    return seat(study, assignment, read_only=why_read_only(chosen, reading.state))


def seat(study: Study, assignment: Assignment, read_only: str = "") -> Sitting:
    """The sitting of an assignment; its work file is looked at before anything is shown."""
    entry = study.cases[assignment.case]
    opened = _opened(study, entry, assignment.item)
    plain = blinded(opened, assignment.item)
    start = _start(study, assignment, entry, opened, plain)
    case = mirrored_case(plain) if assignment.mirrored else plain
    if assignment.mirrored:
        start = mirrored_annotation(start)
    place = Place(
        study.work_file(assignment), expected_fingerprint(assignment, entry), assignment.rater
    )
    if problem := work_problem(study, assignment):
        raise InputError(problem)
    memory = None
    if read_only and place.file.exists():
        with read_aside(place.file) as (work, _):
            memory = work.memory
    allowed = assignment.proposal_shown
    return Sitting(
        assignment.item, assignment.rater, case, start, place, allowed, read_only, memory
    )


def why_read_only(item: str, state: State) -> str:
    """The sentence for a reading in this state; empty when its rater may change it."""
    if state is State.SUBMITTED:
        return f"Reading {item} is submitted: reopen it to change it."
    if state.is_finished:
        return f"Reading {item} is {state}: it cannot be changed any more."
    return ""


def blinded(case: Case, item: str) -> Case:
    """The case under another name, without label files, file names and hashes of files."""
    volumes = {m: replace(v, path=None, sha256="", notes={}) for m, v in case.volumes.items()}
    warnings = tuple(without_names(w) for w in case.warnings)
    return replace(case, id=item, volumes=volumes, labels=(), warnings=warnings)


def _opened(study: Study, entry: CaseEntry, item: str) -> Case:
    from ..io import open_case

    try:
        case = open_case(study.case_path(entry.id), with_labels=False)
    except MmsegError as error:
        raise InputError(
            f"the images of reading {item} cannot be opened: tell whoever runs the study, "
            "napari-mmseg study check says why"
        ) from error
    if fingerprint_of(case) != entry.fingerprint:
        raise InputError(
            f"the images of reading {item} are not those the study was made with: tell whoever "
            "runs the study"
        )
    return case


def _start(
    study: Study, assignment: Assignment, entry: CaseEntry, opened: Case, plain: Case
) -> Annotation:
    if assignment.proposal_shown:
        shown = load_proposal(study, entry, opened)
        warnings = tuple(without_names(w) for w in shown.provenance.warnings)
        return replace(
            shown,
            source=plain.source,
            provenance=replace(shown.provenance, inputs={}, warnings=warnings),
        )
    provenance = Provenance(
        modalities=tuple(str(m) for m in plain.modalities),
        missing=tuple(str(m) for m in plain.missing),
    )
    codes = np.zeros(plain.grid.shape, dtype=np.uint8)
    return Annotation(codes, plain.grid, study.protocol, plain.source, provenance=provenance)
