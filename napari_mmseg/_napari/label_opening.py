"""Opens label files into the annotation in hand, asking what is unclear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtCore import QObject

from ..case import Case, LabelFile
from ..errors import MmsegError
from .labels_beside import choices_in, read_label
from .layers import case_paths
from .session import CaseSession
from .widgets import questions
from .widgets.case_box import CaseBox

#: No label file is larger; larger ones are left to others unread (a drag over the window waits).
_LARGEST_BYTES = 2**27


class LabelOpener(QObject):
    """Joins the Case section's buttons for labels with the session of the open case."""

    def __init__(
        self,
        box: CaseBox,
        session: Callable[[], CaseSession | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box = box
        self._session = session
        box.open_labels_requested.connect(self._choose)
        box.label_requested.connect(self.open_beside)

    def open_beside(self) -> None:
        """Open the label file beside the case, asking for its encoding where it is unclear."""
        session = self._session()
        if session is not None and (label := self._chosen(session.case)) is not None:
            self.open(label)

    def open(self, label: LabelFile) -> None:
        """Put a label file into the annotation in hand, as one step of undo."""
        session = self._session()
        if session is None:
            return
        try:
            annotation = read_label(session.case, label, session.protocol, self._ask_encoding)
        except MmsegError as error:
            self._box.show_error(str(error))
            return
        if annotation is not None:
            self._box.offer_label("")
            session.edit.replace(annotation, "open labels")
            session.jump_to(session.protocol.regions[0].name)

    def takes(self, paths: Sequence[Path]) -> bool:
        """Is this one file, with labels that can be read, on the grid of the open case?"""
        session = self._session()
        if session is None or len(paths) != 1:
            return False
        from ..io.image import read_image, suffix_of

        path = paths[0]
        try:
            if suffix_of(path) is None or path.stat().st_size > _LARGEST_BYTES:
                return False
            image = read_image(path)
            fits = image.source.display_grid.same_as(session.case.grid)
            return fits and bool(choices_in(image, session.protocol))
        except (MmsegError, OSError):
            return False

    # Inside

    def _choose(self) -> None:
        session = self._session()
        paths = case_paths(session.case) if session is not None else []
        start = paths[0].parent if paths else None
        if (file := questions.ask_label_file(self._box, start)) is not None:
            self.open(LabelFile(file))

    def _chosen(self, case: Case) -> LabelFile | None:
        """The label file beside the case; of several, the one that the user picks."""
        if len(case.labels) < 2:
            return next(iter(case.labels), None)
        by_name = {label.path.name: label for label in case.labels}
        chosen = questions.ask_label(self._box, list(by_name))
        return by_name[chosen] if chosen is not None else None

    def _ask_encoding(self, name: str, choices: list[tuple[str, str]]) -> str | None:
        return questions.ask_encoding(self._box, name, choices)
