"""The Where to look next section: one place after the other, and how many are left."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSpinBox, QWidget

from ..editing_actions import NEXT_ACTION
from .section import Choice, column, quiet

_FIRST_EVERY = 5
_MOST_EVERY = 50


class NextBox(QWidget):
    """Emits the wish for the next place; shows which it is and what is left."""

    next_requested = Signal()
    again_requested = Signal()
    order_requested = Signal(int)  # 0: by expected gain; k: every k-th slice of the shown plane

    def __init__(self) -> None:
        super().__init__()
        self._order = Choice([("most to gain first", False), ("every so many slices", True)])
        self._order.setToolTip(
            "Places where the model is unsure or sees it otherwise, jagged surfaces, islands and "
            "holes; or slices of the shown plane at an even distance"
        )
        self._every = QSpinBox()
        self._every.setRange(1, _MOST_EVERY)
        self._every.setValue(_FIRST_EVERY)
        self._every.setToolTip("How many slices on the next one is")
        self._every.hide()
        self._order.currentIndexChanged.connect(lambda _: self._emit_order())
        self._every.valueChanged.connect(lambda _: self._emit_order())
        self._next = QPushButton("Next place")
        self._next.setToolTip(NEXT_ACTION.hint)
        self._next.clicked.connect(self.next_requested)
        self._again = QPushButton("Again")
        self._again.setToolTip("Go back to the present place")
        self._again.setEnabled(False)
        self._again.clicked.connect(self.again_requested)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(8)
        self._progress.hide()
        self._place = QLabel()
        self._place.setWordWrap(True)
        self._left = quiet("Goes through the places that are most worth a look.")
        layout = column(self)
        row = QHBoxLayout()
        row.addWidget(self._order, 1)
        row.addWidget(self._every)
        layout.addLayout(row)
        row = QHBoxLayout()
        row.addWidget(self._next, 1)
        row.addWidget(self._again)
        layout.addLayout(row)
        for widget in (self._progress, self._place, self._left):
            layout.addWidget(widget)
        self._place.hide()
        self.setEnabled(False)

    def show_place(self, number: int, total: int, text: str) -> None:
        """Say which place is looked at: the `number`-th of `total` (from 1)."""
        self._place.setText(f"Place {number} of {total}: {text}")
        self._place.show()
        self._again.setEnabled(True)
        self._progress.show()
        self._progress.setRange(0, max(total, 1))
        self._progress.setValue(number)

    def show_looking(self) -> None:
        """Say at once that places are looked for: the first time takes a moment."""
        self._left.setText("Looking through the segmentation…")
        self._left.repaint()

    def show_left(self, text: str) -> None:
        """Say what is left to look at."""
        self._left.setText(text)

    def show_nothing(self, text: str) -> None:
        """There is no place to look at (any more)."""
        self._place.hide()
        self._again.setEnabled(False)
        self._progress.hide()
        self._left.setText(text)

    @property
    def text(self) -> str:
        """What the box says of the present place."""
        return str(self._place.text())

    @property
    def left_text(self) -> str:
        """What the box says that is left."""
        return str(self._left.text())

    def _emit_order(self) -> None:
        slices = bool(self._order.value)
        self._every.setVisible(slices)
        self.order_requested.emit(self._every.value() if slices else 0)
