"""Each rater against a consensus that the rater had no part in: the majority of the others.

The majority of all holds the rater's own vote, which flatters: of three raters each gives a third
of it. A voxel lies in the majority of the others when more than half of them say so; exactly half
is out, as in `consensus`. Of two raters the majority of the others is the other one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from .apart import surface_pairs
from .detection import lesion_f1
from .metrics import TOLERANCE_MM
from .pair import PairAgreement, check_raters, pair_of
from .stack import Stack, stacks

#: What stands in for the second rater.
OTHERS = "majority of the others"


def against_others(
    annotations: Mapping[str, Annotation], *, tolerance_mm: float = TOLERANCE_MM
) -> dict[str, dict[str, PairAgreement]]:
    """By region and rater: the measures of a pair, the majority of the others being the second.

    Conventions are those of `many`; volume differences are the rater's minus the majority's.

    Raises
    ------
    InputError, GeometryError
        As `many.agree`.
    """
    check_raters(annotations)
    raters = tuple(annotations)
    return {
        region: _in_region(raters, stack, tolerance_mm)
        for region, stack in stacks(list(annotations.values()))
    }


def _in_region(
    raters: tuple[str, ...], stack: Stack, tolerance_mm: float
) -> dict[str, PairAgreement]:
    both = Stack(
        np.concatenate([stack.masks, _majorities(stack.masks)]),
        stack.spacing,
        stack.voxel_ml,
        stack.room,
    )
    wanted = [(n, n + len(raters)) for n in range(len(raters))]
    apart = {i: found for i, _, found in surface_pairs(both, wanted)}
    f1 = lesion_f1(both)
    return {
        rater: pair_of((rater, OTHERS), both, (i, j), apart.get(i), float(f1[i, j]), tolerance_mm)
        for rater, (i, j) in zip(raters, wanted, strict=True)
    }


def _majorities(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(raters, I, P, L): for each rater what more than half of the others count in."""
    votes = masks.sum(axis=0, dtype=np.uint16)
    return np.stack([2 * (votes - mask) > len(masks) - 1 for mask in masks])
