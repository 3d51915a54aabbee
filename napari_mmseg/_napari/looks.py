"""How a case is looked at: which contrast, in which plane, the head fitted, the sides named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ..case import Case
from ..volume import Modality
from . import compat
from .fitting import HeadFit
from .layers import SUBTRACTION_NAME, layers_of, origin_of, subtraction_tuple
from .orientation import LetterOverlay, plane_of, show_plane

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from .compat import Describe

#: What each region of the protocols is judged by: enhancement and what it surrounds on T1ce.
JUDGED_ON = {
    "WT": Modality.FLAIR,
    "TC": Modality.T1CE,
    "ET": Modality.T1CE,
    "lesion": Modality.FLAIR,
}


class CaseLooks:
    """The image layers of a case in a viewer, and the view of them.

    Parameters
    ----------
    viewer
        Where the images are shown already.
    case
        Whose images they are.
    describe
        What the status bar says at a position.

    Signals
    -------
    changed
        Another contrast or plane is shown.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, case: Case, describe: Describe) -> None:
        self.viewer = viewer
        self.case = case
        self._describe = describe
        self._letters = LetterOverlay(viewer)
        self._fit = HeadFit(viewer, case)
        viewer.dims.events.order.connect(self._on_view)
        for layer in self.images.values():
            self._watch(layer)

    @property
    def images(self) -> dict[Modality, Image]:
        """The layers of the contrasts that are still in the list."""
        found = {}
        for layer in layers_of(self.viewer.layers, self.case):
            origin = origin_of(layer)
            if origin is not None and origin.modality is not None:
                found[origin.modality] = layer
        return found

    @property
    def subtraction_layer(self) -> Image | None:
        for layer in layers_of(self.viewer.layers, self.case):
            if layer.name == SUBTRACTION_NAME and is_image(layer):
                return layer
        return None

    @property
    def shown_modality(self) -> Modality | None:
        """The contrast that is seen: the topmost visible one."""
        if self._subtraction_is_shown:
            return None
        visible = [m for m, layer in self.images.items() if layer.visible]
        return visible[-1] if visible else None

    @property
    def shown_name(self) -> str | None:
        """What is seen: a contrast or the subtraction."""
        return SUBTRACTION_NAME if self._subtraction_is_shown else self.shown_modality

    def show_modality(self, modality: Modality) -> None:
        """Show one contrast and no other image of the case."""
        for name, layer in self.images.items():
            layer.visible = name is modality
        if (difference := self.subtraction_layer) is not None:
            difference.visible = False
        self.changed.emit()

    def show_for(self, region: str) -> None:
        """Show the contrast that a region is judged by; nothing changes where it is not there."""
        wanted = JUDGED_ON.get(region)
        if wanted in self.images and wanted is not self.shown_modality:
            self.show_modality(wanted)

    def next_modality(self, step: int = 1) -> None:
        there = [m for m in Modality if m in self.images]
        if not there:
            return
        now = self.shown_modality
        start = there.index(now) if now in there else (-1 if step > 0 else 0)
        self.show_modality(there[(start + step) % len(there)])

    @property
    def can_subtract(self) -> bool:
        return {Modality.T1, Modality.T1CE} <= set(self.case.volumes)

    def show_subtraction(self) -> None:
        """Show T1ce - T1 alone; the layer is made on the first call."""
        difference = self.subtraction_layer or self._add_subtraction()
        for image in self.images.values():
            image.visible = False
        difference.visible = True
        self.changed.emit()

    @property
    def plane(self) -> str | None:
        return plane_of(tuple(self.viewer.dims.order))

    def show_plane(self, plane: str) -> None:
        show_plane(self.viewer, plane)
        self._fit.fit()

    def go_to_slice(self, axis: int, index: int) -> None:
        grid = self.case.grid
        self.viewer.dims.set_point(axis, grid.display_translate[axis] + index * grid.spacing[axis])

    def go_to_middle(self) -> None:
        grid = self.case.grid
        middle = np.array(grid.shape) // 2 * np.array(grid.spacing) + grid.display_translate
        self.viewer.dims.set_point(range(3), tuple(middle))

    def close(self) -> None:
        """Let go of the viewer; the layers stay."""
        self.viewer.dims.events.order.disconnect(self._on_view)
        self._letters.remove()
        self._fit.remove()

    @property
    def _subtraction_is_shown(self) -> bool:
        difference = self.subtraction_layer
        return difference is not None and bool(difference.visible)

    def _add_subtraction(self) -> Image:
        """Below the labels, without taking the selection from them."""
        layers = self.viewer.layers
        active = layers.selection.active
        data, meta, _ = subtraction_tuple(self.case)
        layer: Image = self.viewer.add_image(data, **meta)
        layers.move(layers.index(layer), len(self.images))
        layers.selection.active = active
        self._watch(layer)
        return layer

    def _watch(self, layer: Image) -> None:
        compat.describe_with(layer, self._describe)
        layer.events.visible.connect(self._on_view)

    def _on_view(self, event: object = None) -> None:
        self.changed.emit()


def is_image(layer: Any) -> bool:
    return type(layer).__name__ == "Image"
