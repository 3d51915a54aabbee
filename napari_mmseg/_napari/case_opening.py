"""Reads files into a case beside the window; files whose names tell nothing are asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject

from ..case import Case
from ..volume import Modality
from .task import Task
from .widgets import case_files, questions
from .widgets.case_box import CaseBox


class CaseOpener(QObject):
    """Joins the Case section's buttons with the files of a case.

    Parameters
    ----------
    box
        The section.
    opened
        Takes a case that was read.
    """

    def __init__(
        self, box: CaseBox, opened: Callable[[Case], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._box = box
        self._opened = opened
        self._task: Task | None = None
        self._tried: list[Path] = []  # what the user last wanted opened
        self._labels: list[Path] = []  # label files among what can be assigned
        box.open_folder_requested.connect(self._choose_folder)
        box.open_files_requested.connect(self._choose_files)
        box.files_chosen.connect(self._open_assigned)

    @property
    def is_busy(self) -> bool:
        """Are files being read for a case that is not shown yet?"""
        return self._task is not None and self._task.is_running

    def open(self, paths: Sequence[Path], modalities: Mapping[Modality, Any] | None = None) -> None:
        """Read a case beside the window; nothing happens while another is being read."""
        from ..io import open_case

        if self.is_busy:
            return
        where: Any = paths[0] if len(paths) == 1 else list(paths)
        self._tried = list(paths)
        self._box.show_busy("Opening…")
        self._task = Task(
            lambda report, cancelled: open_case(
                where, modalities=modalities, progress=lambda text: report(text, 0.0)
            )
        )
        self._task.progressed.connect(lambda text, _: self._box.show_busy(f"{text}…"))
        self._task.finished.connect(self._opened)
        self._task.failed.connect(self._fail)
        self._task.start()

    def offer(self, case: Case) -> None:
        """Offer to say otherwise which file of an open case is which contrast."""
        self._box.offer_files(*case_files.choices(case))
        self._labels = [label.path for label in case.labels]

    # Inside

    def _choose_folder(self) -> None:
        if (folder := questions.ask_folder(self._box)) is not None:
            self.open([folder])

    def _choose_files(self) -> None:
        if files := questions.ask_files(self._box):
            self.open(files)

    def _fail(self, sentence: str) -> None:
        """The command line's advice, turned into the panel's: combo boxes for what is unclear."""
        what, option, _ = sentence.partition("--modality")
        if not option:
            self._box.show_error(sentence)
            return
        files, chosen, self._labels = case_files.choices_among(self._tried)
        what = what.rpartition(": ")[0]
        self._box.ask_which(
            f"{what}: say above which is which, then press Open with these.", files, chosen
        )

    def _open_assigned(self, chosen: dict[Modality, Any]) -> None:
        if not chosen:
            self._box.show_error("Say which file is at least one of the contrasts.")
            return
        files = [v[0] if isinstance(v, tuple) else v for v in chosen.values()]
        self.open(list(dict.fromkeys([*files, *self._labels])), chosen)
