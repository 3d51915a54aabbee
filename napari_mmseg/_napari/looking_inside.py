"""Runs a network up to one of its layers beside the window, and shows what the layer answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from ..case import Case
from .feature_layers import feature_layers, remove_features, show_features
from .session import CaseSession
from .task import Task
from .widgets.inside_box import InsideBox, InsideRequest

if TYPE_CHECKING:
    from ..inference.features import FeatureMaps

STAGES = {
    "prepare": "Preparing the images",
    "predict": "The network works up to this layer",
    "finish": "Enlarging the maps",
}


class Inspector(QObject):
    """Joins the Look inside section with the session of the open case.

    `session()` gives that session, or None. Nothing is loaded until the section is opened.
    """

    def __init__(
        self,
        box: InsideBox,
        session: Callable[[], CaseSession | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box = box
        self._session = session
        self._task: Task | None = None
        self._is_filled = False
        box.model_changed.connect(self.list_layers)
        box.show_requested.connect(self.run)
        box.remove_requested.connect(self.remove)
        box.cancel_requested.connect(self.cancel)

    @property
    def is_running(self) -> bool:
        return self._task is not None and self._task.is_running

    def open(self, is_open: bool) -> None:
        """The section was folded or unfolded: list models and layers the first time."""
        if not is_open or self._is_filled:
            return
        self._is_filled = True
        names = _models()
        self._box.offer_models(names)
        if names:
            self.list_layers(self._box.model)
        else:
            self._box.show_error("No model is installed: `napari-mmseg doctor` says where from.")

    def list_layers(self, model: str) -> None:
        """Offer the layers of a model; building its network takes a moment."""
        self._begin(
            lambda report, cancelled: _layers(model), "Reading the layers…", self._box.offer_layers
        )

    def run(self, request: InsideRequest) -> None:
        session = self._session()
        if session is None or self.is_running or not session.model_allowed:
            return
        case = session.case
        self._begin(
            lambda report, cancelled: _look(case, request, report, cancelled),
            STAGES["prepare"],
            lambda found: self._show(case, found),
        )

    def remove(self) -> None:
        if (session := self._session()) is not None:
            remove_features(session.viewer, session.case)
        self._box.offer_removal(False)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def follow(self) -> None:
        """Another case is open, or none."""
        session = self._session()
        self._box.offer_case(session is not None and session.model_allowed)
        there = session is not None and feature_layers(session.viewer, session.case)
        self._box.offer_removal(bool(there))

    def _begin(self, work: Any, text: str, done: Callable[[Any], None]) -> None:
        self.cancel()
        self._box.show_busy(text)
        self._task = Task(work, self)
        self._task.progressed.connect(lambda stage, _: self._box.show_busy(STAGES.get(stage, text)))
        self._task.finished.connect(done)
        self._task.failed.connect(self._box.show_error)
        self._task.stopped.connect(lambda: self._box.show_note("Cancelled."))
        self._task.start()

    def _show(self, case: Case, found: FeatureMaps) -> None:
        session = self._session()
        if session is None or session.case is not case:
            return
        show_features(session.viewer, case, found)
        self._box.offer_removal(True)
        self._box.show_result(_facts(found))


def _models() -> list[str]:
    from ..models import BRAIN_PROTOCOL, available

    return [card.name for card in available() if card.protocol != BRAIN_PROTOCOL]


def _layers(model: str) -> tuple[str, ...]:
    from ..inference.features import layer_names

    return layer_names(model)


def _look(
    case: Case,
    request: InsideRequest,
    report: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> FeatureMaps:
    from ..inference.features import look_inside

    return look_inside(
        case,
        request.layer,
        model=request.model,
        most=request.most,
        smooth=request.smooth,
        progress=lambda p: report(p.stage, p.fraction),
        cancelled=cancelled,
    )


def _facts(found: FeatureMaps) -> str:
    shown = f"{len(found.channels)} of {found.available} maps"
    seen = (
        "as fine as the network's input"
        if found.coarseness == 1
        else f"each value covers {found.coarseness} voxels a side"
    )
    return f"{found.layer} of {found.model}: {shown}, {seen}. The eye in the layer list shows each."
