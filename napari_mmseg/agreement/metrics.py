"""Overlap, surface distance and volume of one region seen by two authors.

Conventions, since published values differ by them:

- Empty masks: when both are empty there is nothing to measure, and every ratio is None. When one
  is empty Dice is 0 and the distance None (not a large number that would enter a mean).
- Surface: the voxels of a mask with a face neighbour outside it; what lies beyond the image counts
  as outside. Distances are between voxel centres in mm.
- HD95: the maximum of the two directed 95th percentiles (linear interpolation), as in MONAI's
  `compute_hausdorff_distance(percentile=95)`; the percentile of the pooled distances, which some
  tools report, is smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from ..errors import GeometryError, InputError
from ..grid import Grid

#: The percentile of surface distances that stands for the largest: robust to single voxels.
HAUSDORFF_PERCENTILE = 95.0

#: Files of one patient by different programs may differ in the last digits of their affines; labels
#: less than this share of a voxel apart are compared voxel by voxel.
SAME_PLACE_VOXELS = 0.1

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RegionAgreement:
    """Agreement of a prediction with a reference in one region.

    Ratios are between 0 and 1, or None where they would be 0/0; volumes are in millilitres.
    """

    dice: float | None
    hd95_mm: float | None
    sensitivity: float | None
    precision: float | None
    volume_ml: float
    reference_volume_ml: float


def evaluate(prediction: Annotation, reference: Annotation) -> dict[str, RegionAgreement]:
    """Agreement in every region of the protocol, children included in their parents.

    Raises
    ------
    InputError
        When the two follow different protocols.
    GeometryError
        When their voxels do not lie in the same places.
    """
    if prediction.protocol.name != reference.protocol.name:
        raise InputError(
            f"the prediction follows the protocol {prediction.protocol.name}, the reference "
            f"{reference.protocol.name}: their regions cannot be compared"
        )
    if not prediction.grid.same_as(reference.grid, SAME_PLACE_VOXELS):
        raise GeometryError(
            "the prediction and the reference lie on different grids "
            f"({_described(prediction)} and {_described(reference)}"
            f"{_apart(prediction.grid, reference.grid)}): export both for the same images first"
        )
    grid = reference.grid
    return {
        region.name: compare(
            prediction.region(region.name),
            reference.region(region.name),
            grid.spacing,
            voxel_volume_ml=grid.voxel_volume_ml,
        )
        for region in reference.protocol.regions
    }


def compare(
    prediction: Mask,
    reference: Mask,
    spacing: tuple[float, float, float],
    *,
    voxel_volume_ml: float | None = None,
) -> RegionAgreement:
    """Agreement of two masks of the same shape.

    Parameters
    ----------
    prediction, reference
        Boolean, three axes.
    spacing
        Edge lengths of a voxel in mm, by axis.
    voxel_volume_ml
        Volume of a voxel where it is not the product of `spacing` (a sheared grid).
    """
    if prediction.shape != reference.shape:
        raise GeometryError(
            f"masks of {prediction.shape} and {reference.shape} voxels cannot be compared"
        )
    ml = float(np.prod(spacing)) / 1000.0 if voxel_volume_ml is None else voxel_volume_ml
    predicted, true = int(np.count_nonzero(prediction)), int(np.count_nonzero(reference))
    both = int(np.count_nonzero(prediction & reference))
    return RegionAgreement(
        dice=_ratio(2 * both, predicted + true),
        hd95_mm=hausdorff_95(prediction, reference, spacing),
        sensitivity=_ratio(both, true),
        precision=_ratio(both, predicted),
        volume_ml=predicted * ml,
        reference_volume_ml=true * ml,
    )


def hausdorff_95(first: Mask, second: Mask, spacing: tuple[float, float, float]) -> float | None:
    """The larger of the two directed 95th percentiles of surface distances, in mm.

    None when a mask is empty. The work is done in the box that holds both masks.
    """
    if not first.any() or not second.any():
        return None
    box = _bounding_box(first | second)
    surfaces = surface(first[box]), surface(second[box])
    directed = (
        np.percentile(_distance_to(surfaces[1], spacing)[surfaces[0]], HAUSDORFF_PERCENTILE),
        np.percentile(_distance_to(surfaces[0], spacing)[surfaces[1]], HAUSDORFF_PERCENTILE),
    )
    return float(max(directed))


def surface(mask: Mask) -> Mask:
    """The voxels of `mask` with a face neighbour outside it or outside the array."""
    padded = np.pad(mask, 1)
    inner = padded[1:-1, 1:-1, 1:-1]
    deep = inner.copy()
    for axis in range(3):
        for shift in (-1, 1):
            deep &= np.roll(padded, shift, axis)[1:-1, 1:-1, 1:-1]
    return inner & ~deep


def _distance_to(target: Mask, spacing: tuple[float, float, float]) -> NDArray[Any]:
    """Distance in mm of every voxel's centre to the nearest voxel of `target`."""
    import edt

    return edt.edt(np.ascontiguousarray(~target), anisotropy=spacing, black_border=False)


def _bounding_box(mask: Mask) -> tuple[slice, slice, slice]:
    ends = []
    for axis in range(3):
        others = tuple(i for i in range(3) if i != axis)
        occupied = np.flatnonzero(mask.any(axis=others))
        ends.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
    return ends[0], ends[1], ends[2]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _apart(first: Grid, second: Grid) -> str:
    """How far grids of the same shape lie apart, which their descriptions may not show."""
    if first.shape != second.shape:
        return ""
    corners = np.array(list(product(*((0, n - 1) for n in first.shape))))
    mm = np.linalg.norm(first.to_world(corners) - second.to_world(corners), axis=1).max()
    return f", up to {mm:.3g} mm apart"


def _described(annotation: Annotation) -> str:
    grid = annotation.source.grid
    sides = " x ".join(str(n) for n in grid.shape)
    edges = " x ".join(f"{mm:.3g}" for mm in grid.spacing)
    return f"{sides} voxels of {edges} mm, {grid.orientation}"
