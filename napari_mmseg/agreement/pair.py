"""Two raters and one region: the measures of a pair, out of what all pairs share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..annotation import Annotation
from ..errors import InputError
from .comparable import check_comparable
from .stack import Stack
from .surfaces import SurfaceDistances


@dataclass(frozen=True)
class PairAgreement:
    """Two raters and one region; None where there is nothing to measure."""

    first: str
    second: str
    dice: float | None
    jaccard: float | None
    hd95_mm: float | None
    mean_surface_mm: float | None
    nsd: float | None
    lesion_f1: float | None
    volume_difference_ml: float


#: The measures of a pair, in the order of the tables.
PAIR_MEASURES = (
    "dice",
    "jaccard",
    "hd95_mm",
    "mean_surface_mm",
    "nsd",
    "lesion_f1",
    "volume_difference_ml",
)


def check_raters(annotations: Mapping[str, Annotation]) -> None:
    """Are there two raters or more, of one protocol and on the same voxels?

    Raises
    ------
    InputError
        When there are fewer than two raters, or they follow different protocols.
    GeometryError
        When their voxels do not lie in the same places.
    """
    if len(annotations) < 2:
        raise InputError(f"agreement needs two raters or more, not {len(annotations)}")
    (name, first), *others = annotations.items()
    for other, annotation in others:
        check_comparable(first, annotation, (name, other))


def pair_of(
    names: tuple[str, str],
    stack: Stack,
    places: tuple[int, int],
    apart: SurfaceDistances | None,
    f1: float,
    tolerance_mm: float,
) -> PairAgreement:
    """Two masks of a stack, measured.

    Parameters
    ----------
    names
        What the two are called.
    places
        Where they stand in the stack.
    apart
        The distances of their surfaces; None where one has none.
    f1
        Of their lesions; not-a-number where neither has one.
    """
    i, j = places
    one, other, both = (int(stack.shared[n]) for n in ((i, i), (j, j), (i, j)))
    either = one + other - both
    return PairAgreement(
        first=names[0],
        second=names[1],
        dice=2 * both / (one + other) if either else None,
        jaccard=both / either if either else None,
        hd95_mm=apart.hd95_mm if apart else None,
        mean_surface_mm=apart.mean_mm if apart else None,
        nsd=apart.nsd(tolerance_mm) if apart else (0.0 if either else None),
        lesion_f1=None if math.isnan(f1) else f1,
        volume_difference_ml=(one - other) * stack.voxel_ml,
    )
