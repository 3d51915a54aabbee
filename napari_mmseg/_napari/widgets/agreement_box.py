"""The Agreement section: rater by rater as a picture, and the figures of the whole group."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QWidget

from .matrix_view import MatrixHead, MatrixView
from .section import Choice, column, form, quiet

#: What the picture can show: (text, name of the figure).
FIGURES = (
    ("Dice", "dice"),
    ("Jaccard", "jaccard"),
    ("HD95, mm", "hd95_mm"),
    ("mean surface distance, mm", "mean_surface_mm"),
    ("surface Dice (NSD)", "nsd"),
    ("F1 of lesions", "lesion_f1"),
)

_NOTHING = "Open two or more raters to see how far they agree."


class AgreementBox(QWidget):
    """Shows figures that others have measured; emits which are wanted."""

    figure_changed = Signal(str)
    pair_chosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._figure = Choice(list(FIGURES))
        self._figure.currentIndexChanged.connect(lambda _: self.figure_changed.emit(self.figure))
        self._matrix = MatrixView()
        self._matrix.pair_chosen.connect(self.pair_chosen)
        self._scale = quiet()
        self._table = QLabel()
        self._table.setTextFormat(Qt.TextFormat.RichText)
        self._table.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._said = quiet(_NOTHING)
        rows = form()
        rows.addRow("Figure", self._figure)
        layout = column(self)
        layout.addLayout(rows)
        for widget in (self._matrix, self._scale, self._table, self._said):
            layout.addWidget(widget)
        self.show_nothing()

    @property
    def figure(self) -> str:
        return str(self._figure.value)

    @property
    def matrix(self) -> MatrixView:
        return self._matrix

    @property
    def table_text(self) -> str:
        """The table's HTML."""
        return str(self._table.text())

    def show_matrix(
        self,
        heads: Sequence[MatrixHead],
        values: Sequence[Sequence[float | None]],
        low: float,
        high: float,
        best_is_high: bool = True,
    ) -> None:
        self._matrix.show_matrix(heads, values, low, high, best_is_high)
        self._matrix.setVisible(bool(heads))
        better = "lighter" if best_is_high else "lighter, lower,"
        numbers = "Numbers are hundredths. " if self._matrix.shows_hundredths else ""
        self._scale.setText(
            f"{numbers}Colours from {low:.3g} to {high:.3g}; {better} agrees more. "
            "Click a cell to see its two raters alone."
        )
        self._scale.setVisible(bool(heads))

    def show_table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Figures of the whole group as (what, value)."""
        cells = "".join(
            f"<tr><td style='padding-right:12px'>{what}</td><td align='right'><b>{value}</b></td>"
            "</tr>"
            for what, value in rows
        )
        self._table.setText(f"<table>{cells}</table>" if rows else "")
        self._table.setVisible(bool(rows))

    def say(self, text: str) -> None:
        self._said.setText(text)
        self._said.setVisible(bool(text))

    def show_nothing(self, text: str = _NOTHING) -> None:
        self.show_matrix([], [], 0.0, 1.0)
        self.show_table([])
        self.say(text)
