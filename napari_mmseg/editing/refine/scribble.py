"""What a user says with a stroke (this is, this is not), and the box that is solved again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..stroke import Box, Footprint

#: Longest side of the box that is solved, in voxels: the first unless a larger one is asked for.
BOX_SIDES = (64, 96, 128)


class Scribble(NamedTuple):
    """Voxels of which the user says that they are, or are not, in a region."""

    region: str
    inside: bool
    footprint: Footprint


def box_around(
    scribbles: Sequence[Scribble], shape: tuple[int, int, int], side: int = BOX_SIDES[0]
) -> Box:
    """The box of at most `side` voxels along each axis whose middle is the scribbles'.

    It is moved, not cut, where it would leave the volume.

    Raises
    ------
    InputError
        When no scribble touches the volume, or they reach further than `side`.
    """
    clipped = [c for s in scribbles if (c := s.footprint.clipped(shape)) is not None]
    if not clipped:
        raise InputError("the scribbles lie outside the image: draw them inside it")
    sides = []
    for axis, length in enumerate(shape):
        low = min(box[axis].start for box, _ in clipped)
        high = max(box[axis].stop for box, _ in clipped)
        if high - low > side:
            larger = [n for n in BOX_SIDES if n >= high - low]
            advice = f"choose a box of {larger[0]}" if larger else "refine in several places"
            raise InputError(
                f"the scribbles reach over {high - low} voxels, the box that is solved again has "
                f"{side}: {advice}"
            )
        width = min(side, length)
        start = min(max((low + high - width) // 2, 0), length - width)
        sides.append(slice(start, start + width))
    return sides[0], sides[1], sides[2]


def together(scribbles: Sequence[Scribble], new: int, side: int = BOX_SIDES[0]) -> list[Scribble]:
    """The last `new` scribbles, and those before them that fit into one box with them.

    What was said in the same place before still counts there, so that a refinement does not
    forget it; what was said elsewhere does not. Later ones come first into the box, the order in
    which they were drawn stays.
    """
    first = len(scribbles) - new
    kept = list(scribbles[first:])
    low, high = _extent(kept)
    for scribble in reversed(scribbles[:first]):
        near, far = _extent([scribble])
        near, far = np.minimum(low, near), np.maximum(high, far)
        if (far - near <= side).all():
            kept.insert(0, scribble)
            low, high = near, far
    return kept


def _extent(scribbles: Sequence[Scribble]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last corner of the box around scribbles."""
    corners = np.array([scribble.footprint.corner for scribble in scribbles])
    sizes = np.array([scribble.footprint.mask.shape for scribble in scribbles])
    return corners.min(axis=0), (corners + sizes).max(axis=0)


def marked(scribbles: Sequence[Scribble], box: Box) -> NDArray[np.bool_]:
    """The voxels of `box` that any of the scribbles covers."""
    mask = np.zeros([side.stop - side.start for side in box], dtype=bool)
    for scribble in scribbles:
        corner = tuple(
            at - side.start for at, side in zip(scribble.footprint.corner, box, strict=True)
        )
        here = Footprint((corner[0], corner[1], corner[2]), scribble.footprint.mask)
        if (clipped := here.clipped(mask.shape)) is not None:
            mask[clipped[0]] |= clipped[1]
    return mask
