"""Asks before unsaved corrections are lost with the window."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMainWindow, QWidget


class CloseGuard(QObject):
    """Stops a window from closing unless `may_close()` agrees."""

    def __init__(self, window: QWidget, may_close: Callable[[], bool]) -> None:
        super().__init__(window)
        self._may_close = may_close
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Close and not self._may_close():
            event.ignore()
            return True
        return False


def main_window_of(widget: QWidget) -> QMainWindow | None:
    """The main window that a widget is docked in, floating or not."""
    parent: QObject | None = widget
    while parent is not None:
        if isinstance(parent, QMainWindow):
            return parent
        parent = parent.parent()
    return None
