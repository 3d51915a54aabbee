"""Draws an outline over the slice: no layer, so nothing that could be edited or exported.

The names from `napari._vispy` are how napari's own examples add an overlay, but they are private;
`tests/_napari/test_hover_overlay.py` holds napari to them. Without them there is no outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari._vispy.overlays.base import VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components import ViewerModel
from napari.components.overlays import SceneOverlay
from napari.layers.base._base_constants import Blending
from numpy.typing import NDArray
from vispy.scene.visuals import Mesh

#: What the overlay is called among the viewer's.
OVERLAY = "mmseg_hover"


@dataclass(frozen=True, eq=False)
class Drawing:
    """Coloured triangles in the plane on screen.

    `corners` (N, 3) are (right, down, 0) in mm of the scene, `triangles` (M, 3) are indices of
    them, and `colours` (N, 4) theirs as RGBA.
    """

    corners: NDArray[np.float32]
    triangles: NDArray[np.uint32]
    colours: NDArray[np.float32]


class HoverOverlay(SceneOverlay):
    """Shows `drawing` while it is visible."""

    blending: Blending = Blending.TRANSLUCENT_NO_DEPTH
    drawing: Any = None


class VispyHoverOverlay(VispySceneOverlay):
    """The overlay as vispy draws it."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(node=Mesh(), **rest)
        self.overlay.events.drawing.connect(self._on_drawing)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._on_drawing()

    def close(self) -> None:
        self.overlay.events.drawing.disconnect(self._on_drawing)
        super().close()

    def _on_drawing(self) -> None:
        drawing = self.overlay.drawing
        if drawing is not None:
            self.node.set_data(
                vertices=drawing.corners,
                faces=drawing.triangles,
                vertex_colors=drawing.colours,
            )


overlay_to_visual[HoverOverlay] = VispyHoverOverlay


def overlay_of(viewer: ViewerModel) -> HoverOverlay:
    """The overlay of a viewer; made when first asked for."""
    overlays = viewer.scene.overlays
    if OVERLAY not in overlays:
        overlays[OVERLAY] = HoverOverlay()
    found = overlays[OVERLAY]
    assert isinstance(found, HoverOverlay)
    return found
