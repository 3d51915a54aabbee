"""Where outlines run, against counting the edges of every mask by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg._napari.raters_outlines import DASH_VOXELS, outlines, who_says_so

SHAPE = (3, 4, 5)


def edges_of(mask: np.ndarray, across: int, index: int) -> set[tuple[float, ...]]:
    """(start along I, P, L, axis) of every edge in one slice, voxel by voxel."""
    found = set()
    for voxel in np.argwhere(mask):
        if voxel[across] != index:
            continue
        for step in (axis for axis in range(3) if axis != across):
            runs = 3 - across - step
            for side in (-1, 1):
                near = voxel.copy()
                near[step] += side
                inside = all(0 <= n < size for n, size in zip(near, mask.shape, strict=True))
                if inside and mask[tuple(near)]:
                    continue
                start = voxel.astype(float)
                start[step] += side / 2
                start[runs] -= 0.5
                found.add((*start.tolist(), runs))
    return found


@settings(max_examples=25, deadline=None)
@given(
    st.lists(arrays(np.bool_, SHAPE), min_size=1, max_size=3),
    st.integers(0, 2),
)
def test_every_rater_has_exactly_the_edges_of_the_mask(masks, across):
    found = outlines(who_says_so(masks), across)
    for index in range(SHAPE[across]):
        edges = found.at(index)
        for number, mask in enumerate(masks):
            of = edges.of(number)
            drawn = {
                (*start, axis)
                for start, axis in zip(
                    edges.start[of].tolist(), edges.axis[of].tolist(), strict=True
                )
            }
            assert drawn == edges_of(mask, across, index)


def test_a_part_of_the_image_keeps_its_place():
    mask = np.zeros((6, 6, 6), np.bool_)
    mask[3, 2:4, 3:5] = True
    whole = outlines(who_says_so([mask]), 0).at(3)
    part = outlines(who_says_so([mask[2:5, 1:5, 2:6]]), 0, (2, 1, 2)).at(3)
    assert sorted(map(tuple, whole.start.tolist())) == sorted(map(tuple, part.start.tolist()))


def test_shared_outlines_take_turns_and_single_ones_do_not():
    mask = np.zeros((1, 4, 4 * DASH_VOXELS), np.bool_)
    mask[0, 1:3] = True
    alone = np.zeros_like(mask)
    alone[0, 0, 0] = True
    edges = outlines(who_says_so([mask, mask, mask | alone]), 0).at(0)
    turns = edges.turns()
    shared = np.bitwise_count(edges.raters) == 3
    assert set(turns[shared].tolist()) == {0, 1, 2}
    for raters, turn in zip(edges.raters.tolist(), turns.tolist(), strict=True):
        assert raters >> turn & 1
    assert (turns[edges.raters == 4] == 2).all()


def test_nobody_has_no_outline():
    assert len(outlines(who_says_so([np.zeros(SHAPE, np.bool_)]), 1).at(0)) == 0


def test_too_many_raters_for_a_voxel_are_refused():
    with pytest.raises(ValueError, match="not 33"):
        who_says_so([np.zeros(SHAPE, np.bool_)] * 33)
