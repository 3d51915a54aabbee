"""Opens the raters of a case and lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtCore import QObject

from ..annotation import Annotation
from ..case import LabelFile
from ..errors import MmsegError
from .layers import case_paths
from .raters_group import RaterGroup
from .raters_opening import RaterOpener, labels_in
from .session import CaseSession
from .widgets import raters_questions
from .widgets.raters_box import RaterRow, RatersBox

#: What the segmentation in hand is called among the raters.
IN_HAND = "in hand"

#: Whoever reads for a study sees nobody else's labels meanwhile.
BLIND = "A reading of a study is open: raters are not compared meanwhile."


class RaterList(QObject):
    """Joins the Raters section with files and with the group.

    Parameters
    ----------
    box
        The section.
    group
        Takes the raters.
    dice
        Gives a rater's mean Dice with the others by name, or None.
    volume
        Gives a rater's volume in ml by name, or None.
    """

    def __init__(
        self,
        box: RatersBox,
        group: RaterGroup,
        dice: Callable[[str], float | None],
        volume: Callable[[str], float | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box, self._group = box, group
        self._dice, self._volume = dice, volume
        self._session: CaseSession | None = None
        self.opener = RaterOpener(self._ask, self)
        self.opener.opened.connect(self._take)
        self.opener.told.connect(box.show_busy)
        self.opener.refused.connect(box.show_error)
        box.files_requested.connect(self._open_files)
        box.folder_requested.connect(self._open_folder)
        box.beside_requested.connect(self._open_beside)
        box.in_hand_requested.connect(self._take_in_hand)
        box.shown_changed.connect(group.show)
        box.removed.connect(group.remove)
        group.members_changed.connect(self.show)
        group.shown_changed.connect(self.show)

    def follow(self, session: CaseSession | None) -> None:
        """List the raters of another case, or of none."""
        self.opener.cancel()
        self._session = session
        self._box.setEnabled(session is not None and not session.reading)
        self._box.show_busy("")
        if session is not None:
            self._box.offer(len(session.case.labels), True)
        if session is not None and session.reading:
            self._box.show_error(BLIND)

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open the label files among `paths` and in folders among them, each as a rater."""
        if self._session is None:
            self._box.show_error("Open the case first: raters are compared on its images.")
            return
        if self._session.reading:
            self._box.show_error(BLIND)
            return
        images = {path.resolve() for path in case_paths(self._session.case)}
        files = [label for label in labels_in(paths) if label.path.resolve() not in images]
        if not files:
            self._box.show_error("There is no label file there: NIfTI, NRRD or MHA are read.")
            return
        self._open(files)

    def show(self) -> None:
        """List the raters as they are now."""
        self._box.show_raters(
            [
                RaterRow(
                    rater.letter,
                    rater.name,
                    rater.colour,
                    rater.is_shown,
                    self._volume(rater.name),
                    self._dice(rater.name),
                )
                for rater in self._group
            ]
        )

    # Inside

    def _open(self, files: Sequence[LabelFile]) -> None:
        if self._session is not None:
            self.opener.open(self._session.case, self._session.protocol, files)

    def _take(self, found: list[tuple[str, Annotation]]) -> None:
        try:
            self._group.add(found)
        except MmsegError as error:
            self._box.show_error(str(error))

    def _open_files(self) -> None:
        if files := raters_questions.ask_rater_files(self._box, self._start):
            self.open_paths(files)

    def _open_folder(self) -> None:
        if (folder := raters_questions.ask_rater_folder(self._box, self._start)) is not None:
            self.open_paths([folder])

    def _open_beside(self) -> None:
        if self._session is not None:
            self._open(self._session.case.labels)

    def _take_in_hand(self) -> None:
        if self._session is not None:
            annotation = self._session.edit.annotation()
            self._take([(IN_HAND, annotation)])

    def _ask(self, name: str, count: int, choices: Sequence[tuple[str, str]]) -> str | None:
        return raters_questions.ask_encoding_of_all(self._box, name, count, choices)

    @property
    def _start(self) -> Path | None:
        paths = case_paths(self._session.case) if self._session is not None else []
        return paths[0].parent if paths else None
