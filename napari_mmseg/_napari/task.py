"""Work beside the window: a thread whose news arrive in the window's own thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from ..errors import Cancelled, MmsegError

_log = logging.getLogger(__name__)


class Task(QObject):
    """Runs `work(report, cancelled)` once in a thread of its own.

    `report(stage, fraction)` may be called from the thread; `cancelled()` tells it to stop. After
    `cancel` nothing but `stopped` is emitted, at once, however long the thread still takes: its
    result is dropped.
    """

    progressed = Signal(str, float)
    finished = Signal(object)
    failed = Signal(str)
    stopped = Signal()

    _news = Signal(str, object)

    def __init__(
        self,
        work: Callable[[Callable[[str, float], None], Callable[[], bool]], Any],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._work = work
        self._cancel = threading.Event()
        self._over = False
        self._news.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name="napari-mmseg", daemon=True)

    def start(self) -> Task:
        self._thread.start()
        return self

    @property
    def is_running(self) -> bool:
        """Is its news still awaited? False once it was cancelled."""
        return not self._over

    def cancel(self) -> None:
        self._cancel.set()
        if not self._over:
            self._over = True
            self.stopped.emit()

    def wait(self, seconds: float) -> bool:
        """Wait for the thread itself; True when it has ended."""
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            result = self._work(self._report, self._cancel.is_set)
        except Cancelled:
            self._tell("stopped", None)
        except MmsegError as error:
            self._tell("failed", str(error))
        except MemoryError:
            self._tell("failed", "there is not enough memory for this: close other programs")
        except Exception as error:  # any other defect must not take the window down with it
            _log.exception("a task failed")
            self._tell("failed", f"an unexpected error stopped this: {type(error).__name__}")
        else:
            self._tell("finished", result)

    def _report(self, stage: str, fraction: float) -> None:
        self._tell("progressed", (stage, fraction))

    def _tell(self, kind: str, value: object) -> None:
        try:
            self._news.emit(kind, value)
        except RuntimeError:
            _log.debug("the window was closed before a task ended")

    def _receive(self, kind: str, value: Any) -> None:
        if self._over:
            return
        if kind == "progressed":
            self.progressed.emit(*value)
            return
        self._over = True
        if kind == "finished":
            self.finished.emit(value)
        elif kind == "failed":
            self.failed.emit(value)
        else:
            self.stopped.emit()
