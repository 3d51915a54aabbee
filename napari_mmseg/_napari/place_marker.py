"""A ring in the picture round what is looked at now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Points

    from ..editing.stroke import Box

#: The ring is somewhat larger than what it shows, and never smaller than this (mm).
_ROOM = 1.3
_SMALLEST_MM = 8.0

_COLOUR = "yellow"
_WIDTH = 0.04  # of the diameter
_WIDEST_MM = 1.0  # a ring round a large tumour would else hide what it should show


class PlaceMarker:
    """One ring over the labels, in a layer `name`, seen in the slices through its middle."""

    def __init__(self, viewer: ViewerModel, labels: Labels, name: str) -> None:
        self._viewer, self._labels, self._name = viewer, labels, name
        self._layer: Points | None = None

    def show(self, centre: tuple[int, int, int], box: Box) -> None:
        """Put the ring round a voxel, as large as a box of voxels (I, P, L)."""
        spacing = np.asarray(self._labels.scale[-3:], dtype=float)
        sides = np.array([side.stop - side.start for side in box]) * spacing
        world = np.asarray(self._labels.data_to_world(centre), dtype=float)[-3:]
        size = max(float(sides.max()) * _ROOM, _SMALLEST_MM)
        layer = self._shown(world)
        self._raise(layer)
        # Every change has the layer sliced and drawn, and the whole scene measured: once will do.
        with layer.events.set_data.blocker(), layer.events.data.blocker():
            layer.data = world[None]
            layer.size = [size]
            layer.border_width = [min(_WIDTH, _WIDEST_MM / size)]
            layer.shown = True
        if layer.visible:
            layer.refresh()
        else:
            layer.visible = True

    def conceal(self) -> None:
        """Draw no ring, but keep the layer: a new one takes a tenth of a second."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._layer.shown = False

    def hide(self) -> None:
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def _raise(self, layer: Points) -> None:
        """Labels that came since would hide the ring."""
        layers = self._viewer.layers
        at = layers.index(layer)
        if any(type(above).__name__ == "Labels" for above in layers[at + 1 :]):
            active = layers.selection.active
            layers.move(at, len(layers))
            if active is not None:
                layers.selection.active = active

    def _shown(self, world: NDArray[np.float64]) -> Points:
        """The layer; a new one begins at a place in mm, so that the scene gets no larger by it."""
        from napari.layers import Points

        if self._layer is None or self._layer not in self._viewer.layers:
            active = self._viewer.layers.selection.active
            layer = Points(
                world[None],
                ndim=3,
                name=self._name,
                units=self._labels.units,
                axis_labels=self._labels.axis_labels,
                symbol="disc",
                face_color="transparent",
                border_color=_COLOUR,
                border_width=_WIDTH,
            )
            layer.editable = False
            self._viewer.add_layer(layer)
            if active is not None:
                self._viewer.layers.selection.active = active
            self._layer = layer
        return self._layer
