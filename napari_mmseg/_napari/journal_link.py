"""Opens and closes the work file with a case, and tells what it has to say."""

from __future__ import annotations

import atexit
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Qt, Signal

from ..annotation import Annotation
from ..errors import MmsegError
from .journal_further import FurtherWork

if TYPE_CHECKING:
    from ..editing import EditSession
    from ..journal import Journal
    from ..study import Sitting
    from .session import CaseSession

#: A refusal is told again only after so long: a drag of the mouse asks dozens of times (seconds).
REFUSALS_APART_SECONDS = 5.0


class JournalLink(QObject):
    """Keeps the work files of the case that is open in one viewer.

    `journal` is that of the first labels; further ones have a file each (`FurtherWork`).

    Signals
    -------
    state_told
        Why the work is not kept at the moment, in one sentence; empty when it is.
    """

    state_told = Signal(str)
    _trouble = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.journal: Journal | None = None
        self._further: FurtherWork | None = None
        self._session: CaseSession | None = None
        self._first: EditSession | None = None
        self._refused_at = -REFUSALS_APART_SECONDS
        self._keeps_all = False
        self._trouble.connect(self._tell_trouble, Qt.ConnectionType.QueuedConnection)

    def follow(
        self,
        session: CaseSession,
        given: Annotation | None = None,
        sitting: Sitting | None = None,
    ) -> None:
        """Take up the work on a case that has just been shown.

        Labels that were `given` from outside come on top of it as one step of undo. A `sitting`
        of a study says where its work is kept, and whether it can be changed.
        """
        from ..journal import Journal, own_place

        self.let_go()
        place = own_place(session.case) if sitting is None else sitting.place
        if place is None:
            return
        edit = session.edit
        edit.on_refused.append(self._tell_refusal)
        self._keeps_all = sitting is not None
        if sitting is not None and sitting.read_only:
            self._show_only(session, sitting)
            return
        try:
            self.journal = Journal(edit, place.file, place.fingerprint, place.rater, self._pass_on)
        except (MmsegError, OSError, sqlite3.Error) as error:
            self._keeps_all = False
            _warn(f"This work is not kept in a work file: {error}")
            return
        self._session, self._first = session, edit
        atexit.register(self.let_go)
        for event in _signs_of_work(session):
            event.connect(self._touch)
        session.viewer.mouse_move_callbacks.append(self._touch)
        self._further = FurtherWork(session, place, self._pass_on, self._tell_refusal)
        more = self._further.take_up()
        self._tell_opening(more)
        if given is not None and not np.array_equal(given.codes, edit.codes):
            edit.replace(given, "open labels")
        if self.journal.opening.resumed:
            session.jump_to(session.protocol.regions[0].name)

    @property
    def is_enough(self) -> bool:
        """Is all that was done kept where a study wants it, without an export?"""
        if not self._keeps_all:
            return False
        if self.journal is None:
            return True  # it could not be changed
        return self._has_all()

    @property
    def is_only_shown(self) -> bool:
        """Is the work on the first labels another window's, only shown here?"""
        return self.journal is not None and self.journal.writer is None

    @property
    def has_nothing_to_lose(self) -> bool:
        """Are all labels that were not exported another window's, only shown here?"""
        if self._session is None:
            return False
        unsaved = [track.edit for track in self._session.tracks if not track.edit.is_saved]
        journals = [self._journal_of(edit) for edit in unsaved]
        return all(journal is not None and journal.writer is None for journal in journals)

    def tell_kept(self) -> str:
        """Whether changes that are not exported are lost, in one sentence for the user."""
        if self.journal is not None and self._has_all():
            return "The work file keeps them either way: the case goes on here when it is reopened."
        return "They are in no work file: what is discarded is lost."

    def let_go(self) -> None:
        """Write what is left and close the file."""
        session, self._session, self._first = self._session, None, None
        self._keeps_all = False
        journal, self.journal = self.journal, None
        further, self._further = self._further, None
        atexit.unregister(self.let_go)
        if session is not None:
            for event in _signs_of_work(session):
                event.disconnect(self._touch)
            session.viewer.mouse_move_callbacks.remove(self._touch)
        with suppress(RuntimeError):  # at the end of the program the window may be gone already
            self.state_told.emit("")
        written = further is None or further.let_go()
        if journal is not None:
            written = journal.close() and written
        if not written:
            _warn(
                "The last steps could not be written to the work file: what is on the screen is "
                "all there is of them, export it"
            )

    def start_afresh(self) -> None:
        """Begin the labels in hand again as they were; the work so far is kept beside."""
        journal = self._journal_in_hand()
        if journal is None:
            _warn("There is no work file to start afresh: open a case first")
            return
        self._start_afresh(journal)

    # Inside

    def _start_afresh(self, journal: Journal) -> None:
        if journal not in self._journals:  # a popup stays for a while after its case is left
            _warn("Those labels are no longer open here: nothing was changed")
            return
        backup = journal.start_afresh()
        if backup is not None:
            _inform(f"Started afresh. The earlier work is kept as {backup.name}.")

    def _show_only(self, session: CaseSession, sitting: Sitting) -> None:
        if sitting.memory is not None:
            session.edit.resume(sitting.memory)
            session.jump_to(session.protocol.regions[0].name)
        session.edit.freeze(sitting.read_only)
        self.state_told.emit(sitting.read_only)
        _inform(sitting.read_only)

    def _pass_on(self, sentence: str) -> None:
        """From the writer's thread to the window's; the window may be gone already."""
        with suppress(RuntimeError):
            self._trouble.emit(sentence)

    def _tell_trouble(self, sentence: str) -> None:
        """A popup for what has just happened, a line in the panel for as long as it lasts."""
        from ..journal.words import written_again

        if sentence == written_again():
            _inform(sentence)
        else:
            _warn(sentence)
        self._tell_state()

    def _tell_state(self) -> None:
        troubles = [
            journal.writer.trouble if journal.writer is not None else journal.opening.notes[0]
            for journal in self._journals
        ]
        self.state_told.emit(next(filter(None, troubles), ""))

    @property
    def _journals(self) -> tuple[Journal, ...]:
        first = () if self.journal is None else (self.journal,)
        return first if self._further is None else (*first, *self._further.journals)

    def _has_all(self) -> bool:
        """Is every change of every labels on the disk?"""
        writers = [journal.writer for journal in self._journals]
        return all(writer is not None and writer.has_all() for writer in writers)

    def _journal_of(self, edit: EditSession) -> Journal | None:
        """That of an annotation; None when it is kept elsewhere or not at all."""
        if edit is self._first:
            return self.journal
        return self._further.journal_of(edit) if self._further is not None else None

    def _journal_in_hand(self) -> Journal | None:
        """That of the labels in hand; the first where those are kept elsewhere."""
        if self._session is None:
            return self.journal
        return self._journal_of(self._session.edit) or self.journal

    def _touch(self, *_: object) -> None:
        journal = self._journal_in_hand()
        if journal is not None:
            journal.touch()

    def _tell_opening(self, more: list[str]) -> None:
        """What was found; `more` are the names of further labels."""
        assert self.journal is not None
        opening = self.journal.opening
        notes = [note for journal in self._journals for note in journal.opening.notes]
        for note in dict.fromkeys(notes):
            _warn(note)
        self._tell_state()
        told, buttons = [], []
        if opening.resumed and self.journal.writer is not None:
            buttons.append(("Start afresh", partial(self._start_afresh, self.journal)))
            steps = "1 step" if opening.resumed == 1 else f"{opening.resumed} steps"
            told.append(f"Your work on this case goes on where it was ({steps}, undo included).")
        if more:
            told.append(f"Further labels are in the layer list, hidden: {', '.join(more)}.")
        if told:
            _inform(" ".join(told), *buttons)

    def _tell_refusal(self, sentence: str) -> None:
        now = time.monotonic()
        if now - self._refused_at >= REFUSALS_APART_SECONDS:
            self._refused_at = now
            _warn(sentence)


def _signs_of_work(session: CaseSession) -> tuple[Any, ...]:
    """What happens in a viewer while somebody looks at a case."""
    dims = session.viewer.dims.events
    return dims.current_step, dims.order, dims.ndisplay


def _warn(sentence: str) -> None:
    from napari.utils.notifications import show_warning

    show_warning(sentence)


def _inform(sentence: str, *buttons: tuple[str, Callable[[], Any]]) -> None:
    from napari.utils.notifications import Notification, notification_manager

    # The signature of the buttons' callbacks: the notification's own widget is handed over.
    actions = [(text, lambda *_, act=act: act()) for text, act in buttons]
    notification_manager.dispatch(Notification(sentence, "info", actions=actions))
