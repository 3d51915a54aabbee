"""Layers that show what a model says beside the annotation: its quick look, where it is unsure.

Neither is the user's work: no step of undo, nothing to paint on, nothing that an export takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..annotation import Annotation
from ..case import Case
from .layers import LABELS_OPACITY, ORIGIN, Origin, geometry, labels_tuple, layers_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from ..inference import Prediction

PREVIEW_NAME = "Preview (being refined)"

#: Marks the layers made here in `layer.metadata`; the value says which of the two it is.
_MARK = "napari-mmseg prediction"
_PREVIEW, _UNCERTAINTY = "preview", "uncertainty"

#: Clear where the model is sure, so that the image shows; then orange to yellow (red, green, blue,
#: opacity).
_UNCERTAINTY_COLOURS = ((1.0, 0.35, 0.0, 0.0), (1.0, 0.45, 0.0, 0.75), (1.0, 1.0, 0.3, 1.0))


def show_preview(
    viewer: ViewerModel, case: Case, proposal: Annotation, labels: Labels
) -> Labels | None:
    """Show a proposal in the making just below the layer `labels`; the selection stays.

    None when `labels` is not in the viewer.
    """
    remove_preview(viewer, case)
    if labels not in viewer.layers:
        return None
    data, meta, _ = labels_tuple(case, proposal, PREVIEW_NAME)
    meta["metadata"] = {ORIGIN: Origin(case), _MARK: _PREVIEW}
    meta["opacity"] = LABELS_OPACITY
    active = viewer.layers.selection.active
    layer = viewer.add_labels(data, **meta)
    layer.editable = False
    viewer.layers.move(viewer.layers.index(layer), viewer.layers.index(labels))
    viewer.layers.selection.active = active
    return layer


def remove_preview(viewer: ViewerModel, case: Case) -> None:
    _remove(viewer, case, _PREVIEW)


def show_uncertainty(viewer: ViewerModel, case: Case, prediction: Prediction) -> Image:
    """Show where the model is unsure (0 to 1) below all labels; the selection stays."""
    from napari.utils import Colormap

    remove_uncertainty(viewer, case)
    meta: dict[str, Any] = {
        "name": f"Uncertainty ({prediction.model})",
        "colormap": Colormap(_UNCERTAINTY_COLOURS, name="uncertainty"),
        "contrast_limits": (0.0, 1.0),
        "interpolation2d": "nearest",
        "blending": "translucent_no_depth",
        "metadata": {ORIGIN: Origin(case), _MARK: _UNCERTAINTY},
        **geometry(case.grid),
    }
    active = viewer.layers.selection.active
    images = sum(type(layer).__name__ == "Image" for layer in viewer.layers)
    layer = viewer.add_image(prediction.uncertainty(), **meta)
    viewer.layers.move(viewer.layers.index(layer), images)
    viewer.layers.selection.active = active
    return layer


def remove_uncertainty(viewer: ViewerModel, case: Case) -> None:
    _remove(viewer, case, _UNCERTAINTY)


def uncertainty_shown(viewer: ViewerModel, case: Case) -> bool:
    return bool(_marked(viewer, case, _UNCERTAINTY))


def _marked(viewer: ViewerModel, case: Case, kind: str) -> list[Layer]:
    return [ly for ly in layers_of(viewer.layers, case) if ly.metadata.get(_MARK) == kind]


def _remove(viewer: ViewerModel, case: Case, kind: str) -> None:
    active = viewer.layers.selection.active
    for layer in _marked(viewer, case, kind):
        viewer.layers.remove(layer)
    if active in viewer.layers:
        viewer.layers.selection.active = active
