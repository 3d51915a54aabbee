"""The Review section: anybody's readings of a study, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QTreeWidgetItem, QWidget

from .row_list import RowList
from .section import Banner, column, quiet

_ROWS_SHOWN = 8

_ITEM = 0

_FIRST = (
    "Look at anybody's reading, without changing it. Study and pseudonym are those above; each "
    "opening is written down in the study."
)
_NOTHING = "Nobody has begun a reading in this study."


@dataclass(frozen=True)
class ReviewRow:
    """A reading as whoever reviews sees it."""

    item: str
    rater: str
    case: str
    state: str


class ReviewBox(QWidget):
    """Emits which reading to look at; knows neither files nor layers."""

    list_requested = Signal()
    open_requested = Signal(str)  # the reading's name

    def __init__(self) -> None:
        super().__init__()
        self._about = quiet(_FIRST)
        self._banner = Banner()
        heads = ["reading", "rater", "case", "state"]
        self._list = RowList(heads, "Double click opens a reading to be looked at", _ROWS_SHOWN)
        self._list.setSortingEnabled(True)
        self._list.itemSelectionChanged.connect(self._refresh_buttons)
        self._list.itemDoubleClicked.connect(lambda item, _: self.open_requested.emit(_name(item)))
        self._find = QPushButton("List all readings")
        self._find.setToolTip("For those who have no reading of their own left to finish")
        self._find.clicked.connect(self.list_requested)
        self._open = QPushButton("Open to review")
        self._open.setToolTip("Show the marked reading, read-only; this is written down")
        self._open.clicked.connect(lambda: self.open_requested.emit(self.marked))
        layout = column(self)
        for widget in (self._about, self._banner, self._list):
            layout.addWidget(widget)
        row = QHBoxLayout()
        row.addWidget(self._find, 1)
        row.addWidget(self._open, 1)
        layout.addLayout(row)
        self.show_nothing()

    def show_nothing(self) -> None:
        """Nothing is listed (any more)."""
        self._banner.clear()
        with self._list.refilled():
            pass
        self._about.setText(_FIRST)
        self._list.hide()
        self._open.hide()

    def show_rows(self, rows: Sequence[ReviewRow]) -> None:
        """List readings, in the order that the user has chosen by a click on a title."""
        with self._list.refilled():
            self._list.addTopLevelItems(
                [QTreeWidgetItem([row.item, row.rater, row.case, row.state]) for row in rows]
            )
        self._about.setText(_FIRST if rows else _NOTHING)
        self._list.setVisible(bool(rows))
        self._open.setVisible(bool(rows))
        self._refresh_buttons()

    def say(self, text: str, kind: str = "info") -> None:
        """A sentence that can be put away; empty for none."""
        if text:
            self._banner.say(text, kind)
        else:
            self._banner.clear()

    @property
    def message(self) -> str:
        return self._banner.text()

    @property
    def marked(self) -> str:
        """The name of the marked reading, or empty."""
        items = self._list.selectedItems()
        return _name(items[0]) if items else ""

    def _refresh_buttons(self) -> None:
        self._open.setEnabled(bool(self.marked))


def _name(item: QTreeWidgetItem) -> str:
    return str(item.text(_ITEM))
