"""The reading that is open: how sure its rater is, a comment, and handing it in."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from .section import Banner, Choice, column, form

#: How sure a rater can be: (text, confidence), None for not said.
SURE: tuple[tuple[str, object], ...] = (
    ("not said", None),
    ("1 – a guess", 1),
    ("2 – unsure", 2),
    ("3 – fairly sure", 3),
    ("4 – sure", 4),
    ("5 – certain", 5),
)

_NOTHING = "No reading of yours is open."
_ELSEWHERE = "is open in another window: comment on it and hand it in there"


@dataclass(frozen=True)
class Words:
    """What a rater says with a reading; `not_gradable` is why none is possible, or empty."""

    confidence: int | None
    comment: str
    not_gradable: str


class ReadingBox(QWidget):
    """Emits what the rater says and wants; knows no study."""

    submit_requested = Signal(object)  # Words
    keep_requested = Signal(object)  # Words
    reopen_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._about = QLabel(_NOTHING)
        self._about.setWordWrap(True)
        self._banner = Banner()
        self._sure = Choice(list(SURE))
        self._comment = QLineEdit()
        self._comment.setPlaceholderText("kept with the reading; no patient's name")
        self._ungradable = QCheckBox("no reading is possible")
        self._why = QLineEdit()
        self._why.setPlaceholderText("why, such as motion or a missing contrast")
        self._why.hide()
        self._ungradable.toggled.connect(self._why.setVisible)
        self._keep = QPushButton("Keep for later")
        self._keep.setToolTip("Keep what you said; the labels are kept as you draw")
        self._keep.clicked.connect(lambda: self.keep_requested.emit(self.words))
        self._submit = QPushButton("Submit")
        self._submit.setToolTip("Hand this reading in; you can reopen it until it is locked")
        self._submit.clicked.connect(lambda: self.submit_requested.emit(self.words))
        self._reopen = QPushButton("Reopen to change it")
        self._reopen.setToolTip("Take the reading back; that is kept in its log")
        self._reopen.clicked.connect(self.reopen_requested)
        rows = form()
        rows.addRow("How sure?", self._sure)
        rows.addRow("Comment", self._comment)
        rows.addRow("Not gradable", self._ungradable)
        layout = column(self)
        layout.addWidget(self._about)
        layout.addWidget(self._banner)
        layout.addLayout(rows)
        layout.addWidget(self._why)
        row = QHBoxLayout()
        row.addWidget(self._keep, 1)
        row.addWidget(self._submit, 1)
        layout.addLayout(row)
        layout.addWidget(self._reopen)
        self.show_nothing()

    def show_nothing(self) -> None:
        self._about.setText(_NOTHING)
        self._reopen.hide()
        self._fill(Words(None, "", ""))
        self._let(False)

    def show_reading(
        self, item: str, state: str, words: Words, open_to_change: bool, is_elsewhere: bool = False
    ) -> None:
        """Show a reading: `open_to_change` is False once it is handed in.

        One that is open `is_elsewhere` is handed in and spoken of there.
        """
        how = "is open" if open_to_change else f"is {state}: it is shown as it was handed in"
        if open_to_change and is_elsewhere:
            how = _ELSEWHERE
        self._about.setText(f"Reading {item} {how}.")
        self._fill(words)
        self._let(open_to_change and not is_elsewhere)
        self._reopen.setVisible(state == "submitted")

    def warn(self, text: str) -> None:
        """Say what keeps the strokes from being kept; empty when nothing does."""
        if text:
            self._banner.say(text, "warning")
        else:
            self._banner.clear()

    @property
    def warning(self) -> str:
        return self._banner.text()

    @property
    def words(self) -> Words:
        sure = self._sure.value
        why = str(self._why.text()).strip() if self._ungradable.isChecked() else ""
        return Words(
            sure if isinstance(sure, int) else None, str(self._comment.text()).strip(), why
        )

    @property
    def lacks_reason(self) -> bool:
        """Is it said not to be gradable, without a reason?"""
        return bool(self._ungradable.isChecked()) and not self.words.not_gradable

    @property
    def about_text(self) -> str:
        return str(self._about.text())

    def _fill(self, words: Words) -> None:
        self._sure.choose(words.confidence)
        self._comment.setText(words.comment)
        self._ungradable.setChecked(bool(words.not_gradable))
        self._why.setText(words.not_gradable)

    def _let(self, can: bool) -> None:
        for widget in (
            self._sure,
            self._comment,
            self._ungradable,
            self._why,
            self._keep,
            self._submit,
        ):
            widget.setEnabled(can)
