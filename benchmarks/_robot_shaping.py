"""Commands on a whole region, where a look at a few of its slices gives a reason for one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks._robot_user import User
from napari_mmseg.editing import fill_holes, remove_islands, smooth

#: The slices of a tumour that are looked at before and after: these shares of the way through it.
LOOKED_AT = (0.25, 0.5, 0.75)

#: Islands smaller than this go (mm3).
ISLAND_MM3 = 30.0

#: A region is smoothed by so much (mm) when thin errors make up this share of its area.
SMOOTHED_MM, JAGGED_SHARE = 1.0, 0.05


def shape_regions(user: User) -> Iterator[None]:
    """Fill holes, remove islands and smooth, each region by itself.

    The look costs a key for each slice and a thought, as all regions are shown at once; a command
    its region's key, a click on its button and a look at what came of it. What is no better in the
    slices that were looked at is undone.
    """
    session = user.session
    shown = np.flatnonzero((session.codes > 0).any(axis=(1, 2)))
    if not shown.size:
        return
    looked = [int(shown[round(share * (shown.size - 1))]) for share in LOOKED_AT]
    user.clock.key(len(looked))
    user.clock.think()
    for region in user.regions:
        for is_reason, command in (
            (has_holes, partial(fill_holes, session, region)),
            (has_islands, partial(remove_islands, session, region, ISLAND_MM3)),
            (is_jagged, partial(smooth, session, region, SMOOTHED_MM)),
        ):
            if not any(is_reason(user.now(region, i), user.sees(region, i)) for i in looked):
                continue
            before, depth = sum(user.errors(region, i) for i in looked), session.undo_depth
            user.clock.key()
            user.clock.stroke(0, 0.0)
            command()
            user.clock.think()
            if sum(user.errors(region, i) for i in looked) >= before:
                user.clock.key()
                if session.undo_depth > depth:
                    session.undo()
            yield


def has_holes(now: NDArray[np.bool_], right: NDArray[np.bool_]) -> bool:
    """Does a slice show a hole that should not be there?"""
    from scipy import ndimage

    return bool((ndimage.binary_fill_holes(now) & ~now & right).any())


def has_islands(now: NDArray[np.bool_], right: NDArray[np.bool_]) -> bool:
    """Does a slice show a piece of which nothing is right?"""
    from scipy import ndimage

    labels, count = ndimage.label(now)
    return bool(set(range(1, count + 1)) - set(np.unique(labels[right]).tolist()))


def is_jagged(now: NDArray[np.bool_], right: NDArray[np.bool_]) -> bool:
    """Are thin errors a good part of a region in a slice?"""
    from scipy import ndimage

    wrong = now != right
    thin = wrong & ~ndimage.binary_opening(wrong, np.ones((2, 2)))
    return bool(np.count_nonzero(thin) > JAGGED_SHARE * max(1, np.count_nonzero(now)))
