"""Correct slices that halve the widest gap between those that are right, and carry them on.

After each the slices between are solved from the images and those corrected (`Carrier`), so the
next one seen needs less. A gap whose middle is seen to be right is left alone; what is left is
found by going through the gaps again with a stricter eye.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._robot_hand import WAIT_CARRY
from napari_mmseg.editing.refine import carry
from napari_mmseg.errors import InputError

if TYPE_CHECKING:
    from benchmarks._robot_tools import ToolUser

#: A slice is right when no region is wrong in more than this share of both areas; a second and a
#: third time with a stricter eye.
RIGHT_SHARES = (0.05, 0.03, 0.015)

#: Pieces of error that are corrected in a slice (mm2), each time.
CORRECTED_MM2 = (6.0, 4.0, 2.0)

#: A slice that is taken at its word is gone over again, with these shares of the pieces above, as
#: long as a region is wrong in more than this share of both areas.
FINER, KEY_SHARE = (0.5, 0.25), 0.025

#: No gap narrower than this is halved (mm), each time.
NARROWEST_MM = (5.0, 3.0, 2.0)

#: The first slices are no further apart than this (mm): a shape between is a guess beyond it.
WIDEST_MM = 16.0

#: From so many slices on, what was corrected is carried to those between.
ENOUGH = 3


def correct_and_carry(user: ToolUser) -> Iterator[None]:
    """Slice by slice until nothing more is seen to be wrong."""
    extent = _extent(user)
    if extent is None:
        return
    keys: list[int] = []
    for index in extent:  # the ends of the tumour, and of what is labelled
        _correct(user, index, CORRECTED_MM2[0])
        keys = sorted({*keys, index})
        yield
    for share, least_mm2, narrowest_mm in zip(
        RIGHT_SHARES, CORRECTED_MM2, NARROWEST_MM, strict=True
    ):
        left = set(pairwise(keys))
        while left:
            first, last = max(left, key=lambda gap: (gap[1] - gap[0], -gap[0]))
            left.discard((first, last))
            width_mm = (last - first) * user.session.grid.spacing[0]
            if last - first < 2 or width_mm < narrowest_mm:
                continue
            middle = (first + last) // 2
            if width_mm <= WIDEST_MM and len(keys) >= ENOUGH and _is_right(user, middle, share):
                user.clock.key()
                user.clock.think()
                continue
            _correct(user, middle, least_mm2)
            keys = sorted({*keys, middle})
            left |= {(first, middle), (middle, last)}
            if len(keys) >= ENOUGH:
                _carry(user, keys)
            yield


def _extent(user: ToolUser) -> list[int] | None:
    """First and last slice of the tumour, and of what is labelled: seen while scrolling once."""
    ends: set[int] = set()
    for codes in (user.target, user.session.codes):
        shown = np.flatnonzero((codes > 0).any(axis=(1, 2)))
        if shown.size:
            ends |= {int(shown[0]), int(shown[-1])}
    return sorted(ends) if len(ends) > 1 else None


def _is_right(user: ToolUser, index: int, share: float) -> bool:
    """Is every region that is not done seen to be right, but for a share of its area?"""
    return not any(_is_wrong(user, region, index, share) for region in user.open_regions)


def _is_wrong(user: ToolUser, region: str, index: int, share: float) -> bool:
    now, right = user.now(region, index), user.sees(region, index)
    area = np.count_nonzero(now) + np.count_nonzero(right)
    return bool(np.count_nonzero(now != right) > share * area)


def _correct(user: ToolUser, index: int, least_mm2: float) -> None:
    """The open regions of a slice, and those clearly wrong: it will be taken at its word.

    So a region is gone over more finely until little is wrong.
    """
    open_regions = user.open_regions
    regions = [
        region
        for region in user.regions
        if region in open_regions or _is_wrong(user, region, index, RIGHT_SHARES[0])
    ]
    user.correct_slice(index, least_mm2, regions)
    for finer in (share * least_mm2 for share in FINER):
        regions = [name for name in regions if _is_wrong(user, name, index, KEY_SHARE)]
        if not regions:
            return
        user.correct_slice(index, finer, regions)


def _carry(user: ToolUser, keys: list[int]) -> None:
    with user.clock.using("carry"):
        user.clock.key()
        user.clock.wait(WAIT_CARRY)
        try:
            carry(user.session, user.carrier, keys)
        except InputError:  # no slices lie between
            return
