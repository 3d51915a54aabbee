"""Overlap, surface distance and volume of one region seen by two authors.

Conventions, since published values differ by them:

- Empty masks: when both are empty there is nothing to measure, and every ratio is None. When one
  is empty Dice is 0 and the distance None (not a large number that would enter a mean).
- Surface, HD95 and NSD: see `surfaces`.
- Specificity counts all voxels of the image outside the reference: it grows with the field of view
  and is near 1 for any tumour.
- Errors of volume are prediction minus reference; the relative one is None without a reference.
- Lesion-wise scores follow the BraTS 2023 challenges, also for empty masks: see `lesions`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..annotation import Annotation
from ..errors import GeometryError
from .comparable import SAME_PLACE_VOXELS as SAME_PLACE_VOXELS
from .comparable import check_comparable
from .lesions import lesion_wise
from .surfaces import Mask, distances

#: How far surfaces may lie apart and still agree (NSD), in mm: the edge of a BraTS voxel.
TOLERANCE_MM = 1.0

MM3_PER_ML = 1000.0


@dataclass(frozen=True)
class RegionAgreement:
    """Agreement of a prediction with a reference in one region.

    Ratios are between 0 and 1, or None where they would be 0/0; volumes are in millilitres, their
    errors signed. `lesions` are those of the reference that are scored lesion by lesion.
    """

    dice: float | None
    hd95_mm: float | None
    sensitivity: float | None
    precision: float | None
    volume_ml: float
    reference_volume_ml: float
    specificity: float | None
    jaccard: float | None
    nsd: float | None
    volume_error_ml: float
    volume_error: float | None
    lesionwise_dice: float
    lesionwise_hd95_mm: float
    lesions: int
    lesions_missed: int
    lesions_invented: int


def evaluate(
    prediction: Annotation, reference: Annotation, *, tolerance_mm: float = TOLERANCE_MM
) -> dict[str, RegionAgreement]:
    """Agreement in every region of the protocol, children included in their parents.

    `tolerance_mm` is how far surfaces may lie apart for NSD.

    Raises
    ------
    InputError
        When the two follow different protocols.
    GeometryError
        When their voxels do not lie in the same places.
    """
    check_comparable(prediction, reference)
    grid = reference.grid
    return {
        region.name: compare(
            prediction.region(region.name),
            reference.region(region.name),
            grid.spacing,
            voxel_volume_ml=grid.voxel_volume_ml,
            tolerance_mm=tolerance_mm,
        )
        for region in reference.protocol.regions
    }


def compare(
    prediction: Mask,
    reference: Mask,
    spacing: tuple[float, float, float],
    *,
    voxel_volume_ml: float | None = None,
    tolerance_mm: float = TOLERANCE_MM,
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
    tolerance_mm
        How far surfaces may lie apart for NSD.
    """
    if prediction.shape != reference.shape:
        raise GeometryError(
            f"masks of {prediction.shape} and {reference.shape} voxels cannot be compared"
        )
    ml = float(np.prod(spacing)) / MM3_PER_ML if voxel_volume_ml is None else voxel_volume_ml
    predicted, true = int(np.count_nonzero(prediction)), int(np.count_nonzero(reference))
    both = int(np.count_nonzero(prediction & reference))
    either = predicted + true - both
    outside = prediction.size - true
    apart = distances(prediction, reference, spacing)
    lesions = lesion_wise(prediction, reference, spacing, voxel_mm3=ml * MM3_PER_ML)
    return RegionAgreement(
        dice=_ratio(2 * both, predicted + true),
        hd95_mm=apart.hd95_mm if apart else None,
        sensitivity=_ratio(both, true),
        precision=_ratio(both, predicted),
        volume_ml=predicted * ml,
        reference_volume_ml=true * ml,
        specificity=_ratio(prediction.size - either, outside),
        jaccard=_ratio(both, either),
        nsd=apart.nsd(tolerance_mm) if apart else _ratio(0, either),
        volume_error_ml=(predicted - true) * ml,
        volume_error=_ratio(predicted - true, true),
        lesionwise_dice=lesions.dice,
        lesionwise_hd95_mm=lesions.hd95_mm,
        lesions=lesions.lesions,
        lesions_missed=lesions.missed,
        lesions_invented=lesions.invented,
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
