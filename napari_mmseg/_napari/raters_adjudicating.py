"""An adjudication in the viewer: decisions become steps of an annotation that can be painted on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QObject

from ..annotation import Annotation
from ..case import Case
from ..editing import EditSession
from ..errors import MmsegError
from .session import CaseSession, Track
from .task import Task

if TYPE_CHECKING:
    from ..agreement.adjudicate import Adjudication
    from ..agreement.adjudication_log import AdjudicationLog
    from ..agreement.decisions import Decision, Taken
    from ..agreement.disputes import Dispute
    from ..editing.act import Act

LAYER_NAME = "Adjudication"

#: Faint, since outlines and image are what one decides by.
_OPACITY = 0.3

#: Letters of a log's file name that tell one set of raters from another.
_DIGITS = 12


class AlreadyMade(MmsegError):
    """An adjudication of this case is open already."""


@dataclass(frozen=True)
class _Deed:
    """What was decided, so that it can be done again after an undo.

    `number` is that of the decision in the log.
    """

    key: str | None
    taken: Taken
    rater: str | None
    number: int = 0


class Adjudicator(QObject):
    """Runs one adjudication at a time over the annotation of a case's session.

    Decisions are steps of the annotation's undo history: whatever takes one back, the panel or
    Ctrl+Z, takes it back in the log too. What was painted meanwhile is logged with the next
    decision or with the export.

    Signals
    -------
    begun
        The disputes are ready to be settled.
    changed
        A decision was made or taken back.
    told
        A sentence for the user, and its kind (see `Banner`).
    """

    begun = Signal()
    changed = Signal()
    told = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: CaseSession | None = None
        self._adjudication: Adjudication | None = None
        self._log: AdjudicationLog | None = None
        self._track: Track | None = None
        self._task: Task | None = None
        # By the state of the step that they became: decisions, and decisions of an earlier sitting
        # that were taken back.
        self._deeds: dict[int, _Deed] = {}
        self._undone: dict[int, _Deed] = {}
        self._is_deciding = False

    @property
    def is_running(self) -> bool:
        return self._adjudication is not None

    @property
    def is_busy(self) -> bool:
        return self._task is not None and self._task.is_running

    @property
    def disputes(self) -> tuple[Dispute, ...]:
        return self._adjudication.disputes if self._adjudication is not None else ()

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Those in force, in order."""
        return self._adjudication.decisions if self._adjudication is not None else ()

    @property
    def can_undo(self) -> bool:
        if self._adjudication is None or self._track is None:
            return False
        return self._undoes_a_step(self._track.edit) or bool(self._adjudication.decisions)

    def begin(
        self,
        session: CaseSession,
        annotations: Mapping[str, Annotation],
        name: str,
        tolerance_mm: float,
    ) -> None:
        """Put the majority together beside the window, take up the log, and show the result."""
        if self.is_running or self.is_busy:
            raise AlreadyMade("The disagreements of this case are being settled already")
        self._session = session
        case, raters = session.case, dict(annotations)

        def make(report: object, cancelled: object) -> tuple[Adjudication, AdjudicationLog | None]:
            from ..agreement.adjudicate import Adjudication
            from ..agreement.adjudication_log import open_log

            made = Adjudication(raters, name=name, tolerance_mm=tolerance_mm)
            file = log_file(case, made)
            return made, open_log(file, made) if file is not None else None

        self._task = Task(make)
        self._task.finished.connect(self._take_up)
        self._task.failed.connect(lambda sentence: self.told.emit(sentence, "error"))
        self._task.start()

    def take(self, key: str, taken: Taken, rater: str | None = None) -> bool:
        """Settle a dispute: as a rater has it, the majority, or as it is painted; False: not."""
        adjudication, track = self._adjudication, self._track
        if adjudication is None or track is None or self._session is None:
            return False
        edit = track.edit
        edit.end()
        self._is_deciding = True
        try:
            if taken != "painted" and (edit.codes != adjudication.codes).any():
                adjudication.take_painted(None, edit.codes.copy())
            deed = _decided(adjudication, edit, _Deed(key, taken, rater))
            edit.replace(adjudication.result(), _label(deed), as_proposal=False)
        except MmsegError as error:
            self.told.emit(str(error), "error")
            return False
        finally:
            self._is_deciding = False
        self._deeds[edit.state] = deed
        self._keep()
        self.changed.emit()
        return True

    def undo(self) -> None:
        """Take back the last decision, or the last stroke after it."""
        adjudication, track = self._adjudication, self._track
        if adjudication is None or track is None:
            return
        if self._undoes_a_step(track.edit):
            track.edit.undo()
        elif (decision := adjudication.undo()) is not None:  # of an earlier sitting: no step here
            self._is_deciding = True
            track.edit.replace(adjudication.result(), "undo a decision", as_proposal=False)
            self._is_deciding = False
            self._undone[track.edit.state] = _Deed(decision.dispute, decision.taken, decision.rater)
            self._keep()
        self.changed.emit()

    def end(self) -> None:
        """Let go of the adjudication; its layer stays until the case is left."""
        if self._task is not None:
            self._task.cancel()
        if self._track is not None and self._follow_act in self._track.edit.on_act:
            self._track.edit.on_act.remove(self._follow_act)
        self._adjudication = self._log = self._track = self._session = None
        self._deeds, self._undone = {}, {}

    # Inside

    def _undoes_a_step(self, edit: EditSession) -> bool:
        """Is there a step to take back which is not itself the undoing of a decision?"""
        return edit.can_undo and edit.state not in self._undone

    def _take_up(self, made: tuple[Adjudication, AdjudicationLog | None]) -> None:
        session = self._session
        if session is None:
            return
        self._adjudication, self._log = made
        self._track = session.show_annotation(
            self._adjudication.result(), LAYER_NAME, is_logged=self._log is not None
        )
        self._track.layer.opacity = _OPACITY
        self._track.edit.on_act.append(self._follow_act)
        self.told.emit(*self._opening(session.case))
        self.begun.emit()

    def _opening(self, case: Case) -> tuple[str, str]:
        """What there is to know at the beginning, and how grave it is."""
        if self._log is None:
            return "Work files are switched off: decisions are kept in this window only.", "warning"
        count = len(self.decisions)
        said = [f"{note[:1].upper()}{note[1:]}." for note in self._log.notes]
        if count:
            word = "decision" if count == 1 else "decisions"
            said.append(f"Goes on where it was, with {count} {word} of before.")
        return "\n".join(said), "warning" if self._log.notes else "info"

    def _follow_act(self, act: Act) -> None:
        """A decision that was taken back or done again elsewhere is so in the log too."""
        from ..editing.act import Deed

        if act.deed is Deed.MARK:
            self._log_painted()
        adjudication = self._adjudication
        if self._is_deciding or adjudication is None or act.step is None or self._track is None:
            return
        state, edit = act.step.state, self._track.edit
        if (deed := self._deeds.get(state)) is not None:
            if act.deed is Deed.UNDO:
                while adjudication.decisions and adjudication.decisions[-1].number >= deed.number:
                    adjudication.undo()  # with what was painted after it
            elif act.deed is Deed.REDO:
                self._deeds[state] = _decided(adjudication, edit, deed)
        elif (deed := self._undone.get(state)) is not None:
            if act.deed is Deed.UNDO:
                _decided(adjudication, edit, deed)
            elif act.deed is Deed.REDO:
                adjudication.undo()
        else:
            return
        self._keep()
        self.changed.emit()

    def _log_painted(self) -> None:
        """What is exported is in the log too, also what was painted after the last decision."""
        adjudication, track = self._adjudication, self._track
        if adjudication is None or track is None:
            return
        if (track.edit.codes != adjudication.codes).any():
            adjudication.take_painted(None, track.edit.codes.copy())
            self._keep()
            self.changed.emit()

    def _keep(self) -> None:
        if self._log is None:
            return
        try:
            self._log.keep()
        except MmsegError as error:
            self.told.emit(f"The decision is not kept on disk: {error}", "error")


def log_file(case: Case, adjudication: Adjudication) -> Path | None:
    """Where the log of an adjudication lies: one for each case, set of raters and adjudicator.

    None when no work files are wanted.
    """
    from ..journal import fingerprint_of, work_folder, work_path

    folder = work_folder()
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    told = repr((sorted(adjudication.sources.items()), adjudication.tolerance_mm))
    raters = hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]
    path = work_path(folder, fingerprint_of(case), adjudication.name)
    return path.with_name(f"{path.stem}-{raters}.adjudication.jsonl")


def _decided(adjudication: Adjudication, edit: EditSession, deed: _Deed) -> _Deed:
    """Decide; the deed with the number of the decision."""
    if deed.taken == "painted" or deed.key is None:
        made = adjudication.take_painted(deed.key, edit.codes.copy())
    elif deed.taken == "rater" and deed.rater is not None:
        made = adjudication.take_rater(deed.key, deed.rater)
    else:
        made = adjudication.take_majority(deed.key)
    return replace(deed, number=made.number)


def _label(deed: _Deed) -> str:
    """What undo says that it takes back."""
    whose = {"majority": "majority", "painted": "by hand"}.get(deed.taken)
    return f"settle {deed.key}: {deed.rater or whose}"
