"""Runs the model beside the window, puts the result into the annotation, follows the sliders."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Qt, QTimer, Signal

from ..case import Case
from ..editing import EditSession
from ..errors import MmsegError
from .layers import best_slice
from .pause import after_pause
from .prediction_layers import (
    remove_preview,
    remove_uncertainty,
    show_preview,
    show_uncertainty,
    uncertainty_shown,
)
from .segment_texts import WAITING, result_text, stage_text
from .session import CaseSession
from .task import Task
from .widgets.region_box import RegionBox
from .widgets.segment_box import ModelOffer, SegmentBox, SegmentRequest

if TYPE_CHECKING:
    from ..annotation import Annotation
    from ..inference import Prediction

#: Moves of a slider that come closer than this are drawn as one.
_SLIDER_PAUSE_MS = 30

#: How often it is looked whether a stroke has ended that a result waits for.
_STROKE_PAUSE_MS = 50


@dataclass(frozen=True, eq=False)
class _Job:
    """One run of the model: what was asked, and the annotation in hand as it was then."""

    case: Case
    request: SegmentRequest
    edit: EditSession
    codes: NDArray[np.uint8]


class Segmenter(QObject):
    """Joins the Segment and Regions sections with the session of the open case.

    `session()` gives that session, or None. While the model runs the user may go on painting: the
    result comes between strokes, and what was changed since the start is put back on top of it.
    """

    _previewed = Signal(object, object)  # _Job, Prediction: from the task's thread

    def __init__(
        self,
        box: SegmentBox,
        regions: RegionBox,
        session: Callable[[], CaseSession | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box = box
        self._regions = regions
        self._session = session
        self._task: Task | None = None
        self._job: _Job | None = None
        self._looked_at: tuple[float, ...] | None = None  # where the preview's jump led
        self._late: tuple[_Job, Prediction, float] | None = None  # waits for a stroke to end
        self._stroke_timer = QTimer(self)
        self._stroke_timer.setInterval(_STROKE_PAUSE_MS)
        self._stroke_timer.timeout.connect(self._take_late)
        self._predictions: WeakKeyDictionary[EditSession, Prediction] = WeakKeyDictionary()
        self._wanted: dict[str, float] = {}
        self._timer = after_pause(self, _SLIDER_PAUSE_MS, self._apply_thresholds)
        box.run_requested.connect(self.run)
        box.cancel_requested.connect(self.cancel)
        box.uncertainty_wanted.connect(self._on_uncertainty)
        regions.thresholds_changed.connect(self._on_thresholds)
        self._previewed.connect(self._show_preview, Qt.ConnectionType.QueuedConnection)

    @property
    def is_running(self) -> bool:
        """Is a result still awaited?"""
        return self._late is not None or (self._task is not None and self._task.is_running)

    def offer_models(self) -> None:
        """Fill the list of models; says so when there is none."""
        try:
            models = _models()
        except MmsegError as error:
            self._box.show_error(str(error))
            return
        self._box.offer_models(models)
        if not models:
            self._box.show_error(
                "No model is installed: train one with `napari-mmseg train`, or put a model's "
                "folder where `napari-mmseg doctor` says."
            )

    def run(self, request: SegmentRequest) -> None:
        session = self._session()
        if session is None or self.is_running or not session.model_allowed:
            return
        job = _Job(session.case, request, session.edit, session.edit.codes.copy())
        self._job, self._looked_at = job, None
        self._box.show_progress("Starting", 0.0)
        self._task = Task(
            lambda report, cancelled: _predict(
                job, lambda found: self._tell_preview(job, found), report, cancelled
            )
        )
        self._task.progressed.connect(
            lambda stage, fraction: self._box.show_progress(stage_text(stage), fraction)
        )
        self._task.finished.connect(lambda found: self._receive(job, *found))
        self._task.failed.connect(self._show_failure)
        self._task.stopped.connect(self._show_stopped)
        self._task.start()

    def cancel(self) -> None:
        if self._late is not None:
            self._stroke_timer.stop()
            self._late = None
            self._show_stopped()
        elif self._task is not None:
            self._task.cancel()

    def prediction_of(self, edit: EditSession) -> Prediction | None:
        """What a model of this session said of an annotation."""
        return self._predictions.get(edit)

    def follow(self, edit: EditSession) -> None:
        """Show the thresholds of the annotation in hand, if a model of this session made it."""
        prediction = self._predictions.get(edit)
        session = self._session()
        shown = session is not None and uncertainty_shown(session.viewer, session.case)
        self._box.offer_uncertainty(prediction is not None, shown)
        if prediction is None:
            self._regions.show_thresholds(None)
        elif not self._timer.isActive():
            self._regions.show_thresholds({**prediction.thresholds, **edit.provenance.thresholds})

    # The preview

    def _tell_preview(self, job: _Job, found: Prediction) -> None:
        """Called from the task's thread; the window may be gone by then."""
        with suppress(RuntimeError):
            self._previewed.emit(job, found)

    def _show_preview(self, job: _Job, found: Prediction) -> None:
        session = self._session()
        if self._job is not job or not self.is_running or self._late is not None:
            return
        if session is None or session.case is not job.case:
            return
        proposal = found.annotation()
        if show_preview(session.viewer, session.case, proposal, session.labels) is None:
            return
        self._box.show_preview()
        if not session.edit.codes.any():  # nobody is at work elsewhere in the brain
            axis = int(session.viewer.dims.order[0]) if session.viewer.dims.ndisplay == 2 else 0
            table = proposal.protocol.inside_table(proposal.protocol.regions[0].name)
            index = best_slice(proposal.codes, table, axis)
            if index is not None:
                session.looks.go_to_slice(axis, index)
                self._looked_at = tuple(session.viewer.dims.point)

    def _drop_preview(self) -> None:
        self._job = None
        session = self._session()
        if session is not None:
            remove_preview(session.viewer, session.case)

    def _show_failure(self, sentence: str) -> None:
        self._drop_preview()
        self._box.show_error(sentence)

    def _show_stopped(self) -> None:
        self._drop_preview()
        self._box.show_note("Cancelled: nothing was changed.")

    # The result

    def _receive(self, job: _Job, prediction: Prediction, seconds: float) -> None:
        self._late = (job, prediction, seconds)
        self._take_late()

    def _take_late(self) -> None:
        """Show the result that waits, unless a stroke is being drawn: that is waited for."""
        session = self._session()
        if self._late is None:
            self._stroke_timer.stop()
        elif session is not None and session.edit.is_open:
            self._box.show_progress(WAITING, 1.0)
            self._stroke_timer.start()
        else:
            self._stroke_timer.stop()
            (job, prediction, seconds), self._late = self._late, None
            self._show_result(job, prediction, seconds)

    def _show_result(self, job: _Job, prediction: Prediction, seconds: float) -> None:
        session = self._session()
        if session is None or session.case is not job.case:
            return
        self._drop_preview()
        annotation = prediction.annotation()
        was_empty = not session.edit.codes.any()
        kept = False
        if job.request.new_layer:
            edit = session.add_annotation(annotation, f"Segmentation ({job.request.model})").edit
        else:
            edit = job.edit if job.edit in [t.edit for t in session.tracks] else session.edit
            kept = _replace(edit, job, annotation)
        self._predictions[edit] = prediction
        self.follow(session.edit)
        if was_empty and self._looked_at in (None, tuple(session.viewer.dims.point)):
            session.jump_to(session.protocol.regions[0].name)
        if uncertainty_shown(session.viewer, session.case):
            show_uncertainty(session.viewer, session.case, prediction)
        told = result_text(annotation, seconds, prediction, kept)
        self._box.show_result(told, annotation.provenance.warnings)

    def _on_uncertainty(self, wanted: bool) -> None:
        session = self._session()
        if session is None:
            return
        prediction = self._predictions.get(session.edit)
        if wanted and prediction is not None:
            show_uncertainty(session.viewer, session.case, prediction)
        else:
            remove_uncertainty(session.viewer, session.case)

    def _on_thresholds(self, thresholds: dict[str, float]) -> None:
        self._wanted = thresholds
        if not self._timer.isActive():
            self._timer.start()

    def _apply_thresholds(self) -> None:
        session = self._session()
        prediction = self._predictions.get(session.edit) if session is not None else None
        if session is None or prediction is None:
            return
        session.edit.replace(
            prediction.annotation(self._wanted),
            "thresholds",
            keep_edits=True,
            group="thresholds",
        )


def _replace(edit: EditSession, job: _Job, annotation: Annotation) -> bool:
    """Put the result in, then what was changed since the start on top; was there any?"""
    where: tuple[NDArray[np.intp], ...] = ()
    if edit is job.edit:
        where = np.nonzero(edit.codes != job.codes)
    mine = edit.codes[where].copy() if where else np.zeros(0, np.uint8)
    edit.replace(annotation, f"segmentation by {job.request.model}")
    if mine.size:
        edit.put(where, mine, "changes made meanwhile")
    return bool(mine.size)


def _predict(
    job: _Job,
    preview: Callable[[Prediction], None],
    report: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> tuple[Any, float]:
    from ..inference import predict

    begin = time.perf_counter()
    prediction = predict(
        job.case,
        model=job.request.model,
        device=job.request.device,
        looks=job.request.looks,
        skull="remove" if job.request.strip else "keep",
        adapt=job.request.adapt,
        preview=preview,
        progress=lambda p: report(p.stage, p.fraction),
        cancelled=cancelled,
    )
    return prediction, time.perf_counter() - begin


def _models() -> list[ModelOffer]:
    from ..models import BRAIN_PROTOCOL, available
    from ..models.evidence import evidence_of, licence_of

    return [
        ModelOffer(card.name, f"{evidence_of(card)} {licence_of(card)}")
        for card in available()
        if card.protocol != BRAIN_PROTOCOL
    ]
