"""From the rows of a work file to what its session held: codes, proposal, undo and redo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..editing.act import Deed
from ..editing.effort import Effort
from ..editing.history import Memory, Origin, Step, new_state
from ..editing.patch import PackedPatch, difference
from ..editing.ticks import Ticks
from ..errors import InputError
from .codec import unpack_origin, unpack_step, unpack_ticks, unpack_volumes
from .header import Header
from .schema import Row

#: What a step is called that stands for everything behind a hole in a damaged file.
REPAIR_LABEL = "recovered: steps behind the damage, joined"


@dataclass(frozen=True, eq=False)
class Entry:
    """One act of the history: what was done to which step, when, and the effort up to then.

    `replaced` is the step that an amendment took the place of.
    """

    seq: int
    at: float
    deed: Deed
    step: Step | None
    effort: Effort
    replaced: Step | None = None


@dataclass(frozen=True, eq=False)
class Work:
    """What a work file tells.

    Parameters
    ----------
    header
        Case, grid, protocol and rater.
    begun
        When the file was begun (seconds since 1970, UTC).
    base
        The row with the labels that the work began with; `first_volumes` unpacks them.
    entries
        Every act, in order; what came between the ends of a hole is not among them.
    memory
        What a session needs to go on.
    last_seq
        The number of the last row.
    step_rows, origin_rows
        Row numbers by a step's state, and of origins.
    lost
        How many rows a hole has swallowed, or has cut off from what they build upon; what was
        cut from the end nobody can count.
    """

    header: Header
    begun: float
    base: Row
    entries: tuple[Entry, ...]
    memory: Memory
    last_seq: int
    step_rows: Mapping[int, int]
    origin_rows: tuple[tuple[Origin, int], ...]
    lost: int = 0

    def first_volumes(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Codes and proposal at the beginning; axes (I, P, L)."""
        return unpack_volumes(self.base.told["volumes"], self.base.data)


def replay(rows: Sequence[Row]) -> Work:
    """The work that the rows tell of, as far as they go.

    Where rows are missing, the work is taken up at the last snapshot behind the hole, if there is
    one: everything behind the hole is then one step, and undo reaches further back from there.

    Raises
    ------
    InputError
        When not even a snapshot is whole.
    """
    runs = _runs(rows)
    if not runs:
        raise InputError("the work file holds no whole copy of the labels: nothing to go on from")
    first = _Replay(runs[0])
    work = first.work()
    if len(runs) == 1:
        return replace(work, lost=rows[-1].seq - work.last_seq)
    later = _Replay(runs[-1]).work()
    return _joined(work, later, rows[-1].seq - len(runs[0]) - len(runs[-1]))


def _runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that follow one another, each run from its first full copy of the labels on."""
    runs: list[list[Row]] = []
    before = None
    for row in rows:
        follows = before is not None and row.seq == before + 1
        before = row.seq
        if follows and runs and runs[-1][-1].seq == row.seq - 1:
            runs[-1].append(row)
        elif row.kind in ("base", "snapshot"):
            runs.append([row])
    return runs


def _joined(work: Work, later: Work, lost: int) -> Work:
    """The work before a hole, and one step from there to the present."""
    old, new = work.memory, later.memory
    patch = difference(old.codes, new.codes)
    change = difference(old.proposal, new.proposal)
    step = Step(
        REPAIR_LABEL,
        PackedPatch.of(patch) if patch else None,
        PackedPatch.of(change) if change else None,
        old.origin,
        new.origin,
    )
    done = (*old.done, step)
    memory = replace(
        new,
        done=done,
        undone=(),
        first_state=old.first_state,
        saved_state=None,
        ticks=new.ticks if new.ticks.items else old.ticks,
    )
    at = later.entries[-1].at if later.entries else later.begun
    entry = Entry(later.last_seq, at, Deed.STEP, step, new.effort)
    return replace(work, entries=(*work.entries, entry), memory=memory, lost=lost)


class _Replay:
    """Takes in the rows of one run: histories first, voxels only from the last snapshot on."""

    def __init__(self, rows: list[Row]) -> None:
        self._base, self._rows = rows[0], rows
        self._copy = rows[0]
        facts = rows[0].told
        self._header = Header.of_facts(facts["header"])
        self._origin = unpack_origin(facts["origin"], b"")
        self._origins = {rows[0].seq: self._origin}
        self._effort = Effort.of_facts(facts["effort"])
        self._entries: list[Entry] = []
        self._since_copy = 0
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._step_rows: dict[int, int] = {}
        self._marked = 0
        self._ticks = Ticks()
        for row in rows[1:]:
            self._take(row)

    def work(self) -> Work:
        codes, proposal = unpack_volumes(self._copy.told["volumes"], self._copy.data)
        for entry in self._entries[self._since_copy :]:
            apply_entry(entry, codes, proposal)
        first_state, saved = new_state(), None
        if self._marked == 0 and self._base.kind == "base":
            saved = first_state
        for step in (*self._done, *self._undone):
            if self._step_rows[step.state] == self._marked:
                saved = step.state
        memory = Memory(
            codes,
            proposal,
            self._origin,
            tuple(self._done),
            tuple(self._undone),
            self._effort,
            first_state,
            saved,
            self._ticks,
        )
        return Work(
            self._header,
            self._base.at,
            self._base,
            tuple(self._entries),
            memory,
            self._rows[-1].seq,
            self._step_rows,
            tuple((origin, seq) for seq, origin in self._origins.items()),
        )

    def _take(self, row: Row) -> None:
        kind = row.kind
        if kind == "snapshot":
            self._copy, self._since_copy = row, len(self._entries)
            return
        if kind == "pad":
            return
        facts = row.told
        if kind == "origin":
            self._origins[row.seq] = unpack_origin(facts, row.data)
            if facts.get("first"):  # the whole of what the first row says briefly
                self._origin = self._origins[self._base.seq] = self._origins[row.seq]
            return
        self._effort = Effort.of_facts(facts["effort"])
        if kind == "mark":
            self._marked = facts["step"]
        elif kind == "ticks":
            self._ticks = unpack_ticks(facts, row.data)
        elif kind in ("step", "amend"):
            self._step(row, facts)
        elif kind in ("undo", "redo"):
            self._replayed(row, facts)

    def _step(self, row: Row, facts: dict[str, Any]) -> None:
        before = self._origins.get(facts["before"], self._origin)
        self._origin = self._origins.get(facts["after"], self._origin)
        step = unpack_step(facts, row.data, before, self._origin)
        replaced = None
        if row.kind == "amend" and self._done:
            replaced = self._done.pop()
        self._done.append(step)
        self._undone.clear()
        self._step_rows[step.state] = row.seq
        deed = Deed.AMEND if replaced is not None else Deed.STEP
        self._entries.append(Entry(row.seq, row.at, deed, step, self._effort, replaced))

    def _replayed(self, row: Row, facts: dict[str, Any]) -> None:
        deed = Deed(row.kind)
        source, target = self._done, self._undone
        if deed is Deed.REDO:
            source, target = target, source
        if not source or self._step_rows[source[-1].state] != facts["step"]:
            raise InputError(f"the work file's row {row.seq} takes back a step that is not there")
        step = source.pop()
        target.append(step)
        self._origin = step.before if deed is Deed.UNDO else step.after
        self._entries.append(Entry(row.seq, row.at, deed, step, self._effort))


def apply_entry(entry: Entry, codes: NDArray[np.uint8], proposal: NDArray[np.uint8]) -> None:
    """Do to codes and proposal, in place, what an act did."""
    if entry.replaced is not None:
        _apply(entry.replaced, codes, proposal, backwards=True)
    if entry.step is not None:
        _apply(entry.step, codes, proposal, backwards=entry.deed is Deed.UNDO)


def take_back_entry(entry: Entry, codes: NDArray[np.uint8], proposal: NDArray[np.uint8]) -> None:
    """Undo in codes and proposal, in place, what `apply_entry` did."""
    if entry.step is not None:
        _apply(entry.step, codes, proposal, backwards=entry.deed is not Deed.UNDO)
    if entry.replaced is not None:
        _apply(entry.replaced, codes, proposal, backwards=False)


def _apply(
    step: Step, codes: NDArray[np.uint8], proposal: NDArray[np.uint8], backwards: bool
) -> None:
    for packed, volume in ((step.codes, codes), (step.proposal, proposal)):
        if packed is not None:
            patch = packed.patch()
            (patch.reversed() if backwards else patch).write(volume)
