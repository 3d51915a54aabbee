"""The Disagreements section: where raters differ, one after the other, and who is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QSize, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)

from .dispute_list import DisputeList
from .section import Banner, column, quiet
from .swatch import swatch

#: Buttons of raters side by side.
_IN_A_ROW = 5

NEXT_HINT = "Go to the next disagreement of the list; while settling, to the next open one"

_NOTHING = "Open two or more raters to see where they differ."


@dataclass(frozen=True)
class Side:
    """What one rater says of the disagreement at hand: `share` of it is counted in (0 to 1).

    `key` takes the rater's word; empty where none does.
    """

    letter: str
    name: str
    colour: tuple[float, float, float, float]
    share: float
    key: str = ""


class DisputeBox(QWidget):
    """Emits where to go and whose word to take; knows neither viewer nor layers."""

    next_requested = Signal()
    begin_requested = Signal(str)  # the adjudicator's pseudonym
    rater_taken = Signal(str)  # letter
    majority_taken = Signal()
    painted_taken = Signal()
    undo_requested = Signal()

    def __init__(
        self, next_key: str, majority_key: str, painted_key: str, rater_keys: str = ""
    ) -> None:
        super().__init__()
        self.list = DisputeList()
        self._about = quiet(_NOTHING)
        self._next = QPushButton("Next disagreement")
        self._next.setToolTip(f"{NEXT_HINT} ({next_key})")
        self._next.clicked.connect(self.next_requested)
        self._here = QLabel()
        self._here.setWordWrap(True)
        self._banner = Banner()
        self._name = QLineEdit()
        self._name.setPlaceholderText("your pseudonym")
        self._name.setToolTip(
            "Who decides, as the log and the exported file will say: no real name"
        )
        self._begin = QPushButton("Settle them")
        self._begin.setToolTip(
            "Decide piece by piece who is right, beginning from the majority. The raters' own "
            "labels stay as they are; the result is a new segmentation"
        )
        self._begin.clicked.connect(lambda: self.begin_requested.emit(self._name.text()))
        self._who = QWidget()
        starting = QHBoxLayout(self._who)
        starting.setContentsMargins(0, 0, 0, 0)
        starting.addWidget(self._name, 1)
        starting.addWidget(self._begin, 1)
        self._settle = self._made_settling(majority_key, painted_key, rater_keys)
        layout = column(self)
        for widget in (self._about, self.list, self._next, self._here, self._banner):
            layout.addWidget(widget)
        layout.addWidget(self._who)
        layout.addWidget(self._settle)
        self.show_nothing()

    def _made_settling(self, majority_key: str, painted_key: str, rater_keys: str) -> QWidget:
        settle = QWidget()
        inner = column(settle, margin=0)
        self._question = QLabel(f"Whose word to take? {rater_keys}".rstrip())
        self._buttons: list[QPushButton] = []
        self._sides = QGridLayout()
        self._sides.setContentsMargins(0, 0, 0, 0)
        self._sides.setSpacing(4)
        self._majority = QPushButton("Majority")
        self._majority.setToolTip(f"As more than half of the raters have it ({majority_key})")
        self._majority.clicked.connect(self.majority_taken)
        self._painted = QPushButton("As it is now")
        self._painted.setToolTip(
            f"Keep the segmentation as it is here: correct it by hand first ({painted_key})"
        )
        self._painted.clicked.connect(self.painted_taken)
        self._undo = QPushButton("Undo")
        self._undo.setToolTip("Take back the last decision or stroke (Ctrl+Z)")
        self._undo.clicked.connect(self.undo_requested)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(8)
        self._left = quiet()
        inner.addWidget(self._question)
        inner.addLayout(self._sides)
        row = QHBoxLayout()
        for button in (self._majority, self._painted, self._undo):
            row.addWidget(button, 1)
        inner.addLayout(row)
        inner.addWidget(self._progress)
        inner.addWidget(self._left)
        return settle

    def _add_button(self) -> None:
        number = len(self._buttons)
        button = QPushButton()
        button.setIconSize(QSize(16, 16))
        button.clicked.connect(lambda: self.rater_taken.emit(button.objectName()))
        self._sides.addWidget(button, number // _IN_A_ROW, number % _IN_A_ROW)
        self._buttons.append(button)

    # What is shown

    def show_nothing(self, text: str = _NOTHING) -> None:
        """There is nothing to list (yet)."""
        self._about.setText(text)
        for widget in (self.list, self._next, self._here, self._who, self._settle):
            widget.hide()
        self.list.show_rows([], None)

    def show_about(self, text: str) -> None:
        """Say how many there are, above the list."""
        self._about.setText(text)
        for widget in (self.list, self._next):
            widget.show()
        self._who.setVisible(self._settle.isHidden())

    def show_here(self, text: str, sides: Sequence[Side]) -> None:
        """Say which disagreement is looked at, and what each rater says of it."""
        self._here.setText(text)
        self._here.setVisible(bool(text))
        while len(self._buttons) < len(sides):
            self._add_button()
        for number, button in enumerate(self._buttons):
            button.setVisible(number < len(sides))
        for button, side in zip(self._buttons, sides, strict=False):
            button.setText(_said(side.share))
            button.setIcon(swatch(side.colour, side.letter))
            button.setObjectName(side.letter)
            key = f" ({side.key})" if side.key else ""
            button.setToolTip(f"As {side.name} has it: {100 * side.share:.0f} % counted in{key}")
        for widget in (self._question, self._majority, self._painted):
            widget.setEnabled(bool(sides))

    def show_settling(self, settling: bool, name: str = "") -> None:
        """Offer to settle, or the buttons that do."""
        self._settle.setVisible(settling)
        self._who.setVisible(not settling and not self.list.isHidden())
        if name:
            self._name.setText(name)

    def show_progress(self, settled: int, total: int, can_undo: bool) -> None:
        # Otherwise Qt draws the whole window at once for a new value, and then once more.
        self._progress.setUpdatesEnabled(False)
        self._progress.setRange(0, max(total, 1))
        self._progress.setValue(settled)
        self._progress.setUpdatesEnabled(True)
        self._left.setText(f"{settled} of {total} settled.")
        self._undo.setEnabled(can_undo)

    def say(self, text: str, kind: str = "info") -> None:
        """A sentence that can be put away; empty for none."""
        if text:
            self._banner.say(text, kind)
        else:
            self._banner.clear()

    @property
    def about_text(self) -> str:
        return str(self._about.text())

    @property
    def here_text(self) -> str:
        return str(self._here.text())

    @property
    def message(self) -> str:
        return self._banner.text()


def _said(share: float) -> str:
    """In, out, or how much of it."""
    if share in (0.0, 1.0):
        return "in" if share else "out"
    return f"{100 * share:.0f} %"
