"""Waiting until nothing more comes."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


def after_pause(parent: QObject, milliseconds: int, do: Callable[[], object]) -> QTimer:
    """A timer that calls `do` once, so long after the last time it was started."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(do)
    return timer
