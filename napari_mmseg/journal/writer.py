"""The thread that puts acts on the disk, so that whoever paints never waits for it."""

from __future__ import annotations

import contextlib
import errno
import math
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..editing.act import Act
from ..editing.effort import Effort
from ..editing.ticks import Ticks
from . import table, words
from .lock import BEAT_SECONDS, Lock
from .schema import Row
from .scribe import Scribe

#: How long to wait before writing is tried again after it failed (seconds).
RETRY_SECONDS = 2.0

#: How long closing waits when writing has failed before (seconds).
CLOSE_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class _Item:
    """Something to be written (or only waited for), and when it happened."""

    what: Act | Effort | Ticks | None
    at: float
    put: float
    done: threading.Event = field(default_factory=threading.Event)


class Writer:
    """Commits what it is given, in order, each time as much as has come in.

    Parameters
    ----------
    path
        The work file; it is made when there is something to write.
    scribe
        Turns acts into rows.
    lock
        Kept alive; when somebody takes it over, nothing more is written.
    on_trouble
        Called in the thread with one sentence when writing fails, once for each kind of failure,
        and when it works again. What could not be written is kept and tried again.
    """

    def __init__(
        self,
        path: Path,
        scribe: Scribe,
        lock: Lock | None = None,
        on_trouble: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.path = path
        self.slowest_seconds = 0.0
        self._scribe = scribe
        self._lock = lock
        self._on_trouble = on_trouble
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._rows: list[Row] = []
        self._waiting: list[_Item] = []
        self._trouble = ""
        self._on_disk = scribe.last_number
        self._retry_at = 0.0
        self._beat_at = time.monotonic() + BEAT_SECONDS
        self._closing = threading.Event()
        self._is_ours = True
        self._thread = threading.Thread(
            target=self._run, name="napari-mmseg work file", daemon=True
        )
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why nothing is written at the moment; empty when all is well."""
        return self._trouble

    def put(self, what: Act | Effort | Ticks) -> None:
        """Have an act written, as soon as the thread comes to it; never waits."""
        self._queue.put(_Item(what, time.time(), time.monotonic()))

    def flush(self, seconds: float = 10.0) -> bool:
        """Wait until all that was put is on the disk; False when it is not within `seconds`."""
        item = _Item(None, time.time(), time.monotonic())
        self._queue.put(item)
        return item.done.wait(seconds)

    def has_all(self, seconds: float = 10.0) -> bool:
        """Is all that was put on the disk? Waits for it, hardly where writing fails."""
        return self.flush(CLOSE_SECONDS if self._trouble else seconds) and not self._trouble

    def close(self, seconds: float = 10.0) -> bool:
        """Write what is left and end the thread; False when something could not be written."""
        written = self.has_all(seconds)
        self._closing.set()
        self._queue.put(_Item(None, time.time(), time.monotonic()))
        self._thread.join(seconds)
        return written

    # The thread

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._take()
                self._write()
                self._beat()
        except Exception as error:  # nobody else would see it: the thread is alone
            self._give_up(words.cannot_write(self.path, error))
            raise
        finally:
            self._disconnect()

    def _take(self) -> None:
        """Wait for something to do, and make rows of all that has come in."""
        until = min(self._beat_at, self._retry_at) if self._trouble else self._beat_at
        with contextlib.suppress(queue.Empty):
            item = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            while True:
                if not self._is_ours:
                    return
                if isinstance(item.what, Act):
                    self._rows += self._scribe.rows_of(item.what, item.at)
                elif isinstance(item.what, Effort):
                    self._rows += self._scribe.effort_row(item.what, item.at)
                elif isinstance(item.what, Ticks):
                    self._rows += self._scribe.ticks_rows(item.what, item.at)
                else:  # somebody waits for all to be written: try at once
                    self._retry_at = 0.0
                self._waiting.append(item)
                item = self._queue.get_nowait()

    def _write(self) -> None:
        """Commit what is waiting; on failure keep it for the next time."""
        if not self._waiting or not self._is_ours:
            return
        if self._trouble and time.monotonic() < self._retry_at:
            return
        try:
            if self._rows:
                self._commit()
        except (sqlite3.Error, OSError) as error:
            self._disconnect()
            self._retry_at = time.monotonic() + RETRY_SECONDS
            sentence = words.cannot_write(self.path, error)
            if sentence != self._trouble:
                self._trouble = sentence
                self._on_trouble(sentence)
            return
        now = time.monotonic()
        for item in self._waiting:
            if item.what is not None:
                self.slowest_seconds = max(self.slowest_seconds, now - item.put)
            item.done.set()
        self._waiting.clear()
        if self._trouble:
            self._trouble = ""
            self._on_trouble(words.written_again())

    def _commit(self) -> None:
        fresh = self._on_disk == 0
        if not fresh and not self.path.exists():  # a deleted file would take writes to nowhere
            raise FileNotFoundError(errno.ENOENT, "the work file is gone")
        if self._connection is None:
            if fresh:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = table.connect(self.path, create=fresh)
            if not table.is_empty(self._connection):
                there = table.last_number(self._connection)
                if there == self._rows[-1].seq:  # the commit that failed had got through after all
                    self._committed()
                    return
                if there != self._on_disk:
                    self._give_up(words.changed_by_others())
                    return
        if fresh:
            table.make(self._connection, self._rows)
        else:
            table.append(self._connection, self._rows)
        self._committed()

    def _committed(self) -> None:
        self._on_disk = self._rows[-1].seq
        self._rows.clear()

    def _beat(self) -> None:
        if time.monotonic() < self._beat_at:
            return
        self._beat_at = time.monotonic() + BEAT_SECONDS
        if self._lock is None or not self._is_ours:
            return
        try:
            other = self._lock.beat()
        except OSError:
            return  # the folder is away: writing says so
        if other is not None:
            self._give_up(words.taken_over(str(other)))

    def _give_up(self, sentence: str) -> None:
        """Write nothing any more, and say so."""
        self._is_ours = False
        self._disconnect()
        self._retry_at = math.inf
        self._trouble = sentence
        self._on_trouble(sentence)

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
