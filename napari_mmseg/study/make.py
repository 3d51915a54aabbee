"""Makes a study and adds to it; what was handed out before stays as it is."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..case import Case
from ..errors import ExportError, InputError
from ..journal import fingerprint_of
from ..protocol import load_protocol
from .assign import assign
from .files import put_text
from .names import checked_name
from .plan import FILE_NAME, CaseEntry, Design, Plan, plan_text
from .study import ASSIGNMENTS, WORK_FOLDER, Study, assignments_text, load_study
from .turns import turn_at

CASES_FOLDER = "cases"

#: A seed that nobody chose is drawn with so many bits.
_SEED_BITS = 32

Progress = Callable[[str], None]


def new_study(
    folder: str | Path,
    *,
    name: str = "",
    protocol: str = "glioma",
    design: Design | None = None,
    seed: int | None = None,
    cases: Sequence[str | Path] = (),
    raters: Sequence[str] = (),
    copy: bool = False,
    progress: Progress | None = None,
) -> Study:
    """Make a study folder; cases and raters can be added later.

    Parameters
    ----------
    folder
        It need not exist.
    seed
        Of everything left to chance; drawn when None, and recorded.
    cases, copy, progress
        As in `add_cases`.
    raters
        Pseudonyms.

    Raises
    ------
    InputError
        When there is a study already, or a case or pseudonym cannot be used; then nothing is
        made.
    ExportError
        When the folder cannot be written.
    """
    folder = Path(folder)
    load_protocol(protocol)
    if (folder / FILE_NAME).exists():
        raise InputError(f'"{folder.name}" is a study already: add to it, or name another folder')
    seed = secrets.randbits(_SEED_BITS) if seed is None else seed
    plan = Plan(name or folder.absolute().name, protocol, seed, design or Design())
    before = Study(folder, plan, ())
    plan = _extended(before, cases, raters, progress)
    _make_folder(folder)
    with turn_at(folder / FILE_NAME):
        if (folder / FILE_NAME).exists():
            raise InputError(f'"{folder.name}" is a study already: another window has made it')
        return put(before, _copied(before, plan) if copy else plan)


def add_cases(
    study: Study,
    paths: Sequence[str | Path],
    *,
    copy: bool = False,
    progress: Progress | None = None,
) -> Study:
    """Add cases, which every rater (or as many as the design says) is then to read.

    Each is opened once, to know that it can be read, where its voxels lie and its fingerprint.
    They are called case-001 and so on: the names of their files stay in `study.toml`.

    Parameters
    ----------
    paths
        A folder or a file with channels each.
    copy
        Copy the images into the study's folder instead of pointing at them.
    progress
        Called with a few words before each case.

    Raises
    ------
    InputError
        When a case cannot be read or is there already; then nothing is added.
    ExportError
        When the study cannot be written.
    """
    with turn_at(study.folder / FILE_NAME):
        before = load_study(study.folder)
        plan = _extended(before, paths, (), progress)
        return put(before, _copied(before, plan) if copy else plan)


def add_raters(study: Study, names: Sequence[str]) -> Study:
    """Add raters, and hand out their readings.

    Raises
    ------
    InputError
        When a pseudonym cannot be used or is there already; then nobody is added.
    ExportError
        When the study cannot be written.
    """
    with turn_at(study.folder / FILE_NAME):
        before = load_study(study.folder)
        return put(before, _extended(before, (), names, None))


def set_proposal(study: Study, case: str, file: str, encoding: str = "") -> Study:
    """Record where the model's proposal for a case is, relative to the study's folder.

    Raises
    ------
    InputError
        When a reading of the case began with another proposal.
    ExportError
        When the study cannot be written.
    """
    with turn_at(study.folder / FILE_NAME):
        before = load_study(study.folder)
        begun = (
            before.work_file(a).exists()
            for a in before.assignments
            if a.case == case and a.proposal_shown
        )
        if any(begun):
            raise InputError(
                f"{case} has been begun with the proposal it has: it cannot be changed now"
            )
        cases = tuple(
            replace(c, proposal=file, encoding=encoding) if c.id == case else c
            for c in before.plan.cases
        )
        return put(before, replace(before.plan, cases=cases))


def _extended(
    before: Study,
    cases: Sequence[str | Path],
    raters: Sequence[str],
    progress: Progress | None,
) -> Plan:
    plan = before.plan
    known = {rater.lower() for rater in plan.raters}
    for name in raters:
        if checked_name(name).lower() in known:
            raise InputError(f"there is a rater {name} already: choose another pseudonym")
        known.add(name.lower())
    entries = list(plan.cases)
    places = {(before.folder / entry.path).resolve() for entry in entries}
    ids = {entry.id for entry in entries}
    number = len(entries)
    for path in map(Path, cases):
        if path.resolve() in places:
            raise InputError(f'"{path.name}" is in the study already: leave it out')
        places.add(path.resolve())
        if progress is not None:
            progress(f"reading {path.name}")
        number += 1
        while (case_id := f"case-{number:03d}") in ids:
            number += 1
        ids.add(case_id)
        entries.append(_entry(before.folder, case_id, path))
    return replace(plan, cases=tuple(entries), raters=(*plan.raters, *raters))


def _entry(folder: Path, case_id: str, path: Path) -> CaseEntry:
    from ..io import open_case

    case = open_case(path)
    return CaseEntry(case_id, _relative(path, folder), fingerprint_of(case), case.grid)


def _relative(path: Path, folder: Path) -> str:
    """From the study's folder, where both lie in one folder (they then move together)."""
    whole, root = path.resolve(), folder.resolve()
    if whole.is_relative_to(root.parent):
        return Path(os.path.relpath(whole, root)).as_posix()
    return whole.as_posix()


def _copied(before: Study, plan: Plan) -> Plan:
    """The plan with its new cases copied into the study's folder, under names of contrasts."""
    there = {entry.id for entry in before.plan.cases}
    return replace(
        plan,
        cases=tuple(
            entry if entry.id in there else _copied_case(before.folder, entry)
            for entry in plan.cases
        ),
    )


def _copied_case(folder: Path, entry: CaseEntry) -> CaseEntry:
    """Copied aside, compared and renamed: what is there already is never touched.

    A whole copy that a stopped program left is taken; a part of one is made again.
    """
    import shutil

    from ..io import open_case
    from ..io.image import suffix_of

    case = open_case(folder / entry.path)
    target = folder / CASES_FOLDER / entry.id
    aside = target.with_name(f".part.{entry.id}")  # of one name: a stopped program's is found again
    files = [(str(m), v.path) for m, v in case.volumes.items() if v.path is not None]
    try:
        if target.exists():
            if not _holds(target, entry, case):
                raise ExportError(
                    f'the study\'s folder holds a "{CASES_FOLDER}/{entry.id}" with other images: '
                    "move it out, or leave --copy away"
                )
        else:
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            if len({path for _, path in files}) == 1 < len(files):  # one file with channels
                shutil.copyfile(files[0][1], aside / f"images{suffix_of(files[0][1])}")
            else:
                for modality, path in files:
                    shutil.copyfile(path, aside / f"{modality}{suffix_of(path)}")
            if not _holds(aside, entry, case):
                raise ExportError(
                    f"{entry.id} did not read back as it was copied: leave --copy away"
                )
            aside.rename(target)
    except OSError as error:
        raise ExportError(f'"{target.name}" was not copied: {error.strerror or error}') from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return replace(entry, path=f"{CASES_FOLDER}/{entry.id}")


def _holds(folder: Path, entry: CaseEntry, case: Case) -> bool:
    """Are the images in the folder those of the case?"""
    from ..io import open_case

    try:
        found = open_case(folder)
    except InputError:
        return False
    return fingerprint_of(found) == entry.fingerprint and set(found.volumes) == set(case.volumes)


def put(before: Study, plan: Plan) -> Study:
    """Write plan and assignments; the plan first, since an assignment may name only what it has."""
    assignments = (*before.assignments, *assign(plan, before.assignments))
    for rater in plan.raters:
        _make_folder(before.folder / WORK_FOLDER / rater)
    put_text(before.folder / FILE_NAME, plan_text(plan))
    put_text(before.folder / ASSIGNMENTS, assignments_text(assignments))
    return Study(before.folder, plan, assignments, before.problems)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(
            f'the folder "{folder.name}" cannot be made: {error.strerror or error}'
        ) from error
