"""Which way the patient lies on screen: planes by name and letters at the view's edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..grid import DISPLAY_ORIENTATION

if TYPE_CHECKING:
    from napari.components import ViewerModel

_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}

#: Order of the array axes (sliced, down the screen, across the screen) by plane: radiological
#: axial, head-up coronal, nose-left sagittal.
PLANES: dict[str, tuple[int, int, int]] = {
    "axial": (0, 1, 2),
    "coronal": (1, 0, 2),
    "sagittal": (2, 0, 1),
}

#: Where napari puts the overlay of each edge.
_POSITIONS = {
    "top": "top_center",
    "bottom": "bottom_center",
    "left": "middle_left",
    "right": "middle_right",
}

_LETTER_POINTS = 15
_LETTER_COLOUR = (1.0, 0.86, 0.35, 1.0)  # amber: seen on black as on grey


@dataclass(frozen=True)
class EdgeLetters:
    """The patient's side at each edge of the view."""

    top: str
    bottom: str
    left: str
    right: str


def edge_letters(
    displayed: tuple[int, int],
    towards: tuple[str, str] = ("down", "right"),
    axes: str = DISPLAY_ORIENTATION,
) -> EdgeLetters:
    """Letters for a 2D view.

    Parameters
    ----------
    displayed
        The array axis drawn along the screen's height and the one along its width.
    towards
        Where growing indices go on screen: "down" or "up", "right" or "left" (the camera's
        `orientation2d`).
    axes
        Where the array axes point.
    """
    down, across = (axes[axis] for axis in displayed)
    if towards[0] == "up":
        down = _OPPOSITE[down]
    if towards[1] == "left":
        across = _OPPOSITE[across]
    return EdgeLetters(_OPPOSITE[down], down, _OPPOSITE[across], across)


def plane_of(order: tuple[int, ...]) -> str | None:
    """Name of the plane that a viewer's axis order shows, if it is one of ours."""
    return next((name for name, known in PLANES.items() if known == tuple(order)), None)


def show_plane(viewer: ViewerModel, plane: str) -> None:
    """Turn the viewer to a plane (2D), upright, through the point it stands at."""
    viewer.dims.ndisplay = 2
    viewer.dims.order = PLANES[plane]


class LetterOverlay:
    """Draws the letters on a viewer's canvas and keeps them right as planes change."""

    def __init__(self, viewer: ViewerModel) -> None:
        from napari.components.overlays import TextOverlay

        self._viewer = viewer
        self._overlays = {}
        for edge, position in _POSITIONS.items():
            overlay = TextOverlay(
                position=position,
                font_size=_LETTER_POINTS,
                color=_LETTER_COLOUR,
                box=False,
            )
            viewer.canvas.overlays[f"mmseg_{edge}"] = overlay
            self._overlays[edge] = overlay
        viewer.dims.events.order.connect(self.refresh)
        viewer.dims.events.ndisplay.connect(self.refresh)
        viewer.scene.camera.events.orientation.connect(self.refresh)
        self.refresh()

    def refresh(self, event: object = None) -> None:
        flat = self._viewer.dims.ndisplay == 2 and self._viewer.dims.ndim == 3
        if flat:
            rows, columns = self._viewer.dims.displayed
            rows_to, columns_to = self._viewer.scene.camera.orientation2d
            letters = edge_letters((rows, columns), (str(rows_to), str(columns_to)))
            for edge, overlay in self._overlays.items():
                overlay.text = getattr(letters, edge)
        for overlay in self._overlays.values():
            overlay.visible = flat

    def remove(self) -> None:
        self._viewer.dims.events.order.disconnect(self.refresh)
        self._viewer.dims.events.ndisplay.disconnect(self.refresh)
        self._viewer.scene.camera.events.orientation.disconnect(self.refresh)
        for edge in _POSITIONS:
            self._viewer.canvas.overlays.pop(f"mmseg_{edge}", None)
