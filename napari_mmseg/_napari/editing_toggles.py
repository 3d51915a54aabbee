"""A row of buttons of which one is pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget

_STYLE = (
    "QPushButton { padding: 4px 3px; }QPushButton:checked { background: #3f6fb5; color: white; }"
)


#: Room for a button's border, padding and half an icon, so that no text is cut off.
_PADDING_PX = 16


class ToggleRow(QWidget):
    """Buttons side by side; `chosen` tells the name of the one that the user pressed."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._buttons: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)

    def offer(self, entries: Sequence[tuple[str, str, str, QIcon | None]]) -> None:
        """Replace the buttons: (text, name, tooltip, icon) each."""
        for button in self._buttons.values():
            self._group.removeButton(button)
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = {}
        for text, name, tip, icon in entries:
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setStyleSheet(_STYLE)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setMinimumWidth(button.fontMetrics().horizontalAdvance(text) + _PADDING_PX)
            if icon is not None:
                button.setIcon(icon)
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            self._group.addButton(button)
            self._row.addWidget(button)
            self._buttons[name] = button

    def mark(self, name: str | None) -> None:
        """Show a button as pressed, without emitting; None (or an unknown name) leaves none."""
        self._group.setExclusive(False)
        for known, button in self._buttons.items():
            button.setChecked(known == name)
        self._group.setExclusive(True)

    def allow(self, allowed: Callable[[str], bool]) -> None:
        """Enable the buttons whose name passes."""
        for name, button in self._buttons.items():
            button.setEnabled(allowed(name))
