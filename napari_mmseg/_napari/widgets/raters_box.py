"""The Raters section: whose labels are looked at, in which colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QTreeWidgetItem,
    QWidget,
)

from .row_list import RowList
from .section import Banner, column, quiet
from .swatch import swatch

#: Rows shown without scrolling.
_FEWEST_ROWS, _MOST_ROWS = 3, 8

_SEEN, _NAME, _VOLUME, _DICE = range(4)

_FIRST = "Open two or more segmentations of this case to compare them, or drop them here."
_SECOND = "Open one more: it takes two to compare."


@dataclass(frozen=True)
class RaterRow:
    """What the list says of one rater: of the region chosen, its volume and its mean Dice with
    the others (None where nothing is there to measure, or it is not known yet).
    """

    letter: str
    name: str
    colour: tuple[float, float, float, float]
    is_shown: bool
    volume_ml: float | None
    dice: float | None


class RatersBox(QWidget):
    """Emits which labels to open and whose to show; knows neither files nor layers."""

    files_requested = Signal()
    folder_requested = Signal()
    beside_requested = Signal()
    in_hand_requested = Signal()
    shown_changed = Signal(str, bool)  # letter
    removed = Signal(str)
    pointed_out = Signal(str)  # letter, or empty for nobody

    def __init__(self) -> None:
        super().__init__()
        self._open = QPushButton("Open raters")
        self._open.setToolTip("Label files of this case, each by one rater or algorithm")
        menu = QMenu(self._open)
        for text, signal in (
            ("Files…", self.files_requested),
            ("All in a folder…", self.folder_requested),
        ):
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(lambda _, signal=signal: signal.emit())
        self._beside = menu.addAction("Those beside the images")
        self._in_hand = menu.addAction("The segmentation in hand")
        assert self._beside is not None
        assert self._in_hand is not None
        self._beside.triggered.connect(lambda _: self.beside_requested.emit())
        self._in_hand.triggered.connect(lambda _: self.in_hand_requested.emit())
        self._open.setMenu(menu)
        self._remove = QPushButton("Take out")
        self._remove.setToolTip("Take the marked rater out of the comparison; no file changes")
        self._remove.clicked.connect(self._emit_removed)
        self._about = quiet(_FIRST)
        self._banner = Banner()
        self._list = RowList(
            ["", "rater", "ml", "Dice"],
            "Tick whose outline is drawn; click a row to see that outline alone in full, "
            "once more for all. Dice is the mean with each of the others",
            _FEWEST_ROWS,
        )
        self._list.columns.setStretchLastSection(False)
        self._list.columns.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self._list.itemPressed.connect(self._note_press)
        self._list.itemClicked.connect(self._toggle_pointed)
        self._list.itemChanged.connect(self._emit_shown)
        self._pointed = ""
        self._marked_before = ""
        layout = column(self)
        row = QHBoxLayout()
        row.addWidget(self._open, 1)
        row.addWidget(self._remove)
        layout.addLayout(row)
        for widget in (self._banner, self._about, self._list):
            layout.addWidget(widget)
        self.show_raters([])

    def offer(self, beside: int, labelled: bool) -> None:
        """Say how many label files lie beside the images, and whether labels are in hand."""
        assert self._beside is not None
        assert self._in_hand is not None
        self._beside.setText(f"Those beside the images ({beside})")
        self._beside.setEnabled(beside > 0)
        self._in_hand.setEnabled(labelled)

    def show_raters(self, rows: Sequence[RaterRow]) -> None:
        """List the raters, without emitting."""
        with self._list.refilled():
            for row in rows:
                dice = "" if row.dice is None else f"{row.dice:.3f}"
                volume = "" if row.volume_ml is None else f"{row.volume_ml:.1f}"
                item = QTreeWidgetItem(self._list, ["", row.name, volume, dice])
                item.setData(_SEEN, Qt.ItemDataRole.UserRole, row.letter)
                item.setIcon(_NAME, swatch(row.colour, row.letter))
                item.setToolTip(_NAME, row.name)
                checked = Qt.CheckState.Checked if row.is_shown else Qt.CheckState.Unchecked
                item.setCheckState(_SEEN, checked)
                for at in (_VOLUME, _DICE):
                    item.setTextAlignment(at, Qt.AlignmentFlag.AlignRight)
                if row.letter == self._pointed:
                    self._list.setCurrentItem(item)
        if self._pointed not in {row.letter for row in rows}:
            self._pointed = ""
        self._list.setVisible(bool(rows))
        self._about.setText(_FIRST if not rows else _SECOND)
        self._about.setVisible(len(rows) < 2)
        self._fit(len(rows))
        self._refresh_buttons()

    def show_busy(self, text: str) -> None:
        """Say what is read at the moment; empty when that is over."""
        if text:
            self._banner.say(text)
        else:
            self._banner.clear()

    def show_error(self, text: str) -> None:
        self._banner.say(text, "error")

    @property
    def message(self) -> str:
        """What the banner says."""
        return self._banner.text()

    @property
    def pointed_letter(self) -> str:
        """The rater whose row is marked, or empty."""
        return self._pointed

    def _fit(self, rows: int) -> None:
        line = self._list.sizeHintForRow(0) if rows else 20
        shown = min(max(rows, _FEWEST_ROWS), _MOST_ROWS)
        self._list.setFixedHeight(self._list.columns.sizeHint().height() + shown * line + 6)

    def _refresh_buttons(self) -> None:
        self._remove.setEnabled(bool(self._pointed))

    def _note_press(self, item: QTreeWidgetItem, _: int) -> None:
        self._marked_before = self._pointed

    def _toggle_pointed(self, item: QTreeWidgetItem, at: int) -> None:
        """A click marks a row; one on the marked row takes the mark away."""
        if at == _SEEN:
            return
        letter = _letter(item)
        self._pointed = "" if letter == self._marked_before else letter
        if not self._pointed:
            self._list.clearSelection()
        self._refresh_buttons()
        self.pointed_out.emit(self._pointed)

    def _emit_removed(self) -> None:
        if self._pointed:
            letter, self._pointed = self._pointed, ""
            self.pointed_out.emit("")
            self.removed.emit(letter)

    def _emit_shown(self, item: QTreeWidgetItem, at: int) -> None:
        if at == _SEEN:
            shown = item.checkState(_SEEN) == Qt.CheckState.Checked
            self.shown_changed.emit(_letter(item), shown)


def _letter(item: QTreeWidgetItem) -> str:
    return str(item.data(_SEEN, Qt.ItemDataRole.UserRole))
