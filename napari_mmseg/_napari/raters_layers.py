"""Layers that show what several raters say together: maps of their disagreement, a consensus.

Neither is anybody's work: no step of undo, nothing to paint on, nothing that an export takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from ..case import Case
from .layers import ORIGIN, Origin, geometry, labels_tuple, layers_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

#: Marks the layers made here in `layer.metadata`; the value says which of the two it is.
_MARK = "napari-mmseg raters"
_MAP, _CONSENSUS = "map", "consensus"

#: Clear where nobody differs, so that the image shows; then purple to yellow, in even steps of
#: lightness (stops of inferno; red, green, blue, opacity).
_HEAT = (
    (0.26, 0.04, 0.41, 0.0),
    (0.58, 0.15, 0.40, 0.75),
    (0.87, 0.32, 0.23, 0.85),
    (0.99, 0.65, 0.04, 0.9),
    (0.99, 1.0, 0.64, 0.95),
)

_CONSENSUS_OPACITY = 0.55


def show_map(
    viewer: ViewerModel,
    case: Case,
    values: NDArray[np.float32],
    corner: tuple[int, int, int],
    name: str,
    highest: float,
) -> Image:
    """Show a map, clear at 0, below all labels; the selection stays.

    Parameters
    ----------
    values
        Axes (I, P, L), of a part of the image.
    corner
        Where the part's first voxel lies in the image.
    highest
        The value of the lightest colour.
    """
    from napari.utils import Colormap

    remove_map(viewer, case)
    place = geometry(case.grid)
    place["translate"] = tuple(
        float(t + c * s) for t, c, s in zip(place["translate"], corner, place["scale"], strict=True)
    )
    meta: dict[str, Any] = {
        "name": name,
        "colormap": Colormap(_HEAT, name="disagreement"),
        "contrast_limits": (0.0, highest),
        "interpolation2d": "nearest",
        "blending": "translucent_no_depth",
        "metadata": {ORIGIN: Origin(case), _MARK: _MAP},
        **place,
    }
    active = viewer.layers.selection.active
    images = sum(type(layer).__name__ == "Image" for layer in viewer.layers)
    layer = viewer.add_image(values, **meta)
    viewer.layers.move(viewer.layers.index(layer), images)
    viewer.layers.selection.active = active
    return layer


def show_consensus(viewer: ViewerModel, case: Case, annotation: Annotation, name: str) -> Labels:
    """Show a consensus above the other labels; it cannot be painted on, and the selection stays."""
    remove_consensus(viewer, case)
    data, meta, _ = labels_tuple(case, annotation, name)
    meta["metadata"] = {ORIGIN: Origin(case), _MARK: _CONSENSUS}
    meta["opacity"] = _CONSENSUS_OPACITY
    active = viewer.layers.selection.active
    layer = viewer.add_labels(data, **meta)
    layer.editable = False
    viewer.layers.selection.active = active
    return layer


def remove_map(viewer: ViewerModel, case: Case) -> None:
    _remove(viewer, case, _MAP)


def remove_consensus(viewer: ViewerModel, case: Case) -> None:
    _remove(viewer, case, _CONSENSUS)


def _remove(viewer: ViewerModel, case: Case, kind: str) -> None:
    active = viewer.layers.selection.active
    marked: list[Layer] = [
        layer for layer in layers_of(viewer.layers, case) if layer.metadata.get(_MARK) == kind
    ]
    for layer in marked:
        viewer.layers.remove(layer)
    if active in viewer.layers:
        viewer.layers.selection.active = active
