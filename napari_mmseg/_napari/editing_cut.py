"""What a cut by intensity would do, shown while its limits are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject

from .editing_told import told
from .pause import after_pause

if TYPE_CHECKING:
    from napari.layers import Labels

    from ..editing.stroke import Box
    from .editing_controller import EditController
    from .editing_shaping import ShapeRequest

CUT_NAME = "Cut (preview)"

#: The preview follows the limits, the region and edits so long after the last change (ms).
_PAUSE_MS = 120

#: Voxel values of the preview, and their colours: would be erased, would be added.
_ERASED, _ADDED = 1, 2
_COLOURS: dict[int | None, str] = {None: "transparent", 0: "transparent", 1: "magenta", 2: "lime"}
_OPACITY = 0.6


class CutPreview(QObject):
    """Shows the voxels that the two cuts would change, in a layer of their own; no edit.

    Magenta would be erased by keeping only these intensities, lime added by adding them.

    Parameters
    ----------
    controller
        The annotation in hand.
    """

    def __init__(self, controller: EditController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._request: ShapeRequest | None = None
        self._layer: Labels | None = None
        self._box: Box | None = None
        self._timer = after_pause(self, _PAUSE_MS, self._draw)
        controller.session.on_state.append(self.follow)
        controller.on_tool.append(self.follow)

    def show(self, request: ShapeRequest) -> None:
        """Show what a request's contrast and limits would do to the region in hand."""
        self._request = request
        self._timer.start()

    def follow(self) -> None:
        """The labels or the region in hand changed: what is shown is shown anew."""
        if self._request is not None:
            self._timer.start()

    def hide(self) -> None:
        """Take the preview away."""
        self._timer.stop()
        self._request, self._box = None, None
        layers = self._controller.viewer.layers
        if self._layer is not None and self._layer in layers:
            layers.remove(self._layer)
        self._layer = None

    def close(self) -> None:
        """Take it away for good."""
        self.hide()
        self._controller.session.on_state.remove(self.follow)
        self._controller.on_tool.remove(self.follow)

    def _draw(self) -> None:
        from ..editing.operations import cut_between

        request, controller = self._request, self._controller
        if request is None or request.looks_at not in controller.images:
            return
        with told():
            box, erased, added = cut_between(
                controller.session,
                controller.tool.region,
                controller.images[request.looks_at],
                request.low,
                request.high,
            )
            layer = self._shown()
            if self._box is not None:
                layer.data[self._box] = 0
            layer.data[box][erased], layer.data[box][added] = _ERASED, _ADDED
            self._box = box
            layer.refresh(extent=False)

    def _shown(self) -> Labels:
        """The preview's layer, above all others; made when first needed."""
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        viewer, labels = self._controller.viewer, self._controller.layer
        if self._layer is None or self._layer not in viewer.layers:
            active = viewer.layers.selection.active
            layer = Labels(
                np.zeros(self._controller.session.codes.shape, dtype=np.uint8),
                name=CUT_NAME,
                colormap=DirectLabelColormap(color_dict=_COLOURS),
                scale=labels.scale,
                translate=labels.translate,
                units=labels.units,
                axis_labels=labels.axis_labels,
                opacity=_OPACITY,
            )
            layer.editable = False
            viewer.add_layer(layer)
            viewer.layers.selection.active = active
            self._layer, self._box = layer, None
        return self._layer
