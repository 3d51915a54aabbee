"""One rater's work in a study: lists the readings, opens them, hands them in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from .study_memory import LastStudy, last_study, remember
from .task import Task
from .widgets.reading_box import ReadingBox, Words
from .widgets.worklist_box import WorklistBox, WorkRow

if TYPE_CHECKING:
    from ..study import Sitting, Study, WorkItem
    from .coordinator import Coordinator

_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class _Listed:
    """A study and one rater's readings as they were a moment ago."""

    study: Study
    items: tuple[WorkItem, ...]

    def item(self, name: str) -> WorkItem | None:
        return next((item for item in self.items if item.item == name), None)


class Worklist(QObject):
    """Joins the sections of the work list with a study and with the case that is open.

    Only one thing is done at a time, beside the window; a wish that comes meanwhile is refused.
    """

    def __init__(
        self,
        box: WorklistBox,
        reading: ReadingBox,
        coordinator: Coordinator,
        ask_folder: Callable[[], Path | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box, self._reading, self._coordinator = box, reading, coordinator
        self._ask_folder = ask_folder
        self._folder: Path | None = None
        self._listed: _Listed | None = None
        self._task: Task | None = None
        box.folder_requested.connect(self._choose)
        box.load_requested.connect(lambda _: self.load())
        box.open_requested.connect(self.open)
        box.next_requested.connect(self.next)
        reading.submit_requested.connect(self.submit)
        reading.keep_requested.connect(self.keep)
        reading.reopen_requested.connect(self.reopen)
        coordinator.case_changed.connect(self._show)
        coordinator.work_file.state_told.connect(self._warn)
        if (last := last_study()) is not None:
            self._folder = last.folder
            box.show_study(last.folder.name, last.rater)

    @property
    def folder(self) -> Path | None:
        """The study's folder; None while none is chosen."""
        return self._folder

    @property
    def is_busy(self) -> bool:
        return self._task is not None and self._task.is_running

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def load(self, folder: Path | None = None, rater: str | None = None) -> None:
        """List a rater's readings in a study, as they are now."""
        self._folder = folder or self._folder
        where, who = self._folder, rater or self._box.rater
        if where is None or not who:
            missing = "study's folder" if where is None else "pseudonym"
            self._box.say(f"Say first what the {missing} is.", "warning")
            return
        self._box.show_study(where.name, who)
        self._do("Looking…", lambda: _list(where, who), self._take)

    def next(self) -> None:
        """Open the first reading that is not finished."""
        self.open("")

    def open(self, item: str) -> None:
        """Open a reading; the next one where no name is given.

        What was said of the present one is kept with it.
        """
        listed, rater = self._listed, self._box.rater
        where, before, words = self._folder, self._item, self._unkept
        if listed is None or where is None:
            return

        def sit() -> tuple[_Listed, Sitting]:
            from ..study import note, open_item

            if words is not None:
                note(
                    listed.study,
                    rater,
                    before,
                    confidence=words.confidence,
                    comment=words.comment,
                )
            now = _list(where, rater)
            return now, open_item(now.study, rater, item or None)

        self._do("Opening…", sit, self._sit)

    def submit(self, words: Words) -> None:
        """Hand the open reading in, with what its rater says."""
        if self._reading.lacks_reason:
            self._box.say("Say why no reading is possible.", "warning")
            return
        if not self._coordinator.work_file.is_enough:
            self._box.say("The last strokes could not be written: nothing was handed in.", "error")
            return
        self._change(
            lambda study, rater, item: _submit(study, rater, item, words), "is handed in", True
        )

    def keep(self, words: Words) -> None:
        """Keep what the rater says with the open reading, without handing it in."""

        def note(study: Study, rater: str, item: str) -> None:
            from ..study import note

            note(study, rater, item, confidence=words.confidence, comment=words.comment)

        self._change(note, "is kept", False)

    def reopen(self) -> None:
        """Take the open reading back to change it."""

        def take_back(study: Study, rater: str, item: str) -> None:
            from ..study import reopen

            reopen(study, rater, item)

        self._change(take_back, "can be changed again", True)

    # Inside

    def _choose(self) -> None:
        if (folder := self._ask_folder()) is not None:
            self._folder, self._listed = folder, None
            self._box.show_study(folder.name, self._box.rater)
            self._box.show_nothing()
            if self._box.rater:
                self.load()

    def _change(
        self, do: Callable[[Study, str, str], object], became: str, open_again: bool
    ) -> None:
        """Do something to the open reading; list what there is then, and show it as it is now."""
        listed, item, rater = self._listed, self._item, self._box.rater
        where = self._folder
        if listed is None or not item or where is None:
            return

        def change() -> tuple[_Listed, Sitting | None]:
            from ..study import open_item

            do(listed.study, rater, item)
            now = _list(where, rater)
            return now, open_item(now.study, rater, item) if open_again else None

        def show(found: tuple[_Listed, Sitting | None]) -> None:
            self._take(found[0])
            if found[1] is not None:
                self._coordinator.show_sitting(found[1])
            self._box.say(f"Reading {item} {became}.", "good")

        self._do("Writing…", change, show)

    def _do(self, busy: str, work: Callable[[], Any], take: Callable[[Any], None]) -> None:
        if self.is_busy:
            self._box.say("One thing at a time: wait a moment.", "warning")
            return
        self._box.say(busy)
        self._task = Task(lambda report, cancelled: work())
        self._task.finished.connect(self._box.clear_message)  # before `take` says its own
        self._task.finished.connect(take)
        self._task.failed.connect(lambda sentence: self._box.say(sentence, "error"))
        self._task.start()

    def _take(self, listed: _Listed) -> None:
        self._listed = listed
        remember(LastStudy(listed.study.folder, self._box.rater))
        if listed.study.problems:
            self._box.say("Parts of the study cannot be used: tell whoever runs it.", "warning")
        self._show()

    def _sit(self, found: tuple[_Listed, Sitting]) -> None:
        self._take(found[0])
        self._coordinator.show_sitting(found[1])

    @property
    def _unkept(self) -> Words | None:
        """What was said of the reading that is open and is not kept yet; None: nothing."""
        item = self._listed.item(self._item) if self._listed is not None else None
        if item is None or item.state.is_finished:
            return None
        words = self._reading.words
        same = (words.confidence, words.comment) == (item.confidence, item.comment)
        said = words.confidence is not None or bool(words.comment)
        return words if said and not same else None

    @property
    def _item(self) -> str:
        """The reading in the viewer, or empty."""
        session = self._coordinator.session
        return session.reading if session is not None else ""

    def _warn(self, sentence: str) -> None:
        """A popup is soon gone: say it beside the reading for as long as it holds."""
        session = self._coordinator.session
        is_reading = session is not None and bool(session.reading)
        self._reading.warn(sentence if is_reading else "")

    def _show(self) -> None:
        listed = self._listed
        if listed is None:
            return
        rows = [
            WorkRow(i.order, i.item, str(i.state), i.active_s / _SECONDS, i.confidence)
            for i in listed.items
        ]
        finished = sum(i.state.is_finished for i in listed.items)
        self._box.show_rows(rows, finished, self._item)
        item = listed.item(self._item)
        if item is None:
            self._reading.show_nothing()
            return
        words = Words(item.confidence, item.comment, item.not_gradable)
        self._reading.show_reading(
            item.item,
            str(item.state),
            words,
            not item.state.is_finished,
            self._coordinator.work_file.is_only_shown,
        )


def _list(folder: Path, rater: str) -> _Listed:
    from ..study import load_study

    study = load_study(folder)
    return _Listed(study, study.worklist(rater))


def _submit(study: Study, rater: str, item: str, words: Words) -> None:
    from ..study import submit

    submit(
        study,
        rater,
        item,
        confidence=words.confidence,
        comment=words.comment,
        not_gradable=words.not_gradable,
    )
