"""Brushes are round in millimetres and leave no gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_mmseg.editing import Footprint, stamp, sweep

SHAPE = (15, 17, 19)
CENTRE = (7, 8, 9)

spacings = st.tuples(*[st.floats(0.4, 5.0)] * 3)
axes = st.sampled_from([None, 0, 1, 2])


def on_volume(footprint: Footprint) -> np.ndarray:
    volume = np.zeros(SHAPE, bool)
    clipped = footprint.clipped(SHAPE)
    assert clipped is not None
    box, mask = clipped
    volume[box] = mask
    return volume


@given(diameter=st.floats(0.5, 12.0), spacing=spacings, axis=axes)
@settings(max_examples=60, deadline=None)
def test_a_stamp_is_every_voxel_centre_within_half_the_diameter(diameter, spacing, axis):
    painted = on_volume(stamp(CENTRE, diameter, spacing, axis))
    for voxel in np.ndindex(SHAPE):
        away = [(voxel[i] - CENTRE[i]) * spacing[i] for i in range(3)]
        distance = sum(d * d for d in away) ** 0.5
        assume(abs(distance - diameter / 2) > 1e-6)  # on the rim rounding decides
        in_plane = axis is None or voxel[axis] == CENTRE[axis]
        assert painted[voxel] == (in_plane and (distance < diameter / 2 or voxel == CENTRE))


def test_a_ball_on_thick_slices_has_as_many_slices_as_it_is_tall():
    ball = on_volume(stamp(CENTRE, 13.0, (3.0, 1.0, 1.0), None))
    extent = [int(ball.any(axis=tuple({0, 1, 2} - {i})).sum()) for i in range(3)]
    assert extent == [5, 13, 13]
    assert ball[CENTRE[0] + 2].sum() < ball[CENTRE[0]].sum() / 4


def test_a_whole_number_of_voxels_on_the_radius_is_covered():
    disc = on_volume(stamp(CENTRE, 6.0, (1.0, 1.0, 1.0), 0))
    assert disc[7].sum() == 29  # lattice points within a circle of radius 3
    assert disc[7, 8, 12]


@given(
    end=st.tuples(*[st.integers(3, n - 4) for n in SHAPE]),
    start=st.tuples(*[st.integers(3, n - 4) for n in SHAPE]),
    diameter=st.floats(0.5, 6.0),
    spacing=spacings,
    axis=axes,
)
@settings(max_examples=60, deadline=None)
def test_a_fast_drag_is_one_piece_holds_both_stamps_and_stays_near_the_way(
    start, end, diameter, spacing, axis
):
    if axis is not None:
        end = tuple(start[i] if i == axis else end[i] for i in range(3))
    painted = on_volume(sweep(start, end, diameter, spacing, axis))
    assert ndimage.label(painted, np.ones((3, 3, 3)))[1] == 1
    for place in (start, end):
        assert not (on_volume(stamp(place, diameter, spacing, axis)) & ~painted).any()
    scale = np.array(spacing)
    way = np.linspace(np.array(start) * scale, np.array(end) * scale, 400)
    voxels = np.argwhere(painted)
    distance = np.linalg.norm(voxels[:, None] * scale - way[None], axis=2).min(axis=1)
    voxel_reach = 0.5 * np.linalg.norm(scale)  # a voxel that the way runs through
    assert (distance <= max(diameter / 2, voxel_reach) + 0.05).all()
    near = np.argwhere(~painted)
    if axis is not None:
        near = near[near[:, axis] == start[axis]]
    gap = np.linalg.norm(near[:, None] * scale - way[None], axis=2).min(axis=1)
    assert (gap > diameter / 2 - 1e-6).all()


def test_a_brush_at_the_edge_is_cut_and_one_outside_paints_nothing():
    assert stamp((0, 0, 0), 6.0, (1.0, 1.0, 1.0), None).clipped(SHAPE)[1].shape == (4, 4, 4)
    assert stamp((-9, 0, 0), 6.0, (1.0, 1.0, 1.0), None).clipped(SHAPE) is None


def test_the_cached_mask_cannot_be_spoilt():
    with pytest.raises(ValueError, match="read-only"):
        stamp(CENTRE, 5.0, (1.0, 1.0, 1.0), 0).mask[...] = True
