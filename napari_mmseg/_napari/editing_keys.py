"""The edit keys on a layer, from the actions declared in `editing_tool`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..protocol import Protocol
from .editing_actions import EditAction, all_actions

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

#: These act wherever the user is, not only while the labels are the active layer.
EVERYWHERE = ("undo", "redo")


def bind_keys(
    viewer: ViewerModel,
    layer: Labels,
    protocol: Protocol,
    run: Callable[[EditAction], None],
) -> None:
    """Bind every action's key on the layer, undo and redo on the viewer too.

    A layer's own keymap comes before napari's for all Labels layers, so 1, 2, 3 choose regions
    here and still switch modes elsewhere. Z is bound too, though napari has it: napari remembers
    the mode before its own Z for as long as the window is open, and goes back to it whenever a Z
    is let go of later, the one of Ctrl+Z included.
    """
    for action in all_actions(protocol):
        if not action.key:
            continue

        def press(_: Any, action: EditAction = action) -> None:
            run(action)

        layer.bind_key(action.key, press, overwrite=True)
        if action.name in EVERYWHERE:
            viewer.bind_key(action.key, press, overwrite=True)


def unbind_keys(viewer: ViewerModel, layer: Labels, protocol: Protocol) -> None:
    for action in all_actions(protocol):
        if action.key:
            layer.bind_key(action.key, None)
            if action.name in EVERYWHERE:
                viewer.bind_key(action.key, None)
