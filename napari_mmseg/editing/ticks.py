"""Lesions that somebody has looked at and found right, known again by their voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .stroke import Footprint

if TYPE_CHECKING:
    from .lesions import Lesion, Lesions

#: A lesion is the one that was ticked while it shares more than this part of all voxels of both
#: (intersection over union). No two lesions can share more than half with the same one (Kirillov
#: et al., Panoptic Segmentation, CVPR 2019, section 4.1).
SAME_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Tick:
    """A lesion of a region as it was when it was ticked."""

    region: str
    footprint: Footprint


@dataclass(frozen=True, eq=False)
class Ticks:
    """All ticks of an annotation.

    One whose lesion has changed too much, or is gone, holds for none; it holds again when undo
    brings the lesion back.
    """

    items: tuple[Tick, ...] = ()

    def of(self, region: str, lesions: Lesions) -> set[int]:
        """The ids of the lesions of a region that are ticked."""
        found = (_held(tick, lesions) for tick in self.items if tick.region == region)
        return {id_ for id_ in found if id_ is not None}

    def adding(self, region: str, lesion: Lesion, lesions: Lesions) -> Ticks:
        """These, and a lesion of a region as it is now."""
        rest = self.without(region, lesion, lesions).items
        return Ticks((*rest, Tick(region, lesion.footprint)))

    def without(self, region: str, lesion: Lesion, lesions: Lesions) -> Ticks:
        """These, but none for a lesion of a region."""
        return Ticks(
            tuple(
                tick
                for tick in self.items
                if tick.region != region or _held(tick, lesions) != lesion.id
            )
        )


def _held(tick: Tick, lesions: Lesions) -> int | None:
    """The id of the lesion that a tick stands for now."""
    clipped = tick.footprint.clipped(lesions.present.shape)
    if clipped is None:
        return None
    box, mask = clipped
    shared = np.bincount(lesions.ids[box][mask & lesions.present[box]])
    if not shared.any():
        return None
    id_ = int(shared.argmax())
    both = int(shared[id_])
    size = int(np.count_nonzero(lesions[id_].footprint.mask))
    union = size + int(np.count_nonzero(tick.footprint.mask)) - both
    return id_ if both > SAME_SHARE * union else None
