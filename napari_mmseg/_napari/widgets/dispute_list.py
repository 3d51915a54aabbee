"""The list of what raters differ about, and which of it is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QTreeWidgetItem, QWidget

from .row_list import RowList
from .section import Choice, column

#: How far raters may lie from the majority's outline without it being listed, mm.
TOLERANCES = (("by any voxel", 0.0), ("by > 1 mm", 1.0), ("by > 2 mm", 2.0), ("by > 3 mm", 3.0))
KINDS = (("any type", ""), ("boundary", "boundary"), ("presence", "presence"))

_ROWS_SHOWN = 6
_FIRST_TOLERANCE_MM = 1.0

_KEY, _VOLUME, _KIND, _WHO, _SETTLED = range(5)


@dataclass(frozen=True)
class DisputeRow:
    """What the list says of one disagreement.

    `who` names the letters of those who count in most of it; `settled` says how it was settled,
    and is empty while it is open.
    """

    key: str
    region: str
    kind: str
    volume_mm3: float
    who: str
    settled: str = ""


class DisputeList(QWidget):
    """Lists disagreements; emits which one is chosen, and when others are wanted."""

    chosen = Signal(str)
    filter_changed = Signal()
    tolerance_changed = Signal(float)  # mm

    def __init__(self) -> None:
        super().__init__()
        self._region = Choice([("all regions", "")])
        self._kind = Choice(list(KINDS))
        self._kind.setToolTip(
            "Boundary: it touches what all raters agree on. Presence: an island that only some see"
        )
        self._tolerance = Choice(list(TOLERANCES))
        self._tolerance.choose(_FIRST_TOLERANCE_MM)
        self._tolerance.setToolTip(
            "How far raters have to lie apart. By any voxel, the rim around a tumour is one piece"
        )
        heads = ["", "mm³", "type", "counted in by", "settled"]
        self._list = RowList(heads, "Click to go there", _ROWS_SHOWN)
        titles = self._list.headerItem()
        assert titles is not None
        titles.setToolTip(_WHO, "Who counts in half of it or more")
        self._list.itemClicked.connect(lambda item, _: self.chosen.emit(item.text(_KEY)))
        layout = column(self, margin=0)
        row = QHBoxLayout()
        for choice in (self._region, self._kind):
            choice.currentIndexChanged.connect(lambda _: self.filter_changed.emit())
        self._tolerance.currentIndexChanged.connect(
            lambda _: self.tolerance_changed.emit(self.tolerance_mm)
        )
        for choice in (self._region, self._kind, self._tolerance):
            row.addWidget(choice, 1)
        layout.addLayout(row)
        layout.addWidget(self._list)

    def offer_regions(self, names: Sequence[str]) -> None:
        entries: list[tuple[str, object]] = [(name, name) for name in names]
        self._region.offer([("all regions", ""), *entries], self._region.value)

    def lists(self, row: DisputeRow) -> bool:
        """Is a disagreement among those that are listed now?"""
        region, kind = self._region.value, self._kind.value
        return region in ("", row.region) and kind in ("", row.kind)

    @property
    def tolerance_mm(self) -> float:
        return float(str(self._tolerance.value))

    def hold_tolerance(self, held: bool) -> None:
        """Keep the tolerance as it is, while disputes found with it are being settled."""
        self._tolerance.setEnabled(not held)

    def show_rows(self, rows: Sequence[DisputeRow], chosen: str | None) -> None:
        """List disagreements, without emitting."""
        with self._list.refilled():
            items = []
            marked: QTreeWidgetItem | None = None
            for row in rows:
                texts = [row.key, f"{row.volume_mm3:.0f}", row.kind, row.who, row.settled]
                item = QTreeWidgetItem(texts)
                item.setTextAlignment(_VOLUME, Qt.AlignmentFlag.AlignRight)
                item.setToolTip(_WHO, row.who)
                items.append(item)
                if row.key == chosen:
                    marked = item
            self._list.addTopLevelItems(items)
            if marked is not None:
                self._list.setCurrentItem(marked)
                self._list.scrollToItem(marked)
