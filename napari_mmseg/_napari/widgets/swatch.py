"""A small square of a colour, for lists and buttons."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

_SIDE_PX = 16

#: Letters are dark on colours lighter than this (relative luminance, 0 to 1): white then has a
#: contrast of 3.5 or more, black of 6 or more (WCAG 2.1; 3 is asked of large letters).
_LIGHT = 0.25


def swatch(colour: tuple[float, float, float, float], letter: str = "") -> QIcon:
    """A square of a colour, with a letter in it."""
    pixmap = QPixmap(_SIDE_PX, _SIDE_PX)
    pixmap.fill(QColor.fromRgbF(*colour))
    if letter:
        painter = QPainter(pixmap)
        font = painter.font()
        font.setBold(True)
        font.setPixelSize(_SIDE_PX - 4)
        painter.setFont(font)
        painter.setPen(ink_on(colour))
        painter.drawText(pixmap.rect(), Qt.AlignmentFlag.AlignCenter, letter)
        painter.end()
    return QIcon(pixmap)


def ink_on(colour: tuple[float, float, float, float]) -> QColor:
    """Black or white, whichever is read more easily on a colour."""
    red, green, blue = (part**2.2 for part in colour[:3])
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return QColor("black") if light > _LIGHT else QColor("white")
