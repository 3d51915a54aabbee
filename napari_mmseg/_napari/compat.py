"""The few names of napari that are not promised to stay; `test_compat.py` holds it to them.

Without any of them the program is still right: the status bar says what napari says by itself,
and a dropped folder asks which reader to take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Layer

#: `describe(position) -> (where, what)` for a position in the scene, mm.
Describe = Callable[[Any], tuple[str, str]]


def describe_with(layer: Layer, describe: Describe) -> None:
    """Let the status bar speak with `describe` while `layer` is selected.

    napari asks `layer.get_status` (public, but not meant to be replaced) from a thread of its
    own; there is no hook for it.
    """
    own = type(layer).get_status

    def get_status(position: Any = None, *, world: bool = False, **rest: Any) -> dict[str, str]:
        if position is None or not world or len(np.ravel(position)) != 3:
            return dict(own(layer, position, world=world, **rest))
        where, what = describe(np.asarray(position, dtype=float))
        coordinates = f"{where}   {what}" if what else where
        return {
            "layer_name": layer.name,
            "layer_base": layer.name,
            "source_type": "",
            "plugin": "",
            "coordinates": coordinates,
            "coords": where,
            "value": what,
        }

    layer.get_status = get_status


def describe_as_before(layer: Layer) -> None:
    layer.__dict__.pop("get_status", None)


def drop_target(window: Any) -> Any:
    """The widget of napari's main window that takes dropped files, or None."""
    from qtpy.QtWidgets import QWidget

    for widget in window.findChildren(QWidget):
        if type(widget).__name__ == "QtViewer" and widget.acceptDrops():
            return widget
    return None
