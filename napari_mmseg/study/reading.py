"""One rater's reading of one case, as it is listed, and its labels."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..annotation import Annotation, Provenance
from ..case import Case
from ..errors import InputError
from ..volume import SourceSpace
from .assign import Assignment
from .belonging import expected_fingerprint, header_problem, other_protocol
from .digest import digest_of
from .mirror import mirrored_codes
from .peek import Glance
from .states import Standing, State

if TYPE_CHECKING:
    from ..journal.replay import Work
    from .study import Study

_MOVE = "move it out of the study"


@dataclass(frozen=True)
class WorkItem:
    """A reading as its rater may see it: nothing tells the case, a repeat or another rater.

    Parameters
    ----------
    item
        Its name.
    order
        Its place in the work list, from 1.
    state, active_s, confidence, comment, not_gradable
        As in `Reading`.
    """

    item: str
    order: int
    state: State
    active_s: float = 0.0
    confidence: int | None = None
    comment: str = ""
    not_gradable: str = ""


@dataclass(frozen=True)
class Reading:
    """A reading as whoever runs the study sees it.

    Parameters
    ----------
    assignment
        Rater, case, item, repeat, arm and order; each can be asked of the reading itself.
    state
        How far it has come.
    standing
        What the rater said: confidence, comment, not gradable.
    glance
        What the work file says of itself: time at work, strokes.
    has_work
        Is there a work file? There is none while nothing was drawn.
    """

    assignment: Assignment
    state: State
    standing: Standing
    glance: Glance
    has_work: bool
    study: Study = field(repr=False, compare=False)

    @property
    def rater(self) -> str:
        return self.assignment.rater

    @property
    def case(self) -> str:
        return self.assignment.case

    @property
    def item(self) -> str:
        """What the reading is called towards its rater."""
        return self.assignment.item

    @property
    def repeat(self) -> int:
        """0 for the first reading of the case by this rater, 1 for its blind repeat."""
        return self.assignment.repeat

    @property
    def mirrored(self) -> bool:
        """Were left and right exchanged for it? `load_annotation` puts them back."""
        return self.assignment.mirrored

    @property
    def proposal_shown(self) -> bool:
        """Did it begin with the model's proposal?"""
        return self.assignment.proposal_shown

    @property
    def path(self) -> Path:
        """The work file."""
        return self.study.work_file(self.assignment)

    @property
    def order(self) -> int:
        """The place in the rater's work list, from 1."""
        return self.assignment.order

    @property
    def active_s(self) -> float:
        """Time at work in seconds, pauses left out."""
        return self.glance.active_s

    @property
    def strokes(self) -> int:
        return self.glance.strokes

    @property
    def confidence(self) -> int | None:
        """1 to 5; None: not said."""
        return self.standing.confidence

    @property
    def comment(self) -> str:
        return self.standing.comment

    @property
    def not_gradable(self) -> str:
        """Why no reading is possible; empty: it is."""
        return self.standing.not_gradable

    @property
    def submitted_at(self) -> float | None:
        """Seconds since 1970, UTC; None while it is not submitted."""
        return self.standing.at if self.standing.is_submitted else None

    @property
    def problem(self) -> str:
        """One sentence when its files cannot be used."""
        return self.glance.problem or self.standing.problem or self.lost or self.stray

    @property
    def lost(self) -> str:
        """One sentence when labels were submitted and the file that held them is not there."""
        if self.has_work or not (self.standing.is_submitted and self.standing.codes):
            return ""
        return f'"{self.path.name}" is gone or empty, and labels were submitted: restore it'

    @property
    def stray(self) -> str:
        """One sentence when the file under its name is the work on something else."""
        entry, seen = self.study.cases[self.case], self.glance
        if not seen.rater:  # nothing was drawn, or the file cannot be used: that is told elsewhere
            return ""
        if self.study.protocol_sha256 not in ("", seen.protocol_sha256):
            return other_protocol(self.path.name, seen.protocol, self.study.plan.protocol)
        if seen.fingerprint != expected_fingerprint(self.assignment, entry):
            return f'"{self.path.name}" is the work on another case or reading: {_MOVE}'
        if seen.rater != self.rater:
            return f'"{self.path.name}" was made under another pseudonym: {_MOVE}'
        return ""


def load_annotation(reading: Reading, case: Case | None = None) -> Annotation:
    """The labels of a reading, left and right where they are in the patient.

    A reading in which nothing was drawn is the proposal as it was shown, or empty. Nothing is
    written, not even beside a file that a killed program left half written.

    Parameters
    ----------
    case
        The study's case, opened: the labels then know the file's own space, for exports.

    Returns
    -------
    Its author is the rater.

    Raises
    ------
    InputError
        When the work file is damaged beyond use, belongs to another protocol, grid, case, reading
        or rater, or holds other labels than were submitted.
    """
    entry = reading.study.cases[reading.case]
    source = case.source if case is not None else SourceSpace.of(entry.grid)
    if reading.lost:
        raise InputError(reading.lost)
    if not reading.has_work:
        return _as_shown(reading, source)
    with read_aside(reading.path) as (work, _):
        header, memory = work.header, work.memory
    name = reading.path.name
    if problem := header_problem(reading.study, reading.assignment, name, header):
        raise InputError(problem)
    if reading.standing.is_submitted and reading.standing.codes != digest_of(memory.codes):
        raise InputError(other_labels(name))
    codes = mirrored_codes(memory.codes, entry.grid) if reading.mirrored else memory.codes
    provenance = replace(
        memory.origin.provenance,
        effort={"active_s": round(memory.effort.active_seconds, 1), "strokes": reading.strokes},
    )
    return Annotation(codes, entry.grid, reading.study.protocol, source, reading.rater, provenance)


def other_labels(name: str) -> str:
    """The sentence for a work file that was changed after it was handed in."""
    return f'"{name}" holds other labels than were submitted: ask its rater to look at it'


@contextlib.contextmanager
def read_aside(path: Path) -> Iterator[tuple[Work, bool]]:
    """What a work file tells, read from a copy: SQLite mends a half written file when it opens
    it, and that is for its own rater to do.

    Raises
    ------
    InputError
        When it holds nothing that can be used.
    """
    from ..journal import copy, load_work

    with tempfile.TemporaryDirectory(prefix="napari-mmseg-") as folder:
        aside = Path(folder) / path.name
        try:
            copy(path, aside)
        except InputError:  # torn, or left by a program that was killed: byte by byte then
            _copy_bytes(path, aside)
        yield load_work(aside)


def _copy_bytes(path: Path, aside: Path) -> None:
    try:
        shutil.copyfile(path, aside)
        journal = path.with_name(f"{path.name}-journal")
        if journal.exists():
            shutil.copyfile(journal, aside.with_name(f"{aside.name}-journal"))
    except OSError as error:
        raise InputError(f'"{path.name}" cannot be read: {error.strerror}') from error


def _as_shown(reading: Reading, source: SourceSpace) -> Annotation:
    from .proposal import load_proposal

    entry, protocol = reading.study.cases[reading.case], reading.study.protocol
    if reading.proposal_shown and entry.proposal:
        shown = load_proposal(reading.study, entry)
        return replace(shown, source=source, author=reading.rater)
    codes = np.zeros(entry.grid.shape, dtype=np.uint8)
    return Annotation(codes, entry.grid, protocol, source, reading.rater, Provenance())
