"""A region's shape between slices, as signed distances in their planes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..slices import signed

Plane = NDArray[np.float32]

#: Where neither of two slices has the region it is this far off (mm).
FAR_MM = 99.0

#: An object that ends tapers off as if at least this deep (mm).
_SHALLOWEST_MM = 1.0


@dataclass(frozen=True, eq=False)
class Shapes:
    """Signed distances to a region's outline in mm, positive inside; axes (I, P, L) of a box.

    Parameters
    ----------
    between
        In each slice, from the given slices on both sides; in those given their own.
    expected
        In the given slices alone: what their neighbours would have let expect. Elsewhere far off.
    axis
        Across the slices.
    gaps
        The slices given on both sides of others, counted from the box's first.
    """

    between: NDArray[np.float32]
    expected: NDArray[np.float32]
    axis: int
    gaps: tuple[tuple[int, int], ...]

    def unjudged(self, present: NDArray[np.bool_], band_mm: float) -> NDArray[np.bool_]:
        """Pieces of `present` that touch no given slice and lie further off than `band_mm`."""
        import cc3d

        kept = np.zeros_like(present)
        away = present & (self.between <= -band_mm)
        for first, last in self.gaps:
            slab = [slice(None)] * 3
            slab[self.axis] = slice(first + 1, last)
            part = np.ascontiguousarray(away[tuple(slab)])
            if not part.any():
                continue
            pieces = cc3d.connected_components(part, connectivity=26)
            ends = np.moveaxis(pieces, self.axis, 0)[[0, -1]]
            kept[tuple(slab)] = part & ~np.isin(pieces, np.unique(ends))
        return kept


def shapes_of(
    mask: NDArray[np.bool_],
    keys: list[int],
    start: int,
    axis: int,
    spacing: tuple[float, float, float],
) -> Shapes:
    """The shapes of a region that is right in the slices `keys`.

    Parameters
    ----------
    mask
        The region in a box, axes (I, P, L).
    keys
        Two or more array indices along `axis`, ascending; the first is the box's first slice.
    start
        Where the box begins along `axis`.
    """
    edges = [edge for i, edge in enumerate(spacing) if i != axis]
    slices = np.moveaxis(mask, axis, 0)
    places = [key - start for key in keys]
    outlines = [np.clip(signed(slices[at], (edges[0], edges[1])), -FAR_MM, FAR_MM) for at in places]
    between = np.full(slices.shape, -FAR_MM, dtype=np.float32)
    expected = between.copy()
    for (a, one), (b, other) in pairwise(zip(places, outlines, strict=True)):
        for index in range(a, b + 1):
            between[index] = _blended(one, other, (index - a) / (b - a))
    for number, at in enumerate(places):
        if 0 < number < len(places) - 1:
            a, b = places[number - 1], places[number + 1]
            share = (at - a) / (b - a)
            expected[at] = _blended(outlines[number - 1], outlines[number + 1], share)
        else:
            expected[at] = outlines[1] if number == 0 else outlines[-2]
    return Shapes(
        np.ascontiguousarray(np.moveaxis(between, 0, axis)),
        np.ascontiguousarray(np.moveaxis(expected, 0, axis)),
        axis,
        tuple((a, b) for a, b in pairwise(places) if b - a > 1),
    )


def _blended(one: Plane, other: Plane, share: float) -> Plane:
    """`share` of the way from one slice to the other; an object in one alone tapers off."""
    if not (one > 0).any() and not (other > 0).any():
        return np.full_like(one, -FAR_MM)
    if not (one > 0).any():
        one = np.full_like(one, -max(float(other.max()), _SHALLOWEST_MM))
    elif not (other > 0).any():
        other = np.full_like(other, -max(float(one.max()), _SHALLOWEST_MM))
    return (1 - share) * one + share * other
