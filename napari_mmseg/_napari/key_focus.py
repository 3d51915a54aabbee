"""The keys act on the picture while the mouse is over it, whatever was clicked in the panel."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication, QWidget


class KeysFollowMouse(QObject):
    """Takes the keyboard from the panel when the mouse enters the picture.

    Else a number field that was clicked last would swallow the keys of the tools, and Space, which
    pans the picture, would press the last button once more. What was typed into a field counts.

    Parameters
    ----------
    picture
        The widget that hands its keys to the viewer.
    panel
        Only its own fields and buttons lose the keyboard; napari's keep it.
    """

    def __init__(self, picture: QWidget, panel: QWidget) -> None:
        super().__init__(picture)
        self._picture, self._panel = picture, panel
        picture.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Enter:
            holder = QApplication.focusWidget()
            if holder is not None and self._panel.isAncestorOf(holder):
                self._picture.setFocus()
        return False
