"""A rater-by-rater matrix as a picture: a colour and a number in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from .swatch import ink_on

RGBA = tuple[float, float, float, float]

#: Dark to light, in even steps of lightness and readable by the colour-blind: stops of cividis
#: (Nuñez et al., PLoS ONE 13:e0199239, 2018).
_STOPS = ((0.00, 0.14, 0.31), (0.29, 0.33, 0.42), (0.49, 0.48, 0.47), (0.73, 0.68, 0.42))
_TOP = (1.0, 0.92, 0.27)

#: Cells are as large as there is room, within these (pixels).
_LARGEST_CELL_PX = 56
_SMALLEST_CELL_PX = 15

#: Two digits ("97" for 0.97) where a cell has less room than this for "0.97".
_ROOM_FOR_POINT_PX = 34

#: What two digits would round to a hundred hundredths.
_ALL_BUT_ONE = 0.995


@dataclass(frozen=True)
class MatrixHead:
    """Who a row and a column stand for."""

    letter: str
    name: str
    colour: RGBA


class MatrixView(QWidget):
    """Draws a symmetric matrix; a click on a cell asks for its two raters."""

    pair_chosen = Signal(str, str)  # letters

    def __init__(self) -> None:
        super().__init__()
        self._heads: tuple[MatrixHead, ...] = ()
        self._values: tuple[tuple[float | None, ...], ...] = ()
        self._low, self._high, self._best_is_high = 0.0, 1.0, True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_matrix(
        self,
        heads: Sequence[MatrixHead],
        values: Sequence[Sequence[float | None]],
        low: float,
        high: float,
        best_is_high: bool = True,
    ) -> None:
        """Show values between `low` and `high`; None is a cell with nothing to measure."""
        self._heads = tuple(heads)
        self._values = tuple(tuple(row) for row in values)
        self._low, self._high, self._best_is_high = low, high, best_is_high
        self.setFixedHeight(self._height(self.width()))
        self.update()

    def text_of(self, row: int, column: int) -> str:
        """What stands in a cell: empty on the diagonal, a dash where nothing is measured."""
        if row == column:
            return ""
        value = self._values[row][column]
        if value is None:
            return "–"
        if self._best_is_high:  # a ratio
            if not self.shows_hundredths:
                return f"{value:.2f}"
            return "100" if value >= _ALL_BUT_ONE else f"{100 * value:02.0f}"
        return f"{value:.1f}" if value < 10 else f"{value:.0f}"

    @property
    def shows_hundredths(self) -> bool:
        """Is there no room for the point of a ratio?"""
        return self._best_is_high and self._cell() < _ROOM_FOR_POINT_PX

    def sizeHint(self) -> QSize:
        return QSize(200, self._height(360))

    def minimumSizeHint(self) -> QSize:
        return QSize((len(self._heads) + 1) * _SMALLEST_CELL_PX, 0)

    def resizeEvent(self, event: QEvent | None) -> None:
        self.setFixedHeight(self._height(self.width()))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if not self._heads:
            return
        painter = QPainter(self)
        cell = self._cell()
        painter.setFont(self._font(cell))
        for at, head in enumerate(self._heads, start=1):
            for place in (self._at(0, at), self._at(at, 0)):
                inner = place.adjusted(1.5, 1.5, -1.5, -1.5)
                painter.fillRect(inner, QColor.fromRgbF(*head.colour))
                painter.setPen(ink_on(head.colour))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, head.letter)
        for row in range(len(self._heads)):
            for column in range(len(self._heads)):
                if row == column:
                    continue
                colour = self._shade(self._values[row][column])
                place = self._at(row + 1, column + 1)
                painter.fillRect(place.adjusted(0.5, 0.5, -0.5, -0.5), QColor.fromRgbF(*colour))
                painter.setPen(ink_on(colour))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self.text_of(row, column))
        painter.end()

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent):
            pair = self._pair_at(QPointF(event.pos()))
            if pair is None:
                QToolTip.hideText()
            else:
                row, column = pair
                names = f"{self._heads[row].name} and {self._heads[column].name}"
                QToolTip.showText(event.globalPos(), f"{names}: {self._exact(row, column)}", self)
            return True
        return bool(super().event(event))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and (pair := self._pair_at(event.position())) is not None:
            self.pair_chosen.emit(self._heads[pair[0]].letter, self._heads[pair[1]].letter)

    def _exact(self, row: int, column: int) -> str:
        value = self._values[row][column]
        return "nothing to measure" if value is None else f"{value:.4f}"

    def _cell(self, width: int | None = None) -> float:
        room = (self.width() if width is None else width) / (len(self._heads) + 1)
        return float(min(max(room, _SMALLEST_CELL_PX), _LARGEST_CELL_PX))

    def _cell_height(self, width: int | None = None) -> float:
        return min(self._cell(width), 0.6 * _LARGEST_CELL_PX)

    def _height(self, width: int) -> int:
        if not self._heads:
            return 0
        return round((len(self._heads) + 1) * self._cell_height(width)) + 1

    def _at(self, row: int, column: int) -> QRectF:
        width, height = self._cell(), self._cell_height()
        return QRectF(column * width, row * height, width, height)

    def _pair_at(self, point: QPointF) -> tuple[int, int] | None:
        row = int(point.y() // self._cell_height()) - 1
        column = int(point.x() // self._cell()) - 1
        there = range(len(self._heads))
        return (row, column) if row in there and column in there and row != column else None

    def _font(self, cell: float) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(9, min(13, round(cell * 0.62))))
        return font

    def _shade(self, value: float | None) -> RGBA:
        if value is None:
            return 0.25, 0.27, 0.30, 1.0
        span = self._high - self._low
        share = min(max((value - self._low) / span if span > 0 else 1.0, 0.0), 1.0)
        share = share if self._best_is_high else 1.0 - share
        stops = (*_STOPS, _TOP)
        place = share * (len(stops) - 1)
        below = min(int(place), len(stops) - 2)
        part = place - below
        red, green, blue = (
            (1 - part) * a + part * b for a, b in zip(stops[below], stops[below + 1], strict=True)
        )
        return red, green, blue, 1.0
