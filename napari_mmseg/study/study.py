"""A study: a folder of cases, raters, what each is to read, and each rater's own files."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..journal.header import protocol_digest
from ..journal.schema import SUFFIX
from ..protocol import Protocol, load_protocol
from .assign import Assignment
from .index import Facts, Found, Index, files_in
from .log import read_log
from .names import checked_name, is_item_name
from .peek import Glance, glance_at
from .plan import FILE_NAME, CaseEntry, Plan, read_plan
from .reading import Reading, WorkItem
from .states import Standing, State, Verdict, state_of, verdicts_of

ASSIGNMENTS = "assignments.jsonl"
LEDGER = "ledger.jsonl"
REVIEWS = "review.jsonl"
WORK_FOLDER = "work"
LOG_SUFFIX = ".jsonl"

_FACTS = [field.name for kind in (Glance, Standing, Verdict) for field in fields(kind)]
_LAYOUT = zlib.crc32(repr(_FACTS).encode()) & 0x7FFFFFFF  # of the index: which facts it keeps


@dataclass(frozen=True, eq=False)
class Study:
    """A study folder as it was when it was loaded; its raters' files are looked at when asked.

    Parameters
    ----------
    folder
        Where it is.
    plan
        Design, raters and cases.
    assignments
        Who reads what, as recorded.
    problems
        Sentences about entries of its own files that were left out.
    """

    folder: Path
    plan: Plan
    assignments: tuple[Assignment, ...]
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def raters(self) -> tuple[str, ...]:
        return self.plan.raters

    @property
    def protocol(self) -> Protocol:
        """What the labels mean.

        Raises
        ------
        InputError
            When this program knows no such protocol.
        """
        return load_protocol(self.plan.protocol)

    @cached_property
    def protocol_sha256(self) -> str:
        """What work files say of the study's protocol; empty when this program does not know it."""
        try:
            return protocol_digest(self.protocol)
        except InputError:
            return ""

    @cached_property
    def cases(self) -> Mapping[str, CaseEntry]:
        """The cases by id."""
        return {case.id: case for case in self.plan.cases}

    def case_path(self, case: str) -> Path:
        """Where the images of a case are."""
        return self.folder / self.cases[case].path

    def assignment(self, rater: str, item: str) -> Assignment:
        """What a rater is to read under a name.

        Raises
        ------
        InputError
            When there is no such rater, or the rater has no such reading.
        """
        self.checked_rater(rater)
        found = self._by_item.get(item)
        if found is None or found.rater != rater:  # one sentence for both: it tells nobody's items
            raise InputError(f"{rater} has no reading {item}: see napari-mmseg study status")
        return found

    def checked_rater(self, rater: str) -> str:
        """`rater`, if the study has one of that name.

        Raises
        ------
        InputError
            When it has not; other raters are not named.
        """
        if checked_name(rater) not in self.plan.raters:
            raise InputError(f"the study has no rater {rater}: check the pseudonym's spelling")
        return rater

    def work_file(self, assignment: Assignment) -> Path:
        return self._work / assignment.rater / f"{assignment.item}{SUFFIX}"

    def log_file(self, assignment: Assignment) -> Path:
        """Where the rater's own words on a reading are: submitted, confidence, comments."""
        return self._work / assignment.rater / f"{assignment.item}{LOG_SUFFIX}"

    def readings(self, rater: str | None = None) -> Iterator[Reading]:
        """Every reading of the study (or of one rater), begun or not, in the raters' order.

        Only files that changed since the last time are read. For whoever runs the study: it tells
        cases and repeats. What a rater may see is `worklist`.
        """
        raters = self.plan.raters if rater is None else (self.checked_rater(rater),)
        facts = self._facts(raters)
        verdicts = {item: Verdict(*told) for item, told in facts.get(LEDGER, {}).items()}
        wanted = set(raters)
        for assignment in self.assignments:
            if assignment.rater in wanted:
                yield self._reading(assignment, facts, verdicts)

    def reading(self, rater: str, item: str) -> Reading:
        """One reading, its files read afresh.

        Raises
        ------
        InputError
            When the rater has no such reading.
        """
        assignment = self.assignment(rater, item)
        facts: dict[str, Facts] = {}
        work, log = self.work_file(assignment), self.log_file(assignment)
        if work.exists():
            facts[f"{rater}/{work.name}"] = glance_at(work).facts()
        facts[f"{rater}/{log.name}"] = Standing.of_log(read_log(log)).facts()
        return self._reading(assignment, facts, self.verdicts)

    def worklist(self, rater: str) -> tuple[WorkItem, ...]:
        """What a rater is to read, in order, told so that it stays blind.

        Raises
        ------
        InputError
            When the study has no such rater.
        """
        found = sorted(self.readings(rater), key=lambda r: r.order)
        return tuple(
            WorkItem(r.item, r.order, r.state, r.active_s, r.confidence, r.comment, r.not_gradable)
            for r in found
        )

    def next_item(self, rater: str) -> str | None:
        """The rater's first reading that is not finished, begun ones first; None: all are."""
        todo = [item for item in self.worklist(rater) if not item.state.is_finished]
        todo.sort(key=lambda item: item.state is not State.DRAFT)
        return todo[0].item if todo else None

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """What whoever runs the study last did to each reading, by item."""
        return verdicts_of(read_log(self.folder / LEDGER))

    # Inside

    @property
    def _work(self) -> Path:
        return self.folder / WORK_FOLDER

    @cached_property
    def _by_item(self) -> dict[str, Assignment]:
        return {a.item: a for a in self.assignments}

    def _facts(self, raters: tuple[str, ...]) -> dict[str, Facts]:
        files: dict[str, Found] = {}
        for rater in raters:
            files |= {
                name: file
                for name, file in files_in(self._work / rater, rater).items()
                if name.endswith((SUFFIX, LOG_SUFFIX))
            }
        ledger = self.folder / LEDGER
        if ledger.exists():
            told = ledger.stat()
            files[LEDGER] = Found(LEDGER, str(ledger), told.st_size, told.st_mtime_ns)
        return Index(self.folder, _LAYOUT).facts(files, _read)

    def _reading(
        self,
        assignment: Assignment,
        facts: Mapping[str, Facts],
        verdicts: Mapping[str, Verdict],
    ) -> Reading:
        stem = f"{assignment.rater}/{assignment.item}"
        seen, told = facts.get(stem + SUFFIX), facts.get(stem + LOG_SUFFIX)
        glance = Glance(**seen) if seen is not None else Glance()
        standing = Standing(**told) if told is not None else Standing()
        has_work = seen is not None and bool(glance.rater or glance.problem)
        state = state_of(has_work, standing, verdicts.get(assignment.item))
        return Reading(assignment, state, standing, glance, has_work, self)


def load_study(folder: str | Path) -> Study:
    """Load a study folder.

    An assignment or rater that cannot be used is left out and told in `Study.problems`.

    Raises
    ------
    InputError
        When the folder is no study, or its plan cannot be read.
    """
    folder = Path(folder)
    plan = read_plan(folder / FILE_NAME)
    problems = list(plan.problems)
    assignments = tuple(_assignments(folder / ASSIGNMENTS, plan, problems))
    return Study(folder, plan, assignments, tuple(problems))


def assignments_text(assignments: tuple[Assignment, ...]) -> str:
    """The content of `assignments.jsonl`: one line an assignment."""
    return "".join(json.dumps(a.facts()) + "\n" for a in assignments)


def _assignments(file: Path, plan: Plan, problems: list[str]) -> Iterator[Assignment]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f'"{file.name}" cannot be read: {error}') from error
    raters, cases = set(plan.raters), {case.id for case in plan.cases}
    seen: set[str] = set()
    try:  # at once: ten thousand short texts take several times as long
        told = json.loads(f"[{','.join(lines)}]")
    except ValueError:
        told = [_told(line) for line in lines]
    for number, facts in enumerate(told, start=1):
        try:
            found = Assignment.of_facts(facts)
        except (ValueError, KeyError, TypeError):
            problems.append(f"{file.name}: line {number} cannot be understood, it is left out")
            continue
        if not (is_item_name(found.item) and found.rater in raters and found.case in cases):
            problems.append(
                f"{file.name}: line {number} names a rater, case or reading that {FILE_NAME} has "
                "not, it is left out"
            )
        elif found.item in seen:
            problems.append(f"{file.name}: line {number} repeats {found.item}, it is left out")
        else:
            seen.add(found.item)
            yield found


def _told(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _read(path: Path) -> Facts:
    if path.name == LEDGER:
        return {item: [v.deed, v.word, v.by] for item, v in verdicts_of(read_log(path)).items()}
    if path.suffix == SUFFIX:
        return glance_at(path).facts()
    return Standing.of_log(read_log(path)).facts()
