"""Feature maps as image layers of a case: made, found again, taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..case import Case
from ..inference.features import GUIDANCE, FeatureMaps
from .layers import ORIGIN, Origin, geometry, layers_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from .layers import LayerTuple

#: Marks the layers of feature maps in `layer.metadata`.
_MARK = "napari-mmseg feature map"

#: Colours run between these percentiles of a map, so that a few voxels do not darken the rest.
_WINDOW_PERCENT = (1.0, 99.5)

#: The image stays visible below.
_OPACITY = 0.75

#: The classes of the mask guidance, in order.
_CLASSES = ("background", "WT only", "TC without ET", "ET")


@dataclass(frozen=True)
class FeatureMark:
    """Which map a layer shows."""

    model: str
    layer: str
    channel: int


def feature_tuples(case: Case, found: FeatureMaps) -> list[LayerTuple]:
    """One image layer a map, the first visible alone; only the box around the head."""
    place = geometry(case.grid)
    corner = [side.start for side in found.box]
    place["translate"] = tuple(
        float(t + c * s) for t, c, s in zip(place["translate"], corner, place["scale"], strict=True)
    )
    layers: list[LayerTuple] = []
    for number, (channel, values) in enumerate(zip(found.channels, found.maps, strict=True)):
        low, high = (float(v) for v in np.percentile(values, _WINDOW_PERCENT))
        meta: dict[str, Any] = {
            "name": f"{found.layer} {_channel_name(found.layer, channel)} ({found.model})",
            "colormap": "magma",
            "contrast_limits": (low, high if high > low else low + 1.0),
            "interpolation2d": "nearest",
            "blending": "translucent_no_depth",
            "opacity": _OPACITY,
            "visible": number == 0,
            "metadata": {
                ORIGIN: Origin(case),
                _MARK: FeatureMark(found.model, found.layer, channel),
            },
            **place,
        }
        layers.append((values, meta, "image"))
    return layers


def show_features(viewer: ViewerModel, case: Case, found: FeatureMaps) -> list[Image]:
    """Add the maps below the labels, in place of earlier ones; the selection stays."""
    remove_features(viewer, case)
    active = viewer.layers.selection.active
    images = sum(type(layer).__name__ == "Image" for layer in viewer.layers)
    shown: list[Image] = []
    for data, meta, _ in reversed(feature_tuples(case, found)):  # the first one on top
        layer = viewer.add_image(data, **meta)
        viewer.layers.move(viewer.layers.index(layer), images + len(shown))
        shown.append(layer)
    viewer.layers.selection.active = active
    return shown[::-1]


def feature_layers(viewer: ViewerModel, case: Case) -> list[Image]:
    """The feature maps of a case that are in the list."""
    return [layer for layer in layers_of(viewer.layers, case) if _MARK in layer.metadata]


def remove_features(viewer: ViewerModel, case: Case) -> None:
    for layer in feature_layers(viewer, case):
        viewer.layers.remove(layer)


def _channel_name(layer: str, channel: int) -> str:
    if layer == GUIDANCE and channel < len(_CLASSES):
        return _CLASSES[channel]
    return f"#{channel}"
