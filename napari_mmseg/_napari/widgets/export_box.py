"""The Export section: where, in which encoding, by whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from ...protocol import Protocol
from .section import Banner, Choice, column, form, quiet

FORMATS: list[tuple[str, object]] = [
    (".nii.gz", ".nii.gz"),
    (".nii", ".nii"),
    (".nrrd", ".nrrd"),
    (".mha", ".mha"),
]


@dataclass(frozen=True)
class ExportRequest:
    """What the user wants written."""

    path: Path
    encoding: str
    per_region: bool
    author: str


class ExportBox(QWidget):
    """Emits export requests; shows what was written and checked."""

    export_requested = Signal(object)  # ExportRequest

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path.home()
        self._titles: dict[str, str] = {}
        self._format = Choice(FORMATS)
        self._format.currentIndexChanged.connect(self._follow_format)
        self._encoding = Choice()
        self._encoding.currentIndexChanged.connect(self._tell_encoding)
        self._meaning = quiet()
        self._per_region = QCheckBox("One file per region")
        self._author = QLineEdit()
        self._author.setPlaceholderText("rater's pseudonym (optional)")
        self._author.setToolTip("Written into the sidecar: no patient's or rater's full name")
        self._name = QLineEdit("segmentation.nii.gz")
        self._name.setToolTip("File to write; an existing one is kept as a backup")
        browse = QToolButton()
        browse.setText("…")
        browse.setToolTip("Choose folder and name")
        browse.clicked.connect(self._browse)
        self._button = QPushButton("Export")
        self._button.clicked.connect(self._emit)
        self._button.setEnabled(False)
        self._result = Banner()
        rows = form()
        file_row = QHBoxLayout()
        file_row.setSpacing(3)
        file_row.addWidget(self._name, 1)
        file_row.addWidget(browse)
        rows.addRow("File", file_row)
        kinds = QHBoxLayout()
        kinds.addWidget(self._format, 1)
        kinds.addWidget(QLabel("encoded"))
        kinds.addWidget(self._encoding, 1)
        rows.addRow("Format", kinds)
        rows.addRow("Author", self._author)
        layout = column(self)
        layout.addLayout(rows)
        layout.addWidget(self._meaning)
        last = QHBoxLayout()
        last.addWidget(self._per_region)
        last.addWidget(self._button, 1)
        layout.addLayout(last)
        layout.addWidget(self._result)

    @property
    def path(self) -> Path:
        return self._folder / (self._name.text().strip() or "segmentation.nii.gz")

    @property
    def request(self) -> ExportRequest:
        return ExportRequest(
            self.path,
            str(self._encoding.value),
            self._per_region.isChecked(),
            self._author.text().strip(),
        )

    def offer_case(self, folder: Path | None, protocol: Protocol) -> None:
        """Suggest a file next to the case and the protocol's encodings."""
        if folder is not None:
            self._folder = folder
        self._name.setText(f"segmentation{self._format.value}")
        self._name.setToolTip(f"Written to {self._folder}; an existing file is kept as a backup")
        chosen = self._encoding.value or protocol.default_encoding
        self._encoding.offer(
            [(e.name, e.name) for e in protocol.encodings.values()],
            chosen if chosen in protocol.encodings else protocol.default_encoding,
        )
        self._titles = {e.name: e.title for e in protocol.encodings.values()}
        self._tell_encoding()
        self._button.setEnabled(True)
        self._result.clear()

    def show_result(self, text: str) -> None:
        self._result.say(text, "good")

    def show_error(self, text: str) -> None:
        self._result.say(text, "error")

    def _tell_encoding(self) -> None:
        self._meaning.setText(self._titles.get(str(self._encoding.value), ""))

    def _follow_format(self) -> None:
        name = self._name.text().strip()
        for _, suffix in FORMATS:
            if name.endswith(str(suffix)):
                name = name[: -len(str(suffix))]
                break
        self._name.setText(f"{name or 'segmentation'}{self._format.value}")

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Export the segmentation", str(self.path))
        if not chosen:
            return
        path = Path(chosen)
        self._folder = path.parent
        suffix = next((s for _, s in FORMATS if path.name.endswith(str(s))), None)
        if suffix is None:
            path = path.with_name(path.name + str(self._format.value))
        else:
            self._format.blockSignals(True)
            self._format.choose(suffix)
            self._format.blockSignals(False)
        self._name.setText(path.name)
        self._name.setToolTip(f"Written to {self._folder}; an existing file is kept as a backup")

    def _emit(self) -> None:
        self.export_requested.emit(self.request)
