"""The Case section: what is open, which contrast and plane to look at, which file is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from ...volume import Modality
from ..actions import hint
from ..editing_toggles import ToggleRow
from ..layers import SUBTRACTION_NAME
from .section import Banner, Choice, breakable, column, form, listed, quiet

_SUBTRACTION = "T1ce − T1"


class CaseBox(QWidget):
    """Emits what to open and how to look at it; shows what it is told."""

    open_folder_requested = Signal()
    open_files_requested = Signal()
    open_labels_requested = Signal()
    modality_requested = Signal(str)
    subtraction_requested = Signal()
    plane_requested = Signal(str)
    files_chosen = Signal(dict)  # {Modality: path}, only those that are not "absent"
    label_requested = Signal()

    def __init__(self, planes: Sequence[str]) -> None:
        super().__init__()
        self._title = QLabel()
        self._title.setStyleSheet("QLabel { font-weight: bold; }")
        self._title.setWordWrap(True)
        self._summary = quiet()
        self._banner = Banner()
        self._work_banner = Banner()
        self._contrasts = ToggleRow()
        self._contrasts.chosen.connect(self._contrast_chosen)
        self._planes = ToggleRow()
        self._planes.offer([(p.capitalize(), p, hint(p), None) for p in planes])
        self._planes.chosen.connect(self.plane_requested)
        self._files = QWidget()
        self._file_form = form()
        self._file_choices: dict[Modality, Choice] = {}
        self._label_button = QPushButton()
        self._label_button.clicked.connect(self.label_requested)
        self._label_button.hide()
        self._build()

    def _build(self) -> None:
        layout = column(self)
        layout.addWidget(self._title)
        layout.addWidget(self._summary)
        buttons = QHBoxLayout()
        buttons.setSpacing(3)
        for text, tip, signal in (
            ("Folder…", "Open a folder with one patient's scans", self.open_folder_requested),
            ("Files…", "Open the scans one by one, or one 4D file", self.open_files_requested),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(signal)
            buttons.addWidget(button)
        self._labels = QPushButton("Labels…")
        self._labels.setEnabled(False)
        self._labels.setToolTip("Open a segmentation of this case")
        self._labels.clicked.connect(self.open_labels_requested)
        buttons.addWidget(self._labels)
        self._which = QPushButton("Assign")
        self._which.setCheckable(True)
        self._which.setEnabled(False)
        self._which.setToolTip("Say which file is which contrast, where the names mislead")
        self._which.toggled.connect(self._files.setVisible)
        buttons.addWidget(self._which)
        layout.addLayout(buttons)
        layout.addWidget(self._files)
        layout.addWidget(self._banner)
        layout.addWidget(self._work_banner)
        layout.addWidget(self._label_button)
        layout.addWidget(self._contrasts)
        layout.addWidget(self._planes)
        inner = column(self._files, margin=0)
        inner.addLayout(self._file_form)
        apply = QPushButton("Open with these")
        apply.clicked.connect(self._emit_files)
        inner.addWidget(apply)
        self._files.hide()
        for widget in (self._contrasts, self._planes):
            widget.hide()

    def show_case(
        self,
        title: str,
        summary: str,
        modalities: Sequence[Modality],
        warnings: Sequence[str],
        can_subtract: bool,
    ) -> None:
        self._title.setText(breakable(title))
        self._summary.setText(summary)
        keys = f"{hint('next_modality')}, {hint('previous_modality').lower()}"
        entries = [(str(m), str(m), keys, None) for m in modalities]
        if can_subtract:
            tip = "What took up contrast agent: T1ce minus matched T1"
            entries.append((_SUBTRACTION, SUBTRACTION_NAME, tip, None))
        self._contrasts.offer(entries)
        for widget in (self._contrasts, self._planes):
            widget.show()
        self._which.setEnabled(True)
        self._labels.setEnabled(True)
        self._which.setChecked(False)
        self._banner.say(listed(warnings), "warning")

    def show_idle_help(self) -> None:
        self._title.setText("No case is open")
        self._summary.setText(
            "Open the folder with one patient's T1, T1ce, T2 and FLAIR scans, or drop it here."
        )
        self._banner.clear()

    def show_busy(self, text: str) -> None:
        self._banner.say(text, "info")

    def show_error(self, text: str) -> None:
        self._banner.say(text, "error")

    def show_work(self, trouble: str) -> None:
        """Why the work is not kept at the moment; empty when it is."""
        self._work_banner.say(trouble, "warning")

    def show_modality(self, name: str | None) -> None:
        self._contrasts.mark(name)

    def show_plane(self, plane: str | None) -> None:
        self._planes.mark(plane)

    def offer_files(self, files: Mapping[str, object], chosen: Mapping[Modality, object]) -> None:
        """Combo boxes to assign files: `files` maps the text shown to the path (or path and
        channel), `chosen` says what each contrast is now.
        """
        while self._file_form.rowCount():
            self._file_form.removeRow(0)
        self._file_choices = {}
        entries: list[tuple[str, object]] = [("absent", None)]
        entries += [(text, value) for text, value in files.items()]
        for modality in Modality:
            choice = Choice()
            choice.offer(entries, chosen.get(modality))
            self._file_choices[modality] = choice
            self._file_form.addRow(QLabel(str(modality)), choice)
        self._file_form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)

    def ask_which(
        self, text: str, files: Mapping[str, object], chosen: Mapping[Modality, object]
    ) -> None:
        """Say what is unclear, with the combo boxes to settle it unfolded."""
        self.offer_files(files, chosen)
        self._which.setEnabled(True)
        self._which.setChecked(True)
        self.show_error(text)

    def offer_label(self, text: str) -> None:
        """A button to open a label file that was found; hidden when `text` is empty."""
        self._label_button.setText(text)
        self._label_button.setVisible(bool(text))

    def _contrast_chosen(self, name: str) -> None:
        if name == SUBTRACTION_NAME:
            self.subtraction_requested.emit()
        else:
            self.modality_requested.emit(name)

    def _emit_files(self) -> None:
        chosen = {m: choice.value for m, choice in self._file_choices.items()}
        self.files_chosen.emit({m: value for m, value in chosen.items() if value is not None})
