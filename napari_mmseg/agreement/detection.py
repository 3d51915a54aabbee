"""Do raters see the same lesions? F1 of lesions found, for all pairs at once.

- Lesion: a connected component (26 neighbours) of a rater's region of at least 3 mm3, as by
  default in the program that judged the MICCAI 2016 challenge (animaSegPerfAnalyzer; Commowick et
  al., Scientific Reports 8:13650, 2018); smaller ones are not counted.
- A lesion is found by another rater when any voxel of it lies in that rater's region, as for the
  lesion-wise rates of the ISBI 2015 challenge (Carass et al., NeuroImage 148:77, 2017).
- F1: harmonic mean of the shares of the first rater's lesions that the second finds and of the
  second's that the first finds. It is the same either way round, unlike the BraTS scores of
  `lesions`, which need a reference.
- Empty: None when neither rater has a lesion, 0 when one has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .stack import Stack

#: Components below this volume are no lesions.
LESION_MM3 = 3.0

MM3_PER_ML = 1000.0

#: A voxel of 1 mm comes out of an affine with this share of rounding.
_ROUNDING = 1e-4


def lesion_f1(stack: Stack) -> NDArray[np.float64]:
    """(raters, raters) F1 of lesions; not-a-number where neither of two has one."""
    lesions = np.zeros(stack.raters)
    found = np.zeros((stack.raters, stack.raters))
    # Eight raters a byte: one pass over a lesion's voxels tells for all who touches it.
    votes = np.packbits(stack.members, axis=0)
    for rater, labels in enumerate(_components(stack)):
        met = _met_by(labels, votes, stack)
        lesions[rater] = len(met)
        found[rater] = met.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = found / lesions[:, None]  # of the row's lesions, found by the column
        f1 = 2 * shares * shares.T / (shares + shares.T)
    either = (lesions[:, None] > 0) | (lesions[None] > 0)
    f1[either & np.isnan(f1)] = 0.0
    return f1


def _components(stack: Stack) -> list[NDArray[Any]]:
    """For each rater the component number of the union's voxels, 0 outside."""
    import cc3d

    union = np.flatnonzero(stack.union)
    if not union.size:
        return [np.zeros(0, np.uint32)] * stack.raters
    return [cc3d.connected_components(mask, connectivity=26).ravel()[union] for mask in stack.masks]


def _met_by(labels: NDArray[Any], votes: NDArray[np.uint8], stack: Stack) -> NDArray[np.bool_]:
    """(lesions, raters): whose region touches which lesion of one rater."""
    inside = np.flatnonzero(labels)
    order = inside[np.argsort(labels[inside], kind="stable")]
    if not order.size:
        return np.zeros((0, stack.raters), np.bool_)
    starts = np.flatnonzero(np.diff(labels[order], prepend=0))
    touched = np.unpackbits(
        np.bitwise_or.reduceat(votes[:, order], starts, axis=1), axis=0, count=stack.raters
    )
    sizes = np.diff(starts, append=order.size) * stack.voxel_ml * MM3_PER_ML
    large: NDArray[np.bool_] = touched.T[sizes >= LESION_MM3 * (1 - _ROUNDING)].astype(np.bool_)
    return large
