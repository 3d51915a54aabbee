"""Small parts that all sections of the panel are made of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

_SPACING_PX = 6
_MARGIN_PX = 8

#: Letters of an entry that a combo box shows at least; it grows with the panel.
_FEWEST_LETTERS = 3

#: A break of the line that is not seen where none is needed (zero width space).
_MAY_BREAK = "\u200b"

_LONG_WORD = re.compile(r"[^\s\u200b]{30}(?=[^\s\u200b]{5})")

_BANNER_STYLES = {
    "info": "background: rgba(80, 140, 220, 40); border-left: 3px solid #508cdc;",
    "good": "background: rgba(60, 170, 90, 40); border-left: 3px solid #3caa5a;",
    "warning": "background: rgba(230, 160, 30, 45); border-left: 3px solid #e6a01e;",
    "error": "background: rgba(220, 70, 60, 50); border-left: 3px solid #dc463c;",
}


class Section(QWidget):
    """A titled part of the panel that folds away under its title."""

    toggled = Signal(bool)

    def __init__(self, title: str, content: QWidget, expanded: bool = True) -> None:
        super().__init__()
        self._content = content
        self._header = QToolButton()
        self._header.setText(title)
        self._header.setCheckable(True)
        self._header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._header.setStyleSheet(
            "QToolButton { font-weight: bold; text-align: left; border: none; padding: 5px 4px; }"
        )
        self._header.setCursor(Qt.CursorShape.PointingHandCursor)
        self._header.toggled.connect(self._fold)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFixedHeight(1)
        line.setStyleSheet("background: rgba(128, 128, 128, 90); border: none;")
        layout = column(self, margin=0, spacing=2)
        layout.addWidget(line)
        layout.addWidget(self._header)
        layout.addWidget(content)
        self._header.setChecked(expanded)
        self._fold(expanded)

    @property
    def is_expanded(self) -> bool:
        return self._header.isChecked()

    def expand(self, expanded: bool = True) -> None:
        self._header.setChecked(expanded)

    def _fold(self, expanded: bool) -> None:
        self._header.setArrowType(Qt.ArrowType.DownArrow if expanded else Qt.ArrowType.RightArrow)
        self._content.setVisible(expanded)
        self.toggled.emit(expanded)


class Banner(QFrame):
    """One or a few sentences for the user, who can put them away; hidden while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QToolButton()
        close.setText("×")
        close.setToolTip("Hide this")
        close.setStyleSheet("QToolButton { border: none; background: transparent; }")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 2, 4)
        row.setSpacing(2)
        row.addWidget(self._label, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setObjectName("banner")
        self.hide()

    def text(self) -> str:
        return self._label.text().replace(_MAY_BREAK, "")

    def say(self, text: str, kind: str = "info") -> None:
        """Show `text`; `kind` is one of "info", "good", "warning", "error"."""
        self._label.setText(breakable(text))
        self.setStyleSheet(
            f"#banner {{ {_BANNER_STYLES[kind]} }} #banner QLabel {{ background: transparent; }}"
        )
        self.setVisible(bool(text))

    def clear(self) -> None:
        self._label.clear()
        self.hide()


class Choice(QComboBox):
    """A combo box whose entries have a value beside the text, and that never asks for more width
    than the panel has.
    """

    def __init__(self, entries: list[tuple[str, object]] | None = None) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_FEWEST_LETTERS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.offer(entries or [])

    def offer(self, entries: list[tuple[str, object]], chosen: object = None) -> None:
        """Replace the entries (text, value) without emitting that the choice changed."""
        self.blockSignals(True)
        self.clear()
        for text, value in entries:
            self.addItem(text, value)
            self.setItemData(self.count() - 1, text, Qt.ItemDataRole.ToolTipRole)
        self.choose(chosen)
        self.blockSignals(False)

    def choose(self, value: object) -> None:
        for row in range(self.count()):
            if self.itemData(row) == value:
                self.setCurrentIndex(row)
                return

    @property
    def value(self) -> object:
        return self.currentData()


def column(parent: QWidget, margin: int = _MARGIN_PX, spacing: int = _SPACING_PX) -> QVBoxLayout:
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(margin, 0, margin, margin)
    layout.setSpacing(spacing)
    return layout


def form() -> QFormLayout:
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(_SPACING_PX)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return layout


def breakable(text: str) -> str:
    """`text` with places to break a line in long words, such as names of files.

    Qt makes a label as wide as its longest word, and the panel with it, beyond the window's edge.
    """
    return _LONG_WORD.sub(lambda found: found.group() + _MAY_BREAK, text)


def listed(sentences: Sequence[str]) -> str:
    """Sentences as lines of a banner, marked off from each other where there are several."""
    mark = "• " if len(sentences) > 1 else ""
    return "\n".join(mark + sentence[:1].upper() + sentence[1:] for sentence in sentences)


def quiet(text: str = "") -> QLabel:
    """A line of secondary text."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setStyleSheet("QLabel { color: #9aa0a6; }")
    return label
