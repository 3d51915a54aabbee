"""Pieces of an answer that are not believed, for how they look or how little was said of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..models import Card
from .components import drop_dim_components, drop_doubtful_components
from .prepare import quantise

#: What lies this near to the brain's edge (voxels) is not told to be normal tissue: dura, veins and
#: what a skull-stripping left take up contrast medium too, and can be brighter than a tumour.
_RIM = 5

#: With fewer voxels than this further inside, the rim is looked at after all.
_FEWEST_NORMAL = 500

Floats = NDArray[np.float32]


def subdue(
    moved: Floats, nested: Floats, channels: Floats, normal: NDArray[np.bool_], card: Card
) -> None:
    """Lower, in place, pieces that the network nowhere believed in or that look wrong.

    They end below half of the threshold, and who asks for so little sees them. `normal`
    (I, P, L) is the tissue that a region's brightness is compared with.
    """
    told = card.appearance
    assert told is not None
    for number, region in enumerate(card.regions):
        threshold = card.thresholds[region]
        mask = kept = moved[number] >= threshold
        if peak := card.peaks.get(region, 0.0):
            kept = drop_doubtful_components(kept, quantise(nested[number]), round(peak * 255))
        possible = kept
        for looks in told.brighter.get(region, ()):
            image = channels[card.channels.index(looks.modality)]
            seen = image != 0
            if looks.minus is not None:
                other = channels[card.channels.index(looks.minus)]
                image, seen = image - other, seen & (other != 0)
            if (seen := seen & normal).any():
                least = np.percentile(image[seen], looks.percentile)
                kept = drop_dim_components(kept, image, float(least))
        if kept is not possible and region in told.sure:
            kept = kept | drop_dim_components(possible, nested[number], told.sure[region])
        moved[number][mask & ~kept] *= 0.5 * threshold
    nest(moved)


def without_rim(normal: NDArray[np.bool_], brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`normal` (I, P, L) where it is not within `_RIM` voxels of the brain's edge.

    The box of the volumes may cut through the brain: its sides are no edge.
    """
    import fill_voids
    from scipy.ndimage import minimum_filter

    # Single voxels inside may be exactly 0 after normalisation.
    filled = fill_voids.fill(brain).view(np.uint8)
    deep: NDArray[np.bool_] = normal & (minimum_filter(filled, 2 * _RIM + 1, mode="nearest") > 0)
    return deep if np.count_nonzero(deep) >= _FEWEST_NORMAL else normal


def nest(regions: Floats) -> None:
    """Cut each of the regions (regions, I, P, L) down to the one before, in place."""
    for outer, inner in pairwise(regions):  # accumulate takes ten times as long on this axis
        np.minimum(inner, outer, out=inner)
