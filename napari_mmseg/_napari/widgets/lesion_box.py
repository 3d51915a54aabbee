"""The Lesions section: the pieces of the region in hand, and what can be done to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QTreeWidgetItem,
    QWidget,
)

from ..editing_actions import ACCEPT_LESION_ACTION, KEEP_LESION_ACTION, REMOVE_LESION_ACTION
from .region_box import volume_text
from .row_list import RowList
from .section import column, quiet

_ROWS_SHOWN = 5

_SEEN, _VOLUME, _SIZE, _UNSURE, _WHERE = range(5)


@dataclass(frozen=True)
class LesionRow:
    """What the list says of one lesion.

    `number` stays with a lesion while it is edited; `extent_mm` is its longest extent in a slice;
    `unsure` is the model's mean uncertainty (0 to 1), None without a model; `where` are the
    patient's coordinates.
    """

    number: int
    volume_ml: float
    extent_mm: float
    unsure: float | None
    where: str
    accepted: bool


class LesionBox(QWidget):
    """Emits what is to be done to a lesion, by its number; knows neither viewer nor layers."""

    chosen = Signal(int)
    accepted_changed = Signal(int, bool)
    remove_requested = Signal(int)
    keep_requested = Signal(int)
    relabel_requested = Signal(int, str)  # to that region

    def __init__(self) -> None:
        super().__init__()
        self._about = quiet("Nothing is labelled.")
        self._list = RowList(
            ["✓", "ml", "mm", "unsure", "where"],
            f"Click to go there; tick what you accept ({ACCEPT_LESION_ACTION.key}). "
            "Ctrl and click in the picture choose a lesion too",
            _ROWS_SHOWN,
        )
        self._list.itemClicked.connect(lambda item, _: self.chosen.emit(_number(item)))
        self._list.itemSelectionChanged.connect(self._refresh_buttons)
        self._list.itemChanged.connect(self._emit_accepted)
        self._remove = QPushButton("Remove")
        self._remove.setToolTip(REMOVE_LESION_ACTION.hint)
        self._remove.clicked.connect(lambda: self._emit(self.remove_requested))
        self._keep = QPushButton("Keep only")
        self._keep.setToolTip(KEEP_LESION_ACTION.hint)
        self._keep.clicked.connect(lambda: self._emit(self.keep_requested))
        self._relabel = QPushButton("Relabel")
        self._relabel.setToolTip("Make the whole piece another region (Alt and the region's key)")
        self._regions = QMenu(self._relabel)
        self._relabel.setMenu(self._regions)
        layout = column(self)
        layout.addWidget(self._about)
        layout.addWidget(self._list)
        row = QHBoxLayout()
        for button in (self._remove, self._keep, self._relabel):
            row.addWidget(button, 1)
        layout.addLayout(row)
        self._refresh_buttons()

    def offer_regions(self, names: Sequence[str]) -> None:
        """The regions that a lesion can be turned into."""
        self._regions.clear()
        for name in names:
            action = self._regions.addAction(name)
            assert action is not None
            action.triggered.connect(partial(self._emit_relabel, name))

    def show_lesions(self, title: str, rows: Sequence[LesionRow], chosen: int | None) -> None:
        """List the lesions of a region, without emitting."""
        self._about.setText(_counted(title, rows))
        with self._list.refilled():
            for row in rows:
                unsure = "" if row.unsure is None else f"{row.unsure:.2f}"
                volume = volume_text(row.volume_ml).removesuffix(" ml")
                texts = ["", volume, f"{row.extent_mm:.0f}", unsure, row.where]
                item = QTreeWidgetItem(self._list, texts)
                item.setData(_SEEN, Qt.ItemDataRole.UserRole, row.number)
                item.setToolTip(_WHERE, f"{row.where}; longest {row.extent_mm:.1f} mm in a slice")
                checked = Qt.CheckState.Checked if row.accepted else Qt.CheckState.Unchecked
                item.setCheckState(_SEEN, checked)
                for at in (_VOLUME, _SIZE, _UNSURE):
                    item.setTextAlignment(at, Qt.AlignmentFlag.AlignRight)
                if row.number == chosen:
                    self._list.setCurrentItem(item)
            self._list.setColumnHidden(_UNSURE, all(row.unsure is None for row in rows))
        self._refresh_buttons()

    @property
    def chosen_number(self) -> int | None:
        """The lesion that is marked in the list."""
        items = self._list.selectedItems()
        return _number(items[0]) if items else None

    def _refresh_buttons(self) -> None:
        there = self.chosen_number is not None
        for button in (self._remove, self._keep, self._relabel):
            button.setEnabled(there)

    def _emit(self, signal: Any) -> None:
        if (number := self.chosen_number) is not None:
            signal.emit(number)

    def _emit_relabel(self, name: str) -> None:
        if (number := self.chosen_number) is not None:
            self.relabel_requested.emit(number, name)

    def _emit_accepted(self, item: QTreeWidgetItem, at: int) -> None:
        if at == _SEEN:
            checked = item.checkState(_SEEN) == Qt.CheckState.Checked
            self.accepted_changed.emit(_number(item), checked)


def _counted(title: str, rows: Sequence[LesionRow]) -> str:
    if not rows:
        return f"There is no {title} in this segmentation."
    pieces = "1 piece" if len(rows) == 1 else f"{len(rows)} pieces"
    accepted = sum(row.accepted for row in rows)
    return f"{title[:1].upper()}{title[1:]}: {pieces}, {accepted} accepted."


def _number(item: QTreeWidgetItem) -> int:
    return int(item.data(_SEEN, Qt.ItemDataRole.UserRole))
