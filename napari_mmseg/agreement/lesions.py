"""Agreement lesion by lesion, as the BraTS 2023 challenges scored it.

Written from the challenge's published definition (github.com/rachitsaluja/BraTS-2023-Metrics;
parameters of the adult glioma challenge), for one region:

- A reference lesion is all voxels of the reference that lie in one connected component (26
  neighbours) of the reference dilated three times (18 neighbours): islands near each other are one
  lesion.
- Its prediction is every connected component (26 neighbours) of the predicted mask that touches
  the dilated lesion, taken together; a component near two lesions serves both.
- Dice and HD95 are taken for each lesion. One without a prediction is missed: Dice 0, HD95 374 mm
  (the diagonal of a BraTS image). Lesions of at most 50 mm3 are not scored, nor is what meets them.
- A predicted component that touches no dilated lesion is invented, however small it is: it enters
  the means with Dice 0 and HD95 374 mm.
- The score of a region is the mean over scored lesions and invented components. Where there is
  neither (an empty reference, rightly left empty) it is Dice 1 and HD95 0 by the challenge's
  convention, unlike the ratios elsewhere in this package, which then say nothing.

Dilations count voxels, as BraTS images have 1 mm. HD95 weights surfaces by area, as the challenge
does (see `surfels`); it is not the HD95 of voxels that stands beside it in the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .surfaces import Mask, bounding_box
from .surfels import hausdorff_95_by_area

#: How often the reference is dilated to find what belongs together (voxels).
DILATIONS = 3

#: Lesions of the reference up to this volume are not scored.
UNSCORED_MM3 = 50.0

#: A voxel of 1 mm comes out of an affine with this share of rounding.
_ROUNDING = 1e-4

#: HD95 of a lesion that was missed or invented.
PENALTY_MM = 374.0

_EDGES_AND_FACES = 2  # scipy's name for 18 neighbours


@dataclass(frozen=True)
class LesionAgreement:
    """Lesion-wise scores of one region.

    `lesions` counts the reference lesions that are scored, `missed` those without a prediction,
    `invented` the predicted components without a lesion.
    """

    dice: float
    hd95_mm: float
    lesions: int
    missed: int
    invented: int


def lesion_wise(
    prediction: Mask,
    reference: Mask,
    spacing: tuple[float, float, float],
    *,
    voxel_mm3: float | None = None,
) -> LesionAgreement:
    """Lesion-wise Dice and HD95 of two masks of one shape.

    `spacing` are a voxel's edges in mm; `voxel_mm3` its volume where that is not their product.
    """
    either = prediction | reference
    if not either.any():
        return LesionAgreement(1.0, 0.0, 0, 0, 0)
    volume = float(np.prod(spacing)) if voxel_mm3 is None else voxel_mm3
    box = bounding_box(either, margin=DILATIONS)
    predicted, true = prediction[box], reference[box]
    zones, components = _components(_dilated(true)), _components(predicted)
    claimed = _matches(zones, components)
    dice: list[float] = []
    hd95: list[float] = []
    missed = 0
    for zone, touching in claimed.items():
        lesion = true & (zones == zone)
        if np.count_nonzero(lesion) * volume <= UNSCORED_MM3 * (1 + _ROUNDING):
            continue
        found = np.isin(components, touching)
        apart = hausdorff_95_by_area(found, lesion, spacing)
        sizes = int(np.count_nonzero(found)) + int(np.count_nonzero(lesion))
        dice.append(2 * int(np.count_nonzero(found & lesion)) / sizes)
        hd95.append(PENALTY_MM if apart is None else apart)
        missed += apart is None
    met = {component for touching in claimed.values() for component in touching}
    invented = int(components.max()) - len(met)
    counted = len(dice) + invented
    return LesionAgreement(
        dice=sum(dice) / counted if counted else 1.0,
        hd95_mm=(sum(hd95) + PENALTY_MM * invented) / counted if counted else 0.0,
        lesions=len(dice),
        missed=missed,
        invented=invented,
    )


def _dilated(mask: Mask) -> Mask:
    from scipy import ndimage

    around = ndimage.generate_binary_structure(mask.ndim, _EDGES_AND_FACES)
    return ndimage.binary_dilation(mask, around, iterations=DILATIONS)


def _components(mask: Mask) -> NDArray[Any]:
    """Connected components (26 neighbours) numbered from 1; 0 outside."""
    import cc3d

    return cc3d.connected_components(np.ascontiguousarray(mask), connectivity=26)


def _matches(zones: NDArray[Any], components: NDArray[Any]) -> dict[int, list[int]]:
    """For each zone the components that share a voxel with it."""
    found: dict[int, list[int]] = {zone: [] for zone in range(1, int(zones.max()) + 1)}
    shared = (zones > 0) & (components > 0)
    pairs = np.stack([zones[shared], components[shared]], axis=1)
    for zone, component in np.unique(pairs, axis=0):
        found[int(zone)].append(int(component))
    return found
