"""A list of rows in columns, as all sections show theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget

#: Rows that a mouse can hit, and boxes to tick that are seen on napari's dark ground.
_STYLE = (
    "QTreeWidget::item { padding: 2px 1px; }"
    "QTreeWidget::indicator { width: 11px; height: 11px; border: 1px solid #9aa0a6; }"
    "QTreeWidget::indicator:checked { background: #3caa5a; }"
)

_NARROWEST_PX = 20

#: Height of a row in lines of text, and what the header takes in rows.
_LINES_A_ROW = 1.2
_HEADER_ROWS = 2


class RowList(QTreeWidget):
    """Rows of which one can be marked; never wider than the panel.

    Parameters
    ----------
    heads
        Title of each column; all are as wide as what they hold, the last takes what is left.
    tip
        What the tooltip says.
    rows_shown
        So many rows are seen without scrolling.
    """

    def __init__(self, heads: Sequence[str], tip: str, rows_shown: int) -> None:
        super().__init__()
        self.setHeaderLabels(list(heads))
        self.setStyleSheet(_STYLE)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip(tip)
        self.setMinimumWidth(0)
        header = self.columns
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(_NARROWEST_PX)
        header.setStretchLastSection(True)
        rows = (rows_shown + _HEADER_ROWS) * self.fontMetrics().lineSpacing()
        self.setFixedHeight(round(rows * _LINES_A_ROW))

    @property
    def columns(self) -> QHeaderView:
        header = self.header()
        assert header is not None
        return header

    @contextmanager
    def refilled(self) -> Iterator[None]:
        """Empty the list; while it is filled again nothing is emitted or drawn."""
        self.setUpdatesEnabled(False)
        self.blockSignals(True)
        try:
            self.clear()
            yield
        finally:
            self.blockSignals(False)
            self.setUpdatesEnabled(True)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Letters are keys of the window, such as "next": Qt would look for rows by them."""
        if event is not None and event.text().strip().isprintable() and event.text().strip():
            event.ignore()
            return
        super().keyPressEvent(event)
