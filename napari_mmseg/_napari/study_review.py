"""Somebody else's reading in the viewer: listed for those who may look, read-only, written down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from .task import Task
from .widgets.review_box import ReviewBox, ReviewRow

if TYPE_CHECKING:
    from ..study import Reading, Sitting
    from .coordinator import Coordinator


class Reviewing(QObject):
    """Joins the Review section with a study and with the viewer.

    Parameters
    ----------
    box
        The section.
    coordinator
        Shows the reading.
    where, who
        Give the study's folder (None: not chosen) and the reviewer's pseudonym.
    """

    def __init__(
        self,
        box: ReviewBox,
        coordinator: Coordinator,
        where: Callable[[], Path | None],
        who: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box, self._coordinator = box, coordinator
        self._where, self._who = where, who
        self._task: Task | None = None
        box.list_requested.connect(self.find)
        box.open_requested.connect(self.open)

    @property
    def is_busy(self) -> bool:
        return self._task is not None and self._task.is_running

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def clear(self) -> None:
        """List nothing: somebody may sit down to their own work."""
        self.cancel()
        self._box.show_nothing()

    def find(self) -> None:
        """List all readings that were begun."""
        self._box.show_nothing()

        def find(folder: Path, who: str) -> tuple[Reading, ...]:
            from ..study import load_study, reviewable

            return reviewable(load_study(folder), who)

        self._do("Looking…", find, self._list)

    def open(self, item: str) -> None:
        """Show a reading, once its opening is written down."""

        def sit(folder: Path, who: str) -> Sitting:
            from ..study import load_study, open_review

            return open_review(load_study(folder), who, item)

        self._do("Opening…", sit, self._sit)

    # Inside

    def _do(self, busy: str, work: Callable[[Path, str], Any], take: Callable[[Any], None]) -> None:
        folder, who = self._where(), self._who()
        if folder is None or not who:
            missing = "study's folder" if folder is None else "pseudonym"
            self._box.say(f"Say first, above, what the {missing} is.", "warning")
            return
        if self.is_busy:
            self._box.say("One thing at a time: wait a moment.", "warning")
            return
        self._box.say(busy)
        self._task = Task(lambda report, cancelled: work(folder, who))
        self._task.finished.connect(lambda _: self._box.say(""))  # before `take` says its own
        self._task.finished.connect(take)
        self._task.failed.connect(lambda sentence: self._box.say(sentence, "error"))
        self._task.start()

    def _list(self, found: tuple[Reading, ...]) -> None:
        self._box.show_rows([ReviewRow(r.item, r.rater, r.case, str(r.state)) for r in found])

    def _sit(self, sitting: Sitting) -> None:
        if self._coordinator.show_sitting(sitting):
            self._box.say(
                f"Reading {sitting.item} by {sitting.rater} is shown; that is written down.", "good"
            )
