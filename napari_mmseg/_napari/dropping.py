"""Takes dropped cases itself, where napari would ask which reader to use for a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QWidget


class DropTaker(QObject):
    """Gives dropped folders and files to `open_paths` when `takes` says that they are a case."""

    def __init__(
        self,
        target: QWidget,
        takes: Callable[[list[Path]], bool],
        open_paths: Callable[[list[Path]], None],
    ) -> None:
        super().__init__(target)
        self._takes = takes
        self._open = open_paths
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is None or event.type() not in (QEvent.Type.Drop, QEvent.Type.DragEnter):
            return False
        assert isinstance(event, QDropEvent)
        paths = local_paths(event)
        if not paths or not self._takes(paths):
            return False
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self._open(paths)
        return True


def local_paths(event: QDropEvent) -> list[Path]:
    """The files and folders that are dragged; empty when anything else is among them."""
    data = event.mimeData()
    if data is None or not data.hasUrls():
        return []
    urls = data.urls()
    return [Path(u.toLocalFile()) for u in urls] if all(u.isLocalFile() for u in urls) else []
