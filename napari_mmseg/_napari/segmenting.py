"""Runs the model beside the window, puts the result into the annotation, follows the sliders."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, QTimer

from ..case import Case
from ..editing import EditSession
from ..errors import MmsegError
from .session import CaseSession
from .task import Task
from .widgets.region_box import RegionBox
from .widgets.segment_box import SegmentBox, SegmentRequest

if TYPE_CHECKING:
    from ..annotation import Annotation
    from ..inference import Prediction

#: Moves of a slider that come closer than this are drawn as one.
_SLIDER_PAUSE_MS = 30

STAGES = {
    "load": "Loading the model",
    "prepare": "Preparing the images",
    "predict": "The network looks at the brain",
    "finish": "Putting the result together",
}


class Segmenter(QObject):
    """Joins the Segment and Regions sections with the session of the open case.

    `session()` gives that session, or None.
    """

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
        self._predictions: WeakKeyDictionary[EditSession, Prediction] = WeakKeyDictionary()
        self._wanted: dict[str, float] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SLIDER_PAUSE_MS)
        self._timer.timeout.connect(self._apply_thresholds)
        box.run_requested.connect(self.run)
        box.cancel_requested.connect(self.cancel)
        regions.thresholds_changed.connect(self._on_thresholds)

    @property
    def is_running(self) -> bool:
        return self._task is not None and self._task.is_running

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
        if session is None or self.is_running:
            return
        case = session.case
        self._box.show_progress("Starting", 0.0)
        self._task = Task(lambda report, cancelled: _predict(case, request, report, cancelled))
        self._task.progressed.connect(
            lambda stage, fraction: self._box.show_progress(_stage(stage), fraction)
        )
        self._task.finished.connect(lambda found: self._show_result(case, request, *found))
        self._task.failed.connect(self._box.show_error)
        self._task.stopped.connect(lambda: self._box.show_note("Cancelled: nothing was changed."))
        self._task.start()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def follow(self, edit: EditSession) -> None:
        """Show the thresholds of the annotation in hand, if a model of this session made it."""
        prediction = self._predictions.get(edit)
        if prediction is None:
            self._regions.show_thresholds(None)
        elif not self._timer.isActive():
            self._regions.show_thresholds({**prediction.thresholds, **edit.provenance.thresholds})

    def _show_result(
        self, case: Case, request: SegmentRequest, prediction: Prediction, seconds: float
    ) -> None:
        session = self._session()
        if session is None or session.case is not case:
            return
        annotation = prediction.annotation()
        was_empty = not session.edit.codes.any()
        if request.new_layer:
            session.add_annotation(annotation, f"Segmentation ({request.model})")
        else:
            session.edit.replace(annotation, f"segmentation by {request.model}")
        self._predictions[session.edit] = prediction
        self.follow(session.edit)
        if was_empty:
            session.jump_to(session.protocol.regions[0].name)
        self._box.show_result(_facts(annotation, seconds), annotation.provenance.warnings)

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


def _predict(
    case: Case,
    request: SegmentRequest,
    report: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> tuple[Any, float]:
    from ..inference import predict

    begin = time.perf_counter()
    prediction = predict(
        case,
        model=request.model,
        device=request.device,
        progress=lambda p: report(p.stage, p.fraction),
        cancelled=cancelled,
    )
    return prediction, time.perf_counter() - begin


def _models() -> list[tuple[str, str]]:
    from ..models import available

    return [(card.name, card.name) for card in available()]


def _stage(name: str) -> str:
    return STAGES.get(name, name.capitalize())


def _facts(annotation: Annotation, seconds: float) -> str:
    how = annotation.provenance
    device = f" on {how.device}" if how.device else ""
    used = f"Used {', '.join(how.modalities)}."
    if how.missing:
        used += f" Missing: {', '.join(how.missing)}."
    return f"Segmented by {how.model}{device} in {seconds:.1f} s. {used}"
