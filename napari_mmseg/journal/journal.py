"""Joins an edit session and its work file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..editing import EditSession
from ..editing.act import Act
from ..errors import InputError
from . import table
from .header import Header
from .lock import InUse, Lock
from .replay import Work, replay
from .scribe import Scribe
from .writer import Writer

#: Time at work without a step is written down this often (seconds).
EFFORT_SECONDS = 15.0


@dataclass(frozen=True)
class Opening:
    """What was found when a case was opened.

    Parameters
    ----------
    resumed
        Steps that were taken up, undone ones included.
    notes
        Sentences for the user: what was repaired, who else works here.
    """

    resumed: int = 0
    notes: tuple[str, ...] = ()


class Journal:
    """Keeps a session's work file, from `open` to `close`.

    Parameters
    ----------
    session
        What is edited; it goes on from what the file holds.
    path
        The work file; it is made at the first step.
    fingerprint, rater
        Of the case, and the pseudonym of whoever works.
    on_trouble
        Called with one sentence when the file cannot be written; in the writer's thread.
    layer
        What the labels are called, where they are not the first of the case.

    Raises
    ------
    InputError
        When the file that is there is not a work file, or is made by a newer version.
    """

    def __init__(
        self,
        session: EditSession,
        path: Path,
        fingerprint: str,
        rater: str,
        on_trouble: Callable[[str], None] = lambda sentence: None,
        layer: str = "",
    ) -> None:
        self.path = path
        self._session = session
        self._header = Header.new(fingerprint, rater, session.grid, session.protocol, layer)
        self._on_trouble = on_trouble
        self._writer: Writer | None = None
        self._lock: Lock | None = None
        self._sent = time.monotonic()
        self._fresh = session.memory()
        self.opening = self._open()

    @property
    def writer(self) -> Writer | None:
        """The thread that writes; None when another window holds the file."""
        return self._writer

    def touch(self) -> None:
        """The user is at work: counted, and written down now and then."""
        self._session.touch()
        if self._writer is not None and time.monotonic() - self._sent > EFFORT_SECONDS:
            self._sent = time.monotonic()
            self._writer.put(self._session.effort)

    def start_afresh(self) -> Path | None:
        """Begin with what the case was opened with; where the work so far is kept."""
        if self._writer is None:
            return None
        self._session.end()
        self._stop_writing()
        backup = set_aside(self.path) if self.path.exists() else None
        self._session.resume(self._fresh)
        self._start_writing(None)
        return backup

    def close(self) -> bool:
        """Write the rest and let go; False when something could not be written."""
        self._session.end()
        written = self._stop_writing()
        if self._lock is not None:
            self._lock.release()
        return written

    # Inside

    def _open(self) -> Opening:
        notes: list[str] = []
        try:
            self._lock = Lock.take(self.path)
        except InUse as refusal:
            return self._open_read_only(refusal)
        except OSError:
            pass  # the folder cannot be written: the writer says so at the first step
        try:
            work = self._load(notes)
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise
        if work is not None:
            self._session.resume(work.memory)
        self._start_writing(work)
        return Opening(_steps(work), tuple(notes))

    def _open_read_only(self, refusal: InUse) -> Opening:
        notes = [f"{str(refusal)[:1].upper()}{str(refusal)[1:]}."]
        work = self._load(notes, may_repair=False)
        if work is not None:
            self._session.resume(work.memory)
        self._session.freeze(notes[0])
        return Opening(_steps(work), tuple(notes))

    def _load(self, notes: list[str], may_repair: bool = True) -> Work | None:
        """What the file holds, repaired where it is damaged; None when there is nothing to use."""
        if not self.path.exists():
            return None
        rows, is_damaged = table.read_rows(self.path)
        if not rows:
            return None
        work = replay(rows)
        if not work.header.fits(self._session.grid, self._session.protocol):
            if may_repair:
                backup = set_aside(self.path)
                notes.append(
                    "The earlier work on this case is on another grid or under another protocol: "
                    f"it is kept as {backup.name}."
                )
            return None
        if is_damaged and may_repair:
            from .recovery import recovered_rows

            backup = set_aside(self.path)
            table.write_rows(self.path, recovered_rows(rows, work))
            lost = f", {work.lost} rows behind the damage were not" if work.lost else ""
            notes.append(
                f"The work file was damaged: {_steps(work)} steps were recovered{lost}; "
                f"the damaged file is kept as {backup.name}."
            )
            work = replay(table.read_rows(self.path)[0])
        if may_repair and not work.entries and not work.memory.effort.strokes:
            return self._only_ticks(work, notes)
        return work

    def _only_ticks(self, work: Work, notes: list[str]) -> Work | None:
        """A file of accepted lesions alone: it does not bring labels back that others replaced."""
        memory = work.memory
        if not memory.ticks.items or np.array_equal(memory.codes, self._session.codes):
            return work
        backup = set_aside(self.path)
        self._session.tick(memory.ticks)
        notes.append(
            "The labels of this case have changed since its lesions were accepted: those that are "
            f"still the same are ticked, the earlier work is kept as {backup.name}."
        )
        return None

    def _start_writing(self, work: Work | None) -> None:
        memory = self._session.memory()
        scribe = Scribe(
            self._header,
            memory.codes,
            memory.proposal,
            memory.origin,
            memory.effort,
            memory.first_state,
            work,
        )
        self._writer = Writer(self.path, scribe, self._lock, self._on_trouble)
        self._session.on_act.append(self._note)
        self._session.on_ticks.append(self._note_ticks)
        if work is None and self._session.ticks.items:
            self._note_ticks()

    def _stop_writing(self) -> bool:
        if self._writer is None:
            return True
        self._session.on_act.remove(self._note)
        self._session.on_ticks.remove(self._note_ticks)
        self._writer.put(self._session.effort)
        writer, self._writer = self._writer, None
        return writer.close()

    def _note(self, act: Act) -> None:
        assert self._writer is not None
        self._sent = time.monotonic()
        self._writer.put(act)

    def _note_ticks(self) -> None:
        assert self._writer is not None
        self._writer.put(self._session.ticks)


def load_work(path: Path) -> tuple[Work, bool]:
    """What a work file tells, and whether it is damaged.

    Raises
    ------
    InputError
        When it holds nothing that can be used.
    """
    rows, is_damaged = table.read_rows(path)
    if not rows:
        raise InputError(f'"{path.name}" is empty: nothing was drawn before it was closed')
    return replay(rows), is_damaged


def set_aside(path: Path) -> Path:
    """Keep a work file under a free name, which no case takes up again; returns that."""
    number = 1
    while (backup := path.with_name(f"{path.name}.{number}.bak")).exists():
        number += 1
    path.rename(backup)
    return backup


def _steps(work: Work | None) -> int:
    return len(work.memory.done) + len(work.memory.undone) if work is not None else 0
