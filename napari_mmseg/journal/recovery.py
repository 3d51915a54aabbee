"""A whole work file out of a damaged one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..editing.act import Act, Deed
from ..errors import ExportError, InputError
from . import table
from .replay import Work, replay
from .schema import Row
from .scribe import Scribe


@dataclass(frozen=True)
class Recovery:
    """What was found in a damaged file.

    Parameters
    ----------
    rows, steps
        Whole rows, and the steps that can be undone or redone in the new file.
    lost
        Rows that a hole has swallowed or made useless, as far as they can be counted.
    was_damaged
        False when SQLite could read all of it.
    """

    rows: int
    steps: int
    lost: int
    was_damaged: bool


def recover(path: Path, out: Path) -> Recovery:
    """Write all that is whole in a work file to a new one.

    Raises
    ------
    InputError
        When the file holds nothing that can be used, or `out` is there.
    ExportError
        When the new file cannot be written.
    """
    if out.exists():
        raise InputError(f'"{out.name}" is there already: choose another name')
    rows, was_damaged = table.read_rows(path)
    if not rows:
        raise InputError(f'"{path.name}" is empty: there is nothing to recover in it')
    work = replay(rows)
    try:
        table.write_rows(out, recovered_rows(rows, work))
    except (OSError, sqlite3.Error) as error:
        raise ExportError(f'"{out.name}" was not written: {error}') from error
    steps = len(work.memory.done) + len(work.memory.undone)
    return Recovery(len(rows), steps, work.lost, was_damaged)


def recovered_rows(rows: Sequence[Row], work: Work) -> list[Row]:
    """The rows of a whole file: those before the first hole, and one step for all behind it."""
    first = next((i for i, row in enumerate(rows) if row.kind in ("base", "snapshot")), 0)
    whole = [rows[first]]
    for row in rows[first + 1 :]:
        if row.seq != whole[-1].seq + 1:
            break
        whole.append(row)
    if whole[0].seq != 1:
        return _from_copy(work)
    joined = work.memory.done[-1] if work.memory.done else None
    if joined is None or joined.state in work.step_rows:  # it is in the rows already
        return whole
    before = replay(whole)
    scribe = _scribe(before)
    at = work.entries[-1].at
    act = Act(Deed.STEP, joined, joined.state, work.memory.effort)
    return [*whole, *scribe.rows_of(act, at), *_ticks(scribe, work, at)]


def _from_copy(work: Work) -> list[Row]:
    """A file that begins anew with the codes now; for a file that has lost its beginning."""
    memory = work.memory
    scribe = Scribe(
        work.header,
        memory.codes,
        memory.proposal,
        memory.origin,
        memory.effort,
        memory.first_state,
    )
    at = work.entries[-1].at if work.entries else work.begun
    return [*scribe.beginning(at), *_ticks(scribe, work, at)]


def _ticks(scribe: Scribe, work: Work, at: float) -> list[Row]:
    """The accepted lesions, if there are any."""
    ticks = work.memory.ticks
    return scribe.ticks_rows(ticks, at) if ticks.items else []


def _scribe(work: Work) -> Scribe:
    memory = work.memory
    return Scribe(
        work.header,
        memory.codes,
        memory.proposal,
        memory.origin,
        memory.effort,
        memory.first_state,
        work,
    )
