"""What in a study's files does not belong there, one sentence each; nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, MmsegError
from ..journal.identity import first_name
from .belonging import header_problem
from .digest import digest_of
from .names import checked_name, item_name
from .peek import header_of
from .reading import Reading, other_labels, read_aside
from .states import Verdict

if TYPE_CHECKING:
    from .study import Study

#: Endings of what stands beside a work file and is no problem.
_BESIDE = (".lock", "-journal", ".bak")

#: Names tried for a reading whose name may have had to give way to another's.
_TURNS = 4


@dataclass(frozen=True)
class Finding:
    """Something that does not belong: a sentence, and where (rater and item, as far as known)."""

    sentence: str
    rater: str = ""
    item: str = ""
    case: str = ""


def check(study: Study, *, images: bool = False) -> Iterator[Finding]:
    """Look at every file of a study; the work files are read whole.

    Parameters
    ----------
    images
        Also open every case and compare it with what it was when the study was made.
    """
    for problem in study.problems:
        yield Finding(problem)
    yield from _plan_findings(study, images)
    yield from _strangers(study)
    verdicts = study.verdicts
    for reading in study.readings():
        for sentence in _reading_problems(study, reading, verdicts.get(reading.item)):
            yield Finding(sentence, reading.rater, reading.item, reading.case)


def _reading_problems(study: Study, reading: Reading, verdict: Verdict | None) -> Iterator[str]:
    standing, name = reading.standing, reading.path.name
    if standing.problem:
        yield standing.problem
    if verdict is not None and verdict.deed != "unlock" and verdict.word != standing.word:
        yield f"reading {reading.item} was changed after it was locked: see its log"
    if reading.lost:
        yield reading.lost
        return
    digest = ""
    if reading.has_work or reading.path.exists():
        if reading.path.stat().st_size == 0:
            return
        try:
            problem = header_problem(study, reading.assignment, name, header_of(reading.path))
            if problem:
                yield problem
                return
            with read_aside(reading.path) as (work, is_damaged):
                digest = digest_of(work.memory.codes)
        except InputError as refusal:
            said = str(refusal)
            yield said if name in said else f'"{name}": {said}'
            return
        if is_damaged:
            yield (
                f'"{name}" is damaged: its rater mends it by opening the reading, or use '
                "napari-mmseg recover"
            )
    if standing.is_submitted and standing.codes != digest:
        yield other_labels(name)


def _plan_findings(study: Study, images: bool) -> Iterator[Finding]:
    for entry in study.plan.cases:
        if not study.case_path(entry.id).exists():
            yield Finding(f"the images of {entry.id} are not where study.toml says", case=entry.id)
        elif images and (problem := _images_problem(study, entry.id)):
            yield Finding(problem, case=entry.id)
        if entry.proposal and not (study.folder / entry.proposal).exists():
            yield Finding(f"the proposal for {entry.id} is not there", case=entry.id)
    seed = study.plan.seed
    for a in study.assignments:
        names = {item_name(seed, a.rater, a.case, a.repeat, turn) for turn in range(_TURNS)}
        if a.item not in names:
            sentence = f"assignments.jsonl was changed by hand: {a.item} is not what was drawn"
            yield Finding(sentence, a.rater, a.item, a.case)


def _images_problem(study: Study, case: str) -> str:
    from ..io import open_case
    from ..journal import fingerprint_of

    try:
        opened = open_case(study.case_path(case))
    except MmsegError as error:
        return f"the images of {case} cannot be opened: {error}"
    if fingerprint_of(opened) != study.cases[case].fingerprint:
        return f"the images of {case} are not those the study was made with"
    return ""


def _strangers(study: Study) -> Iterator[Finding]:
    """Folders and files below `work` that belong to no reading."""
    known = {study.work_file(a).name: a.rater for a in study.assignments}
    known |= {study.log_file(a).name: a.rater for a in study.assignments}
    for entry in _entries(study.folder / "work"):
        if entry.name not in study.raters:
            yield Finding(_not_a_rater(entry.name))
            continue
        for file in _entries(Path(entry.path)):
            if file.name.endswith(_BESIDE) or known.get(first_name(file.name)) == entry.name:
                continue
            what = "a reading of another rater" if file.name in known else "no reading"
            yield Finding(
                f'"{file.name}" in the folder of {entry.name} belongs to {what}: move it out',
                entry.name,
            )


def _not_a_rater(name: str) -> str:
    try:
        checked_name(name)
    except InputError as refusal:
        return f"work holds {name!r}: {refusal}"
    return f'work holds "{name}", which is no rater of the study: move it out'


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError:
        return []
