"""Sides of an outline hold exactly the pixels of its mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_mmseg._napari.hover_outline import rectangles, sides

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans())


def enclosed(lines: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The pixels from whose middle a way to the left crosses an odd number of lines."""
    found = np.zeros(shape, bool)
    for row, column in np.ndindex(shape):
        (top, left), (bottom, right) = lines[:, 0].T, lines[:, 1].T
        upright = left == right
        crossed = upright & (top < row) & (row < bottom) & (left < column)
        found[row, column] = crossed.sum() % 2
    return found


@given(masks)
def test_the_sides_enclose_the_mask_and_nothing_else_in_both_directions(mask):
    lines = sides(mask)
    np.testing.assert_array_equal(enclosed(lines, mask.shape), mask)
    np.testing.assert_array_equal(enclosed(lines[..., ::-1], mask.T.shape), mask.T)


@given(masks)
def test_every_edge_is_drawn_once_and_straight_sides_are_one_line(mask):
    lines = sides(mask)
    length = np.abs(lines[:, 1] - lines[:, 0]).sum()
    framed = np.pad(mask, 1)
    edges = (framed[1:] != framed[:-1]).sum() + (framed[:, 1:] != framed[:, :-1]).sum()
    assert length == edges
    for axis in (0, 1):
        along = lines[lines[:, 0, 1 - axis] == lines[:, 1, 1 - axis]]
        starts, stops = ({tuple(end) for end in along[:, i].tolist()} for i in (0, 1))
        assert not starts & stops


def test_a_square_has_four_sides():
    mask = np.zeros((5, 6), bool)
    mask[1:3, 2:5] = True
    found = {tuple(map(tuple, line)) for line in sides(mask).tolist()}
    assert found == {
        ((0.5, 1.5), (0.5, 4.5)),
        ((2.5, 1.5), (2.5, 4.5)),
        ((0.5, 1.5), (2.5, 1.5)),
        ((0.5, 4.5), (2.5, 4.5)),
    }


def test_lines_become_rectangles_that_meet_at_the_corners():
    lines = np.array([[[0.0, 0.0], [0.0, 4.0]]])
    corners, triangles = rectangles(lines, 0.5)
    assert corners.tolist() == [[-0.25, -0.25], [-0.25, 4.25], [0.25, 4.25], [0.25, -0.25]]
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    area = 0.0
    for a, b, c in corners[triangles]:
        area += abs(np.linalg.det(np.stack([b - a, c - a]))) / 2
    assert area == pytest.approx(0.5 * 4.5)


def test_nothing_has_no_outline():
    lines = sides(np.zeros((3, 4), bool))
    corners, triangles = rectangles(lines, 1.0)
    assert lines.shape == (0, 2, 2)
    assert corners.shape == (0, 2)
    assert triangles.shape == (0, 3)
