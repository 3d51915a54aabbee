"""The Study worklist dock, and the panel of the viewer that it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from .companion import make_companion, show_companion
from .study_review import Reviewing
from .study_worklist import Worklist
from .widgets.reading_box import ReadingBox
from .widgets.review_box import ReviewBox
from .widgets.section import Section, column
from .widgets.tall_area import TallArea
from .widgets.worklist_box import WorklistBox

if TYPE_CHECKING:
    import napari

    from .coordinator import Coordinator

TITLE = "Study worklist"

#: As wide as the panel that it shares its place with.
_WIDTH_PX = 390


class StudyPanel(QWidget):
    """The sections of one rater's work, and of a look at others'; `worklist` and `reviewing` do
    what they ask for.
    """

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__()
        self.list = WorklistBox()
        self.reading = ReadingBox()
        self.review = ReviewBox()
        inside = QWidget()
        inner = column(inside, margin=0, spacing=0)
        inner.addWidget(Section("My readings", self.list))
        inner.addWidget(Section("This reading", self.reading))
        inner.addWidget(Section("Review", self.review, expanded=False))
        inner.addStretch(1)
        self.setMinimumWidth(_WIDTH_PX)
        self._scroll = TallArea(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)
        self.worklist = Worklist(self.list, self.reading, coordinator, self._ask_folder, self)
        self.reviewing = Reviewing(
            self.review, coordinator, lambda: self.worklist.folder, lambda: self.list.rater, self
        )
        self.list.pressed.connect(self.reviewing.clear)

    def let_go(self) -> None:
        """Stop what is running."""
        self.worklist.cancel()
        self.reviewing.cancel()

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH_PX, self._scroll.sizeHint().height())

    def _ask_folder(self) -> Path | None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a study")
        return Path(chosen) if chosen else None


def make_worklist() -> StudyPanel:
    """The work list of the current viewer: a new one, or the one that was closed."""
    return make_companion(StudyPanel, TITLE, StudyPanel)


def show_worklist(viewer: napari.Viewer | None = None) -> StudyPanel | None:
    """The work list of a viewer (the current one), in sight, in one place with the panel."""
    return show_companion(StudyPanel, TITLE, viewer)
