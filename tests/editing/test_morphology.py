"""Shapes made from shapes, against brute force and other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_mmseg.editing.morphology import filled, grown, shrunk, smoothed, without_islands

SHAPE = (8, 10, 12)

spacings = st.tuples(*[st.sampled_from([0.5, 0.9375, 1.0, 1.2, 3.0, 5.0])] * 3)
seeds = st.integers(0, 2**16)


def blobs(seed: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    return np.asarray(ndimage.gaussian_filter(noise, 1.0) > 0.15)


def distances(mask: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """To the nearest voxel of the mask, voxel by voxel."""
    there = np.argwhere(mask) * spacing
    every = np.argwhere(np.ones(mask.shape, bool)) * spacing
    apart = np.linalg.norm(every[:, None] - there[None], axis=2).min(axis=1)
    return np.asarray(apart.reshape(mask.shape))


@given(seed=seeds, mm=st.floats(0.3, 6.0), spacing=spacings)
@settings(max_examples=12, deadline=None)
def test_growing_and_shrinking_are_exact_in_mm(seed, mm, spacing):
    mask = blobs(seed)
    outward, inward = distances(mask, spacing), distances(~mask, spacing)
    unsure_out, unsure_in = abs(outward - mm) < 1e-3, abs(inward - mm) < 1e-3
    np.testing.assert_array_equal(
        grown(mask, mm, spacing) | unsure_out, (outward <= mm) | unsure_out
    )
    np.testing.assert_array_equal(shrunk(mask, mm, spacing) | unsure_in, (inward > mm) | unsure_in)


def test_a_distance_that_is_just_reached_counts():
    mask = np.zeros(SHAPE, bool)
    mask[4, 5, 6] = True
    assert grown(mask, 2.4, (1.2, 1.2, 1.2)).sum() == 33  # lattice points within a radius of 2
    assert grown(mask, 0.0, (1.0, 1.0, 1.0)).sum() == 1


def test_what_the_border_cuts_does_not_shrink_from_there():
    mask = np.zeros(SHAPE, bool)
    mask[:4] = True
    np.testing.assert_array_equal(
        np.flatnonzero(shrunk(mask, 1.0, (1, 1, 1)).any((1, 2))), [0, 1, 2]
    )
    assert shrunk(np.ones(SHAPE, bool), 3.0, (1, 1, 1)).all()
    assert not shrunk(np.zeros(SHAPE, bool), 3.0, (1, 1, 1)).any()


@given(seed=seeds, axis=st.sampled_from([None, 0, 1, 2]))
@settings(max_examples=40, deadline=None)
def test_holes_are_those_of_scipy(seed, axis):
    mask = blobs(seed) | (np.random.default_rng(seed).random(SHAPE) < 0.3)
    expected = mask.copy()
    if axis is None:
        expected = ndimage.binary_fill_holes(mask)
    else:
        for n in range(SHAPE[axis]):
            at = tuple(n if i == axis else slice(None) for i in range(3))
            expected[at] = ndimage.binary_fill_holes(mask[at])
    np.testing.assert_array_equal(filled(mask, axis), expected)


def test_a_gap_at_the_border_is_no_hole():
    mask = (np.random.default_rng(1544).random(SHAPE) < 0.3) | blobs(1544)
    np.testing.assert_array_equal(filled(mask), ndimage.binary_fill_holes(mask))


# Volumes to a hundredth of a mm3: equal to a component's, or further off than rounding.
volumes = st.integers(0, 3000).map(lambda hundredths: hundredths / 100)


@given(seed=seeds, smallest=volumes, voxel=st.sampled_from([0.1, 1.0, 3.0]))
@settings(max_examples=40, deadline=None)
def test_islands_are_dropped_by_volume(seed, smallest, voxel):
    mask = np.random.default_rng(seed).random(SHAPE) < 0.12
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * voxel
    keep = sizes >= smallest * (1 - 1e-6)
    keep[0] = False
    np.testing.assert_array_equal(without_islands(mask, smallest, voxel), keep[labels])


def rough_ball(radius: float, spacing: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A ball, and the same with half of the voxels at its surface flipped."""
    shape = tuple(int(2 * radius / mm) + 9 for mm in spacing)
    centre = (np.array(shape) - 1) / 2
    away = np.linalg.norm((np.indices(shape).T - centre) * spacing, axis=-1).T
    ball = away <= radius
    flip = (abs(away - radius) < 1.2) & (np.random.default_rng(0).random(shape) < 0.4)
    return ball, ball ^ flip


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.9, 0.9)])
def test_smoothing_keeps_the_volume_and_brings_a_rough_ball_back(spacing):
    ball, rough = rough_ball(10.0, spacing)
    smooth = smoothed(rough, 1.5, spacing)
    assert abs(int(smooth.sum()) - int(rough.sum())) <= 0.02 * rough.sum()

    def dice(mask: np.ndarray) -> float:
        return float(2 * (mask & ball).sum() / (mask.sum() + ball.sum()))

    assert dice(smooth) > 0.96 > dice(rough)


def test_smoothing_keeps_a_small_component_beside_a_large_one():
    ball, _ = rough_ball(8.0, (1.0, 1.0, 1.0))
    mask = np.zeros((25, 25, 50), bool)
    mask[:, :, :25] = ball
    mask[12, 12, 40:42] = True
    smooth = smoothed(mask, 2.0, (1.0, 1.0, 1.0))
    assert smooth[:, :, 33:].any()
    assert smooth[:, :, 33:].sum() <= 3
    assert abs(int(smooth.sum()) - int(mask.sum())) <= 0.02 * mask.sum()


@given(seed=seeds, mm=st.floats(0.3, 3.0), spacing=spacings)
@settings(max_examples=25, deadline=None)
def test_smoothing_never_empties_a_mask(seed, mm, spacing):
    mask = blobs(seed)
    assert smoothed(mask, mm, spacing).any()
    assert not smoothed(np.zeros(SHAPE, bool), mm, spacing).any()
