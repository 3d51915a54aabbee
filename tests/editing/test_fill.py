"""Filling the area under the cursor, against scikit-image's flood fill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import flood as skimage_flood

from napari_mmseg.editing import flood
from napari_mmseg.errors import InputError

from .volumes import SHAPE, random_codes


@given(
    seed=st.integers(0, 2**16),
    start=st.tuples(*[st.integers(0, n - 1) for n in SHAPE]),
    axis=st.sampled_from([None, 0, 1, 2]),
)
@settings(max_examples=80, deadline=None)
def test_the_area_is_what_hangs_together_by_faces(seed, start, axis):
    codes = random_codes(seed)
    codes[codes == 0] = 1
    filled = np.zeros(SHAPE, bool)
    box, mask = flood(codes, start, axis).clipped(SHAPE)
    filled[box] = mask
    expected = np.zeros(SHAPE, bool)
    if axis is None:
        expected = skimage_flood(codes, start, connectivity=1)
    else:
        plane = [slice(None)] * 3
        plane[axis] = start[axis]
        flat = tuple(n for i, n in enumerate(start) if i != axis)
        expected[tuple(plane)] = skimage_flood(codes[tuple(plane)], flat, connectivity=1)
    np.testing.assert_array_equal(filled, expected)


def test_a_hole_is_filled_and_open_background_is_refused():
    codes = np.zeros((5, 9, 9), np.uint8)
    codes[2, 2:7, 2:7] = 1
    codes[2, 3:6, 3:6] = 0
    assert flood(codes, (2, 4, 4), 0).mask.sum() == 9
    with pytest.raises(InputError, match="border of the slice"):
        flood(codes, (2, 0, 0), 0)
    with pytest.raises(InputError, match="border of the volume"):
        flood(codes, (2, 4, 4), None)  # the ring is open above and below


def test_a_labelled_area_may_reach_the_border():
    codes = np.ones((3, 4, 5), np.uint8)
    assert flood(codes, (1, 1, 1), None).mask.sum() == codes.size


def test_a_click_outside_is_refused():
    with pytest.raises(InputError, match="outside"):
        flood(np.zeros(SHAPE, np.uint8), (0, -1, 0), 0)
