"""What a tool asks for (a stroke over a footprint), and what then changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, slice, slice]


class Mode(StrEnum):
    """What a stroke does to a region within its footprint.

    PAINT puts voxels into the region and leaves those in its children alone; ERASE takes them
    out of the region and its children; SET makes every voxel exactly the region's own
    compartment; UNSET gives the voxels of exactly that compartment back to the parent.
    """

    PAINT = "paint"
    ERASE = "erase"
    SET = "set"
    UNSET = "unset"


class Footprint(NamedTuple):
    """A set of voxels: a boolean box and where its first voxel lies.

    `corner` may be negative and the box may reach beyond the volume: what is outside is ignored.
    Axes (I, P, L).
    """

    corner: tuple[int, int, int]
    mask: NDArray[np.bool_]

    @classmethod
    def of_mask(cls, mask: NDArray[np.bool_]) -> Footprint:
        """The footprint of a mask of the whole volume, cut to its bounding box."""
        box = bounding_box(mask)
        if box is None:
            return cls((0, 0, 0), np.zeros((0, 0, 0), dtype=bool))
        return cls((box[0].start, box[1].start, box[2].start), mask[box])

    def clipped(self, shape: tuple[int, ...]) -> tuple[Box, NDArray[np.bool_]] | None:
        """The part inside a volume of `shape`: its box and mask, or None when there is none."""
        (a, b, c), (height, width, depth) = self.corner, self.mask.shape
        low = (max(a, 0), max(b, 0), max(c, 0))
        high = (min(a + height, shape[0]), min(b + width, shape[1]), min(c + depth, shape[2]))
        if low[0] >= high[0] or low[1] >= high[1] or low[2] >= high[2]:
            return None
        box = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
        mask = self.mask
        if low != self.corner or high != (a + height, b + width, c + depth):
            mask = mask[
                low[0] - a : high[0] - a, low[1] - b : high[1] - b, low[2] - c : high[2] - c
            ]
        return box, mask


class Stroke(NamedTuple):
    """One act of a tool: a region, what to do with it, and where.

    `over` restricts the stroke to voxels that have one of these codes now (None: any).
    """

    region: str
    mode: Mode
    footprint: Footprint
    over: frozenset[int] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """Voxels that have just changed, for whoever shows them.

    `box` holds them all; `mask` (of the box's shape) marks them; `codes` is the live volume,
    already changed.
    """

    box: Box
    mask: NDArray[np.bool_]
    codes: NDArray[np.uint8]

    @property
    def indices(self) -> tuple[NDArray[np.intp], ...]:
        """Index arrays along (I, P, L) of the voxels that changed."""
        within = np.nonzero(self.mask)
        return tuple(i + side.start for i, side in zip(within, self.box, strict=True))

    @property
    def values(self) -> NDArray[np.uint8]:
        """Their codes now, in the order of `indices`."""
        return self.codes[self.box][self.mask]


def bounding_box(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box with all true voxels, or None when there is none."""
    sides = []
    for axis in range(3):
        others = tuple(i for i in range(3) if i != axis)
        found = np.flatnonzero(mask.any(axis=others))
        if not found.size:
            return None
        sides.append(slice(int(found[0]), int(found[-1]) + 1))
    return sides[0], sides[1], sides[2]
