"""Layers that napari's reader made become an open case of the panel."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..case import Case
from .layers import layers_of

if TYPE_CHECKING:
    import napari

_log = logging.getLogger(__name__)

#: napari adds the layers after the reader has returned; look again after this time.
_PAUSE_MS = 20
_MOST_LOOKS = 250


def expect_layers(case: Case, count: int) -> None:
    """Called by the reader: once its `count` layers are in the viewer, the panel takes them.

    Does nothing where there is no window (napari's model alone).
    """
    import napari

    if (viewer := napari.current_viewer()) is None:
        return
    _look(viewer, case, count, _MOST_LOOKS)


def _look(viewer: napari.Viewer, case: Case, count: int, looks: int) -> None:
    from qtpy.QtCore import QTimer

    def look() -> None:
        layers = layers_of(viewer.layers, case)
        if len(layers) < count and looks > 0:
            _look(viewer, case, count, looks - 1)
        elif layers:
            from .panel import show_panel

            show_panel(viewer).coordinator.adopt(case, layers)
        else:
            _log.debug("the layers of a case never came")

    QTimer.singleShot(_PAUSE_MS, look)
