"""Layers that show what several raters say together: maps of their disagreement, a consensus.

Neither is anybody's work: no step of undo, nothing to paint on, nothing that an export takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from ..case import Case
from .colours import TRANSPARENT
from .layers import ORIGIN, Origin, geometry, labels_tuple, layers_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from ..editing.stroke import Box

DISPUTE_NAME = "Disagreement (looked at)"

#: Marks the layers made here in `layer.metadata`; the value says which of them it is.
_MARK = "napari-mmseg raters"
_MAP, _CONSENSUS, _DISPUTE = "map", "consensus", "dispute"

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

#: The voxels of the disagreement that is looked at: no rater and no region has this colour.
_DISPUTE_COLOUR = (1.0, 1.0, 0.2, 1.0)
_DISPUTE_OPACITY = 0.5


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


def show_dispute(
    viewer: ViewerModel, case: Case, mask: NDArray[np.bool_], box: Box, room: Box
) -> Labels:
    """Fill the voxels of one disagreement, over the labels; the selection stays.

    The layer is written to in place: call its `refresh` when the slice on screen stays the same.

    Parameters
    ----------
    mask
        The piece inside `box`, axes (I, P, L).
    box, room
        Slices of the whole image: of the piece, and of all pieces that will be shown.
    """
    layer = prepare_dispute(viewer, case, room)
    layer.data[:] = 0
    inside = tuple(
        slice(side.start - outer.start, side.stop - outer.start)
        for side, outer in zip(box, room, strict=True)
    )
    layer.data[inside] = mask
    if not layer.visible:
        layer.visible = True
    _lay_over_labels(viewer, layer)
    return layer


def prepare_dispute(viewer: ViewerModel, case: Case, room: Box) -> Labels:
    """The layer of `show_dispute`, empty where it is new; the first wish is met sooner by it."""
    shown: list[Any] = _marked(viewer, case, _DISPUTE)
    return shown[0] if shown else _added_dispute(viewer, case, room)


def _added_dispute(viewer: ViewerModel, case: Case, room: Box) -> Labels:
    from napari.utils.colormaps import DirectLabelColormap

    place = geometry(case.grid)
    place["translate"] = tuple(
        float(t + side.start * s)
        for t, side, s in zip(place["translate"], room, place["scale"], strict=True)
    )
    active = viewer.layers.selection.active
    layer = viewer.add_labels(
        np.zeros([side.stop - side.start for side in room], dtype=np.uint8),
        name=DISPUTE_NAME,
        colormap=DirectLabelColormap(
            color_dict={None: TRANSPARENT, 0: TRANSPARENT, 1: _DISPUTE_COLOUR}
        ),
        opacity=_DISPUTE_OPACITY,
        metadata={ORIGIN: Origin(case), _MARK: _DISPUTE},
        **place,
    )
    layer.editable = False
    viewer.layers.selection.active = active
    return layer


def _lay_over_labels(viewer: ViewerModel, layer: Layer) -> None:
    """Move a layer above all labels, below what is drawn in lines."""
    top = max(i for i, ly in enumerate(viewer.layers) if type(ly).__name__ == "Labels")
    if viewer.layers[top] is not layer:
        active = viewer.layers.selection.active
        viewer.layers.move(viewer.layers.index(layer), top + 1)
        viewer.layers.selection.active = active


def remove_dispute(viewer: ViewerModel, case: Case) -> None:
    _remove(viewer, case, _DISPUTE)


def remove_map(viewer: ViewerModel, case: Case) -> None:
    _remove(viewer, case, _MAP)


def remove_consensus(viewer: ViewerModel, case: Case) -> None:
    _remove(viewer, case, _CONSENSUS)


def _remove(viewer: ViewerModel, case: Case, kind: str) -> None:
    active = viewer.layers.selection.active
    for layer in _marked(viewer, case, kind):
        viewer.layers.remove(layer)
    if active in viewer.layers:
        viewer.layers.selection.active = active


def _marked(viewer: ViewerModel, case: Case, kind: str) -> list[Layer]:
    return [ly for ly in layers_of(viewer.layers, case) if ly.metadata.get(_MARK) == kind]
