"""Polygons against scikit-image's, in every plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import line, polygon2mask
from skimage.draw import polygon as skimage_polygon

from napari_mmseg.editing import polygon
from napari_mmseg.errors import InputError

SHAPE = (12, 13, 14)

corners = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 11)), min_size=3, max_size=9, unique=True
)


def drawn(flat: list[tuple[int, int]], axis: int, at: int = 4) -> np.ndarray:
    vertices = np.insert(np.array(flat), axis, at, axis=1)
    footprint = polygon(vertices, axis)
    clipped = footprint.clipped(SHAPE)
    assert clipped is not None
    volume = np.zeros(SHAPE, bool)
    volume[clipped[0]] = clipped[1]
    other = np.delete(np.arange(SHAPE[axis]), at)
    assert not np.take(volume, other, axis=axis).any()
    return np.take(volume, at, axis=axis)


@given(flat=corners, axis=st.sampled_from([0, 1, 2]))
@settings(max_examples=150, deadline=None)
def test_everything_inside_is_filled_and_nothing_beyond_the_outline(flat, axis):
    mine = drawn(flat, axis)
    rows, columns = zip(*flat, strict=True)
    inside = np.zeros(mine.shape, bool)
    inside[skimage_polygon(rows, columns, mine.shape)] = True
    strictly = polygon2mask(mine.shape, np.array(flat, float))
    near_outline = np.zeros(mine.shape, bool)
    for (a, b), (c, d) in zip(flat, [*flat[1:], flat[0]], strict=True):
        near_outline[line(a, b, c, d)] = True
    grown = near_outline.copy()  # where a line ties, either voxel of the pair may be drawn
    grown[1:] |= near_outline[:-1]
    grown[:-1] |= near_outline[1:]
    grown[:, 1:] |= near_outline[:, :-1]
    grown[:, :-1] |= near_outline[:, 1:]
    assert not (inside & strictly & ~near_outline & ~mine).any()
    assert not (mine & ~inside & ~strictly & ~grown).any()
    assert all(mine[corner] for corner in flat)


def test_a_square_is_filled_with_its_edges():
    expected = np.zeros(SHAPE[1:], bool)
    expected[2:6, 3:9] = True
    np.testing.assert_array_equal(drawn([(2, 3), (2, 8), (5, 8), (5, 3)], 0), expected)


def test_a_hollow_shape_stays_hollow():
    frame = [(0, 0), (0, 8), (8, 8), (8, 0), (0, 0), (2, 2), (2, 6), (6, 6), (6, 2), (2, 2)]
    assert not drawn(frame, 0)[4, 4]
    assert drawn(frame, 0)[1, 4]


def test_two_corners_are_no_polygon():
    with pytest.raises(InputError, match="three corners"):
        polygon([(0, 0, 0), (0, 1, 1)], 0)
