"""Correct the slice where most is wrong, carry that on to its neighbours, and look again.

After each the slices between are solved from the images and those corrected (`Carrier`), so the
next one needs less. First coarsely, where much is wrong in a stretch of slices; finer, and in
slices nearer to each other, as long as it is not enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks._robot_hand import WAIT_CARRY, large_parts
from napari_mmseg.editing.refine import carry
from napari_mmseg.errors import InputError

if TYPE_CHECKING:
    from benchmarks._robot_tools import ToolUser


class Eye(NamedTuple):
    """What is looked for: pieces of error of so many mm2 in a region of `REFERENCE_MM2` (in smaller
    ones smaller pieces), in slices of which a region is wrong in more than `share` of both areas,
    and that lie `nearest_mm` at least from others that were corrected.
    """

    least_mm2: float
    share: float
    nearest_mm: float


#: Stricter each time.
EYES = (
    Eye(6.0, 0.05, 6.0),
    Eye(3.0, 0.035, 3.0),
    Eye(2.0, 0.025, 2.0),
    Eye(1.5, 0.015, 1.0),
    Eye(1.0, 0.0, 0.0),
    Eye(1.0, 0.0, 0.0),
)

#: What is wrong counts for a slice so far off (mm), linearly less: correcting it helps there too.
REACH_MM = 6.0

#: A region that is good enough by and large is corrected where more than this share is wrong.
CLEARLY_WRONG = 0.1

#: A slice outside those that were corrected is corrected however near it lies to them if more than
#: this share is wrong: nothing is carried on to it.
STRIKING = 0.3

#: Labels that reach so much further than the tumour are cut off there (mm).
BEYOND_MM = 2.0


def correct_and_carry(user: ToolUser) -> Iterator[None]:
    """Slice by slice until nothing more is seen to be wrong."""
    shown = _shown(user)
    if shown is None:
        return
    user.look_through(shown.size)
    keys: list[int] = []
    for index in _ends(user):
        _correct(user, index, EYES[0])
        keys = sorted({*keys, index})
        yield
    if len(keys) > 1:
        _carry(user, keys, keys[0])
        yield
    for eye in EYES:
        done: set[int] = set()
        while (index := _worst(user, shown, keys, done, eye)) is not None:
            done.add(index)
            _correct(user, index, eye)
            yield
            keys = sorted({*keys, index})
            changed = _carry(user, keys, index)
            yield
            user.look_through(changed)


def _ends(user: ToolUser) -> list[int]:
    """The tumour's first and last slice: nothing is carried on beyond them. Where labels reach
    further, theirs, and the first that shows no tumour: what is between them goes.
    """
    spans = []
    for codes in (user.session.codes, user.target):
        found = np.flatnonzero((codes > 0).any(axis=(1, 2)))
        if not found.size:
            return []
        spans.append((int(found[0]), int(found[-1])))
    (first, last), (begin, end) = spans
    beyond = BEYOND_MM / user.session.grid.spacing[0]
    low = [first, begin - 1] if begin - first > beyond else [begin]
    return low + ([end + 1, last] if last - end > beyond else [end])


def _shown(user: ToolUser) -> NDArray[np.intp] | None:
    """The slices with a label or tumour."""
    found = np.flatnonzero(((user.session.codes > 0) | (user.target > 0)).any(axis=(1, 2)))
    return found if found.size else None


def _worst(
    user: ToolUser,
    shown: NDArray[np.intp],
    keys: list[int],
    done: set[int],
    eye: Eye,
) -> int | None:
    """The slice in the middle of most that is wrong; None when all are right enough."""
    thick = user.session.grid.spacing[0]
    window = _window(thick)
    score = np.convolve(_wrong(user), window)[len(window) // 2 :]
    best, found = 0.0, None
    for index in map(int, shown):
        if index in done or score[index] <= best:
            continue
        near = any(0 < abs(index - key) * thick < eye.nearest_mm for key in keys)
        outside = not keys or not keys[0] < index < keys[-1]
        if near and not (outside and _is_striking(user, index)):
            continue
        if not any(_is_worth(user, region, index, eye) for region in user.open_regions):
            continue
        best, found = float(score[index]), index
    return found


def _wrong(user: ToolUser) -> NDArray[np.float64]:
    """How much is wrong in each slice, in shares of the whole regions that are not done."""
    wrong = np.zeros(len(user.target))
    for region in user.open_regions:
        area = max(1, int(user.areas(region).sum()))
        wrong += [user.errors(region, index) / area for index in range(len(wrong))]
    return wrong


def _window(thick: float) -> NDArray[np.float64]:
    count = int(REACH_MM / thick)
    return 1.0 - np.abs(np.arange(-count, count + 1)) * thick / (REACH_MM + thick)


def _is_worth(user: ToolUser, region: str, index: int, eye: Eye) -> bool:
    """Is enough of a region wrong in a slice, and in pieces that would be corrected?"""
    if not _is_wrong(user, region, index, eye.share):
        return False
    wanted, now = user.sees(region, index), user.now(region, index)
    least = user.least_mm2(wanted, eye.least_mm2) / user.pixel_mm2
    return any(large_parts(one, least).any() for one in (wanted & ~now, now & ~wanted))


def _is_striking(user: ToolUser, index: int) -> bool:
    return any(_is_wrong(user, region, index, STRIKING) for region in user.open_regions)


def _is_wrong(user: ToolUser, region: str, index: int, share: float) -> bool:
    now, right = user.now(region, index), user.sees(region, index)
    area = np.count_nonzero(now) + np.count_nonzero(right)
    return bool(np.count_nonzero(now != right) > share * area)


def _correct(user: ToolUser, index: int, eye: Eye) -> None:
    """The open regions of a slice, and those clearly wrong: it will be taken at its word."""
    open_regions = user.open_regions
    regions = [
        region
        for region in user.regions
        if _is_wrong(user, region, index, eye.share if region in open_regions else CLEARLY_WRONG)
    ]
    user.go_to(index)
    user.correct_slice(index, eye.least_mm2, regions)


def _carry(user: ToolUser, keys: list[int], index: int) -> int:
    """Carry on from the slices corrected; how many around `index` may have changed.

    Undone where more is wrong than before, as is seen when the slices are looked through.
    """
    number = keys.index(index)
    around = keys[max(0, number - 1) : number + 2]
    between = around[-1] - around[0] + 1 - len(around)
    if between < 1:
        return 0
    with user.clock.using("carry"):
        user.clock.key()
        user.clock.wait(WAIT_CARRY)
        before, depth = _wrong(user).sum(), user.session.undo_depth
        try:
            carry(user.session, user.carrier, keys)
        except InputError:  # no slices lie between
            return 0
        if _wrong(user).sum() > before and user.session.undo_depth > depth:
            user.clock.key()
            user.session.undo()
    return between
