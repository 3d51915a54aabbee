"""The few private names of napari's Labels layer that editing touches.

`tests/_napari/test_editing_compat.py` holds napari to them. Without any of them editing is still
right, only slower to draw, or an encircling stroke takes several steps of undo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..editing.stroke import Box

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

#: Called by napari's "draw round and fill" (right mouse button) around its many paint calls.
STROKE_HOOKS = ("_begin_stroke", "_commit_stroke", "_abort_stroke")


def redraw(layer: Labels, box: Box) -> None:
    """Show voxels that changed in the layer's array, without slicing the volume again.

    napari's own paint ends with the same two calls; the public `refresh` takes 20 times longer.
    """
    try:
        layer._accumulate_updated_slice(box)
        layer._partial_labels_refresh()
    except (AttributeError, TypeError):  # another napari than the one this was written for
        layer.refresh(extent=False)


def hook_encircling(
    layer: Labels,
    begin: Callable[[], None],
    commit: Callable[[], None],
    abort: Callable[[], None],
) -> None:
    """Let the right button's encircling stroke be one step of our own undo."""
    for name, hook in zip(STROKE_HOOKS, (begin, commit, abort), strict=True):
        setattr(layer, name, hook)


def unhook_encircling(layer: Labels) -> None:
    for name in STROKE_HOOKS:
        layer.__dict__.pop(name, None)


def remove_own_drawing(layer: Labels) -> None:
    """Take napari's painting out of the mouse callbacks; a change of mode brings it back."""
    callbacks = layer.mouse_drag_callbacks
    for callback in list(callbacks):
        module, name = getattr(callback, "__module__", ""), getattr(callback, "__name__", "")
        if module.startswith("napari.layers.labels") and name == "draw":
            callbacks.remove(callback)


def bare_brush_circle(viewer: ViewerModel) -> None:
    """Draw the brush's circle alone.

    napari 0.9.2 draws the overlay's background box as a dark square in the middle of the brush
    as soon as a second layer has been added.
    """
    circle = viewer.canvas.overlays.get("_brush_circle")
    if circle is not None:
        circle.box = False
