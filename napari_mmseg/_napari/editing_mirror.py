"""A region's mirror image on the other side of the brain, outlined to compare with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .editing_told import say
from .task import Task

if TYPE_CHECKING:
    from napari.layers import Labels

    from ..editing.mirror import SymmetryPlane
    from .editing_controller import EditController

MIRROR_NAME = "Mirrored (outline)"

_OUTLINE_VOXELS = 1
_COLOURS: dict[int | None, str] = {None: "transparent", 0: "transparent", 1: "yellow"}


class MirrorOutline:
    """One region as it was when asked for, in a layer of its own; no edit, nothing to undo.

    The midline is sought in the first image beside the window, once.
    """

    def __init__(self, controller: EditController, on_end: Callable[[bool], None]) -> None:
        self._controller = controller
        self._on_end = on_end
        self._plane: SymmetryPlane | None = None
        self._layer: Labels | None = None
        self._task: Task | None = None

    def show(self) -> None:
        """Outline the mirror image of the region in hand as it is now."""
        controller = self._controller
        session, images = controller.session, controller.images
        mask = session.protocol.inside(session.codes, controller.tool.region)
        if not mask.any() or not images:
            say(f"There is no {controller.tool.region} to mirror" if images else "No image is open")
            self._on_end(False)
            return
        image, spacing = next(iter(images.values())), session.grid.spacing
        self._task = Task(lambda *_: _mirrored(mask, image, spacing, self._plane))
        self._task.finished.connect(self._receive)
        self._task.failed.connect(self._fail)
        self._task.start()

    def hide(self) -> None:
        """Take the outline away, or what is being sought."""
        if self._task is not None:
            self._task.cancel()
        layers = self._controller.viewer.layers
        if self._layer is not None and self._layer in layers:
            layers.remove(self._layer)
        self._layer = None

    def _receive(self, found: tuple[NDArray[np.bool_], SymmetryPlane]) -> None:
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        mask, self._plane = found
        self.hide()
        viewer, labels = self._controller.viewer, self._controller.layer
        active = viewer.layers.selection.active
        layer = Labels(
            mask.astype(np.uint8),
            name=MIRROR_NAME,
            colormap=DirectLabelColormap(color_dict=_COLOURS),
            scale=labels.scale,
            translate=labels.translate,
            units=labels.units,
            axis_labels=labels.axis_labels,
            opacity=1.0,
        )
        layer.contour = _OUTLINE_VOXELS
        layer.editable = False
        self._layer = layer
        viewer.add_layer(layer)
        viewer.layers.selection.active = active
        self._on_end(True)

    def _fail(self, sentence: str) -> None:
        say(sentence)
        self._on_end(False)


def _mirrored(
    mask: NDArray[np.bool_],
    image: NDArray[Any],
    spacing: tuple[float, float, float],
    plane: SymmetryPlane | None,
) -> tuple[NDArray[np.bool_], SymmetryPlane]:
    from ..editing.mirror import mirrored, symmetry_plane

    plane = plane or symmetry_plane(image, spacing)
    return mirrored(mask, plane, spacing), plane
