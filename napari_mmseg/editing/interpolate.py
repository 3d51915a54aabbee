"""Filling in a region between the slices in which it was drawn.

The drawn slices stay as they are. Where they are not named they are found: objects that end in one
slice and go on in a later one, with a gap between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..protocol import Protocol
from .reshape import apply_all, painting, strokes_to
from .session import EditSession
from .slices import Outline, between, joined, objects
from .stroke import Footprint, Stroke, bounding_box

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]

#: Objects further apart along the axis are taken for two lesions, not for one that was drawn every
#: few slices (mm).
LONGEST_GAP_MM = 20.0

_AXES = ("axial", "coronal", "sagittal")


class Gap(NamedTuple):
    """Slices to fill: those between `first` and `last` along `axis`.

    `start` and `end` are what is joined: masks of those two slices, axes in the order of the
    volume's.
    """

    axis: int
    first: int
    last: int
    start: Mask
    end: Mask

    def filling(self, spacing: Spacing) -> Footprint:
        """What lies between, over the whole planes of the slices between."""
        edges = [mm for axis, mm in enumerate(spacing) if axis != self.axis]
        slices = between(self.start, self.end, self.last - self.first - 1, (edges[0], edges[1]))
        corner = [0, 0, 0]
        corner[self.axis] = self.first + 1
        return Footprint((corner[0], corner[1], corner[2]), np.moveaxis(slices, 0, self.axis))


def interpolate(
    session: EditSession,
    region: str,
    axis: int | None = None,
    keys: Sequence[int] | None = None,
    *,
    replace: bool = False,
    within_parent: bool = False,
) -> None:
    """Fill in a region between the slices in which it was drawn, as one step of undo.

    It grows over background and its parents only, so no other region loses a voxel; its parents
    come along where they are missing, unless `within_parent`.

    Parameters
    ----------
    axis
        Across the slices; None for that along which gaps are found.
    keys
        The drawn slices (indices along `axis`, two or more); one without the region ends it there.
        None to find them.
    replace
        With `keys`: what the region is now between them (such as a proposal) gives way to the
        interpolation; else it is added to.

    Raises
    ------
    InputError
        When there is nothing to fill in between, or `keys` are not slices of the image.
    """
    mask = session.protocol.inside(session.codes, region)
    spacing = session.grid.spacing
    if keys is None:
        found = drawn_gaps(mask, spacing, axis)
        if not found:
            raise InputError(
                f"{region} has no gap between slices to fill in: draw it every few slices, "
                f"at most {LONGEST_GAP_MM:g} mm apart"
            )
    else:
        found = gaps_between(mask, 0 if axis is None else axis, keys)
        if not any(gap.start.any() or gap.end.any() for gap in found):
            raise InputError(f"{region} is in none of the slices named: draw it there first")
    strokes: list[Stroke] = []
    for gap in found:
        filling = gap.filling(spacing)
        if replace and keys is not None:
            strokes += strokes_to(
                session.codes, session.protocol, region, filling, within_parent=within_parent
            )
        else:
            strokes += painting(session.protocol, region, filling, within_parent=within_parent)
    apply_all(session, strokes, f"interpolate {region} ({_AXES[found[0].axis]})")


def gaps_between(mask: Mask, axis: int, keys: Iterable[int]) -> list[Gap]:
    """The gaps between named slices of a mask (I, P, L).

    Raises
    ------
    InputError
        When there are fewer than two slices, one is not in the image, or none lies between them.
    """
    known = sorted(set(keys))
    if len(known) < 2:
        raise InputError("interpolation needs two slices at least: name another")
    if known[0] < 0 or known[-1] >= mask.shape[axis]:
        raise InputError(
            f"slices {known[0]} to {known[-1]} are not all in the image, which has "
            f"{mask.shape[axis]}: name others"
        )
    found = [
        Gap(axis, a, b, np.take(mask, a, axis=axis), np.take(mask, b, axis=axis))
        for a, b in pairwise(known)
        if b - a > 1
    ]
    if not found:
        raise InputError("the slices named have none between them: name slices further apart")
    return found


def drawn_gaps(
    mask: Mask, spacing: Spacing, axis: int | None = None, longest_mm: float = LONGEST_GAP_MM
) -> list[Gap]:
    """The gaps that were left while drawing.

    Where a component of the mask (26 neighbours) ends along the axis and another that belongs to
    it begins at most `longest_mm` further on. Nothing else in those slices matters, so a lesion
    drawn every few slices is found beside one that is complete.

    Parameters
    ----------
    mask
        Axes (I, P, L).
    axis
        The axis to look along; None for the one with the most gaps.
    """
    if axis is None:
        return max((drawn_gaps(mask, spacing, i, longest_mm) for i in range(3)), key=len)
    box = bounding_box(mask)
    if box is None:
        return []
    edges = [mm for i, mm in enumerate(spacing) if i != axis]
    ends, starts = _ends(mask[box], axis, (edges[0], edges[1]))
    pairs = _nearest_pairs(ends, starts, longest_mm / spacing[axis])
    plane = [side for i, side in enumerate(box) if i != axis]
    shape = tuple(n for i, n in enumerate(mask.shape) if i != axis)
    found: list[Gap] = []
    for first, last in sorted({(a, b) for (a, _), (b, _) in pairs}):
        start, end = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for (a, i), (b, j) in pairs:
            if (a, b) == (first, last):
                start[plane[0], plane[1]] |= ends[a][i].mask
                end[plane[0], plane[1]] |= starts[b][j].mask
        low = box[axis].start
        found.append(Gap(axis, first + low, last + low, start, end))
    return found


def corrected_slices(
    codes: NDArray[np.uint8],
    proposal: NDArray[np.uint8],
    protocol: Protocol,
    region: str,
    axis: int,
) -> list[int]:
    """The slices across `axis` in which a region is no longer as proposed.

    Somebody who corrects every few slices of a proposal has drawn these: keys for an
    interpolation that replaces what the proposal has between them.
    """
    changed = protocol.inside(codes, region) != protocol.inside(proposal, region)
    others = tuple(i for i in range(3) if i != axis)
    return [int(i) for i in np.flatnonzero(changed.any(axis=others))]


_Outlines = dict[int, list[Outline]]
_Place = tuple[int, int]  # a slice, and the number of an object in it


def _ends(mask: Mask, axis: int, edges: tuple[float, float]) -> tuple[_Outlines, _Outlines]:
    """By slice: the objects with which components end there, and those with which they begin."""
    import cc3d
    from scipy import ndimage

    labels = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=26)
    ends: dict[int, set[int]] = {}
    starts: dict[int, set[int]] = {}
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        ends.setdefault(box[axis].stop - 1, set()).add(number)
        starts.setdefault(box[axis].start, set()).add(number)

    def outlines(index: int, numbers: set[int]) -> list[Outline]:
        return objects(np.isin(labels.take(index, axis=axis), list(numbers)), edges)

    return (
        {index: outlines(index, numbers) for index, numbers in ends.items()},
        {index: outlines(index, numbers) for index, numbers in starts.items()},
    )


def _nearest_pairs(
    ends: _Outlines, starts: _Outlines, longest: float
) -> list[tuple[_Place, _Place]]:
    """Objects that belong together across a gap of at most `longest` slices.

    Each object only with those of the nearest slice that has any for it.
    """
    pairs = [
        ((a, i), (b, j))
        for a in ends
        for b in starts
        if 1 < b - a <= longest
        for i, j in joined(ends[a], starts[b])
    ]
    up: dict[_Place, int] = {}
    down: dict[_Place, int] = {}
    for one, other in pairs:
        up[one] = min(up.get(one, other[0]), other[0])
        down[other] = max(down.get(other, one[0]), one[0])
    return [(one, other) for one, other in pairs if up[one] == other[0] and down[other] == one[0]]
