"""The work list of one rater in a study: what is to be read, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTreeWidgetItem,
    QWidget,
)

from .row_list import RowList
from .section import Banner, column, quiet

_ROWS_SHOWN = 12

_ORDER, _ITEM, _STATE, _MINUTES, _SURE = range(5)

_NOTHING = "Choose a study's folder and say who you are to see what you are to read."


@dataclass(frozen=True)
class WorkRow:
    """A reading as its rater may see it; `sure` is the confidence, 1 to 5."""

    order: int
    item: str
    state: str
    minutes: float
    sure: int | None


class WorklistBox(QWidget):
    """Emits which reading to open; knows neither files nor layers."""

    folder_requested = Signal()
    load_requested = Signal(str)  # the rater's pseudonym
    open_requested = Signal(str)  # the reading's name
    next_requested = Signal()
    pressed = Signal()  # something of the above was asked for

    def __init__(self) -> None:
        super().__init__()
        self._folder = QPushButton("Study…")
        self._folder.setToolTip("The folder of the study")
        self._folder.clicked.connect(self.folder_requested)
        self._rater = QLineEdit()
        self._rater.setPlaceholderText("your pseudonym")
        self._rater.returnPressed.connect(self._emit_load)
        self._show = QPushButton("Show")
        self._show.setToolTip("Show your readings, as they are now")
        self._show.clicked.connect(self._emit_load)
        self._banner = Banner()
        self._about = quiet(_NOTHING)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(8)
        heads = ["", "reading", "state", "min", "sure"]
        self._list = RowList(heads, "Double click opens a reading", _ROWS_SHOWN)
        self._list.itemSelectionChanged.connect(self._refresh_buttons)
        self._list.itemDoubleClicked.connect(lambda item, _: self.open_requested.emit(_name(item)))
        self._next = QPushButton("Next reading")
        self._next.setToolTip("Open the first that is not finished: what was begun comes first")
        self._next.clicked.connect(self.next_requested)
        self._open = QPushButton("Open")
        self._open.setToolTip("Open the marked reading")
        self._open.clicked.connect(self._emit_open)
        layout = column(self)
        row = QHBoxLayout()
        row.addWidget(self._folder)
        row.addWidget(self._rater, 1)
        row.addWidget(self._show)
        layout.addLayout(row)
        for widget in (self._banner, self._about, self._progress, self._list):
            layout.addWidget(widget)
        row = QHBoxLayout()
        row.addWidget(self._next, 1)
        row.addWidget(self._open)
        layout.addLayout(row)
        for asked in (
            self.folder_requested,
            self.load_requested,
            self.open_requested,
            self.next_requested,
        ):
            asked.connect(lambda *_: self.pressed.emit())
        self.show_nothing()

    def show_study(self, folder: str, rater: str) -> None:
        """Say which study it is (its folder's name) and who reads; empty: not known."""
        self._folder.setText(folder or "Study…")
        self._rater.setText(rater)

    def show_nothing(self, text: str = _NOTHING) -> None:
        self._about.setText(text)
        for widget in (self._progress, self._list, self._next, self._open):
            widget.hide()

    def show_rows(self, rows: Sequence[WorkRow], finished: int, opened: str) -> None:
        """List the readings; `opened` is the name of the one in the viewer, or empty."""
        self._about.setText(_told(finished, len(rows)))
        self._progress.setRange(0, max(len(rows), 1))
        self._progress.setValue(finished)
        with self._list.refilled():
            for row in rows:
                minutes = f"{row.minutes:.1f}" if row.minutes else ""
                sure = "" if row.sure is None else str(row.sure)
                item = QTreeWidgetItem([str(row.order), row.item, row.state, minutes, sure])
                for at in (_ORDER, _MINUTES):
                    item.setTextAlignment(at, Qt.AlignmentFlag.AlignRight)
                self._list.addTopLevelItem(item)
                if row.item == opened:
                    font = item.font(_ITEM)
                    font.setBold(True)
                    item.setFont(_ITEM, font)
                    self._list.setCurrentItem(item)
                    self._list.scrollToItem(item)
        for widget in (self._progress, self._list, self._next, self._open):
            widget.show()
        self._next.setEnabled(finished < len(rows))
        self._refresh_buttons()

    def say(self, text: str, kind: str = "info") -> None:
        """A sentence that can be put away; empty for none."""
        if text:
            self._banner.say(text, kind)
        else:
            self._banner.clear()

    def clear_message(self) -> None:
        self._banner.clear()

    @property
    def rater(self) -> str:
        return str(self._rater.text()).strip()

    @property
    def about_text(self) -> str:
        return str(self._about.text())

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

    def _emit_load(self) -> None:
        self.load_requested.emit(self.rater)

    def _emit_open(self) -> None:
        if self.marked:
            self.open_requested.emit(self.marked)


def _told(finished: int, total: int) -> str:
    if not total:
        return "There is nothing for you to read in this study."
    if finished == total:
        return f"All {total} readings are done. Thank you."
    return f"{finished} of {total} readings are done."


def _name(item: QTreeWidgetItem) -> str:
    return str(item.text(_ITEM))
