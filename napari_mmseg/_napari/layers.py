"""The adapter between cases and napari's layers: nothing else makes or reads layers of a case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from ..case import Case
from ..editing import EditSession
from ..grid import DISPLAY_ORIENTATION, Grid
from ..volume import Modality
from .colours import label_colormap
from .intensity import subtraction, subtraction_window, window

if TYPE_CHECKING:
    from napari.layers import Layer

    LayerTuple = tuple[NDArray[Any], dict[str, Any], str]

#: Key in `layer.metadata` under which a layer's origin is kept.
ORIGIN = "napari-mmseg"

LABELS_NAME = "Segmentation"
SUBTRACTION_NAME = "T1ce - T1 (subtraction)"

#: Which contrast is shown first, where it is there: oedema and core both show on FLAIR.
FIRST_SHOWN = (Modality.FLAIR, Modality.T1CE, Modality.T2, Modality.T1)

LABELS_OPACITY = 0.45


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a layer comes from; survives napari's duplicating of layers.

    `annotation` is what a labels layer began with, `edit` what happened to it since.
    """

    case: Case
    modality: Modality | None = None
    annotation: Annotation | None = None
    edit: EditSession | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Origin:
        return self  # frozen, and a case holds read-only views that cannot be copied deeply


def geometry(grid: Grid) -> dict[str, Any]:
    """Layer arguments that draw a display-oriented grid in mm (scale and translate only).

    A rotation would be drawn wrong in 2D and painted in the wrong place by napari, so an oblique
    grid is drawn unrotated; the true affine stays in the `Grid`.
    """
    return {
        "scale": grid.spacing,
        "translate": grid.display_translate,
        "units": ("mm",) * 3,
        "axis_labels": tuple(DISPLAY_ORIENTATION),
    }


def image_tuple(case: Case, modality: Modality, visible: bool) -> LayerTuple:
    array = case.volumes[modality].array
    return (
        array,
        {
            "name": str(modality),
            "colormap": "gray",
            "contrast_limits": window(array),
            "interpolation2d": "linear",
            "blending": "translucent_no_depth",
            "visible": visible,
            "metadata": {ORIGIN: Origin(case, modality)},
            **geometry(case.grid),
        },
        "image",
    )


def labels_tuple(case: Case, annotation: Annotation, name: str = LABELS_NAME) -> LayerTuple:
    return (
        annotation.codes,
        {
            "name": name,
            "colormap": label_colormap(annotation.protocol),
            "opacity": LABELS_OPACITY,
            "metadata": {ORIGIN: Origin(case, annotation=annotation)},
            **geometry(case.grid),
        },
        "labels",
    )


def subtraction_tuple(case: Case) -> LayerTuple:
    """The T1ce - T1 image of a case that has both."""
    t1ce, t1 = (case.volumes[m].array for m in (Modality.T1CE, Modality.T1))
    difference = subtraction(t1ce, t1)
    return (
        difference,
        {
            "name": SUBTRACTION_NAME,
            "colormap": "gray",
            "contrast_limits": subtraction_window(difference),
            "interpolation2d": "linear",
            "blending": "translucent_no_depth",
            "metadata": {ORIGIN: Origin(case)},
            **geometry(case.grid),
        },
        "image",
    )


def case_tuples(case: Case) -> list[LayerTuple]:
    """One image layer a contrast, bottom to top, the one to look at first visible alone."""
    first = next(m for m in FIRST_SHOWN if m in case.volumes)
    return [image_tuple(case, m, m is first) for m in case.modalities]


def origin_of(layer: Layer) -> Origin | None:
    found = layer.metadata.get(ORIGIN)
    return found if isinstance(found, Origin) else None


def layers_of(layers: Iterable[Layer], case: Case) -> list[Layer]:
    """The layers that show `case`, in order."""
    return [ly for ly in layers if (origin := origin_of(ly)) is not None and origin.case is case]


def case_paths(case: Case) -> list[Path]:
    """The files that a case was read from, each once."""
    paths = (volume.path for volume in case.volumes.values())
    return list(dict.fromkeys(path for path in paths if path is not None))


def best_slice(codes: NDArray[np.uint8], inside: NDArray[np.bool_], axis: int = 0) -> int | None:
    """Index along `axis` of the slice with most voxels of a region; None when there are none.

    `inside` is the region's table of 256 booleans by code.
    """
    other = tuple(i for i in range(3) if i != axis)
    counts = inside[codes].sum(axis=other)
    return int(np.argmax(counts)) if counts.any() else None
