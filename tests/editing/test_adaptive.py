"""The adaptive brush stops at edges, stays in its circle and in one piece, and is quick."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_mmseg.editing import AdaptiveBrush, EditSession, Footprint, Mode, Stroke, stamp, sweep
from napari_mmseg.errors import GeometryError

from .volumes import annotation

SHAPE = (40, 60, 60)
MM = (1.0, 1.0, 1.0)
NOISE = 15.0


def ball(centre: tuple[int, int, int], radius: float, spacing=MM, shape=SHAPE) -> np.ndarray:
    away = np.indices(shape).T - centre
    return np.asarray((((away * spacing) ** 2).sum(axis=-1) <= radius**2).T)


def scan(truth: np.ndarray, contrast: float, seed: int = 0) -> np.ndarray:
    """What an MRI of a shape looks like: soft edges over 2 voxels, noise, whole numbers."""
    clean = 200 + contrast * ndimage.gaussian_filter(truth.astype(np.float32), 0.7)
    noise = np.random.default_rng(seed).normal(0, NOISE, truth.shape)
    return (clean + noise).astype(np.int16)


def on_volume(footprint: Footprint, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    volume = np.zeros(shape, bool)
    if clipped := footprint.clipped(shape):
        volume[clipped[0]] = clipped[1]
    return volume


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


TRUTH = ball((20, 30, 30), 16)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
@pytest.mark.parametrize("contrast", [90, 45, -60])
def test_it_finds_the_part_of_the_circle_that_is_like_the_cursor(axis, contrast):
    brush = AdaptiveBrush([scan(TRUTH, contrast)], MM)
    along = 1 if axis != 1 else 2
    reached, there = [], []
    for step in range(2, 14, 2):
        place = tuple(c + (step if i == along else 0) for i, c in enumerate((20, 30, 30)))
        reached.append(on_volume(brush.stamp(place, 20.0, axis)))
        there.append(on_volume(stamp(place, 20.0, MM, axis)) & TRUTH)
    assert dice(np.array(reached), np.array(there)) > (0.92 if contrast == 45 else 0.95)


def test_from_outside_it_takes_what_is_outside():
    brush = AdaptiveBrush([scan(TRUTH, 90)], MM)
    place = (20, 30, 50)
    wanted = on_volume(stamp(place, 16.0, MM, 0)) & ~TRUTH
    assert dice(on_volume(brush.stamp(place, 16.0, 0)), wanted) > 0.95


def test_a_faint_edge_is_found_beside_a_strong_one():
    faint, strong = ball((20, 30, 24), 12), np.zeros(SHAPE, bool)
    strong[:, :, 45:] = True
    image = scan(faint, 60) + (900 * strong).astype(np.int16)
    place = (20, 30, 32)
    wanted = on_volume(stamp(place, 36.0, MM, 0)) & faint
    assert dice(on_volume(AdaptiveBrush([image], MM).stamp(place, 36.0, 0)), wanted) > 0.93


def test_a_thin_ring_is_followed():
    ring = ball((20, 30, 30), 12) & ~ball((20, 30, 30), 8)
    place = (20, 30, 40)
    wanted = on_volume(stamp(place, 16.0, MM, 0)) & ring
    assert dice(on_volume(AdaptiveBrush([scan(ring, 120)], MM).stamp(place, 16.0, 0)), wanted) > 0.9


def test_without_an_edge_it_is_the_plain_brush():
    flat = scan(np.zeros(SHAPE, bool), 0)
    place = (20, 30, 30)
    plain = on_volume(stamp(place, 20.0, MM, None))
    assert dice(on_volume(AdaptiveBrush([flat], MM).stamp(place, 20.0, None)), plain) > 0.98
    still = AdaptiveBrush([np.full(SHAPE, 7, np.int16)], MM)
    np.testing.assert_array_equal(on_volume(still.stamp(place, 20.0, None)), plain)


def test_an_edge_in_any_image_counts():
    left, right = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    left[:, :, :25], right[:, :, 36:] = True, True
    brush = AdaptiveBrush([scan(left, 100, 1), scan(right, 100, 2)], MM)
    place = (20, 30, 30)
    wanted = on_volume(stamp(place, 24.0, MM, 0)) & ~left & ~right
    assert dice(on_volume(brush.stamp(place, 24.0, 0)), wanted) > 0.95


def test_on_thick_slices_it_is_round_in_mm_and_stops_at_the_edge():
    spacing = (5.0, 1.0, 1.0)
    truth = ball((20, 30, 30), 14, spacing)
    brush = AdaptiveBrush([scan(truth, 100)], spacing)
    place = (20, 30, 38)
    found = on_volume(brush.stamp(place, 20.0, None))
    circle = on_volume(stamp(place, 20.0, spacing, None))
    assert not (found & ~circle).any()
    assert dice(found, circle & truth) > 0.9


@given(
    centre=st.tuples(*[st.integers(0, n - 1) for n in (9, 11, 13)]),
    diameter=st.floats(0.5, 14.0),
    spacing=st.tuples(*[st.floats(0.4, 5.0)] * 3),
    axis=st.sampled_from([None, 0, 1, 2]),
    seed=st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_always_one_piece_in_the_circle_with_the_voxel_under_the_cursor(
    centre, diameter, spacing, axis, seed
):
    shape = (9, 11, 13)
    image = np.random.default_rng(seed).integers(0, 5, shape)
    found = on_volume(AdaptiveBrush([image], spacing).stamp(centre, diameter, axis), shape)
    assert found[centre]
    assert not (found & ~on_volume(stamp(centre, diameter, spacing, axis), shape)).any()
    assert ndimage.label(found)[1] == 1


def test_it_does_not_matter_where_the_brush_was_before():
    image = scan(TRUTH, 60)
    used = AdaptiveBrush([image], MM)
    for place in ((20, 30, 36), (20, 31, 39), (20, 40, 44), (20, 2, 1), (21, 30, 40)):
        for axis in (0, None, 2):
            fresh = AdaptiveBrush([image], MM).stamp(place, 14.0, axis)
            np.testing.assert_array_equal(
                on_volume(used.stamp(place, 14.0, axis)), on_volume(fresh)
            )


def test_a_drag_is_the_brush_at_places_close_together():
    brush = AdaptiveBrush([scan(TRUTH, 90)], MM)
    start, end = (20, 22, 30), (20, 38, 38)
    found = on_volume(brush.sweep(start, end, 12.0, 0))
    assert not (found & ~on_volume(sweep(start, end, 14.0, MM, 0))).any()  # whole voxels
    assert (found & on_volume(brush.stamp(end, 12.0, 0))).sum() == brush.stamp(
        end, 12.0, 0
    ).mask.sum()
    inside = on_volume(sweep((20, 24, 31), end, 10.0, MM, 0)) & TRUTH
    assert (found & inside).sum() > 0.9 * inside.sum()


def test_outside_the_image_nothing_is_taken_and_no_image_is_refused():
    brush = AdaptiveBrush([scan(TRUTH, 90)], MM)
    assert not brush.stamp((20, -1, 30), 12.0, 0).mask.any()
    assert not brush.sweep((20, -9, 30), (20, -1, 30), 12.0, 0).mask.any()
    with pytest.raises(GeometryError, match="open one"):
        AdaptiveBrush([], MM)
    with pytest.raises(GeometryError, match="align"):
        AdaptiveBrush([np.zeros((2, 2, 2)), np.zeros((2, 2, 3))], MM)


@pytest.mark.parametrize("axis", [0, None])
def test_dragging_costs_a_few_plain_strokes(axis):
    """In time of the processor, the best of many drags each, since other programs run too."""
    session = EditSession(annotation(np.zeros(SHAPE, np.uint8)))
    brush = AdaptiveBrush([scan(TRUTH, 90)], MM)
    way = [(20, 30 + i % 2, 14 + 2 * i) for i in range(16)]

    def seconds(at: Callable[[tuple, tuple], Footprint]) -> float:
        begin = time.thread_time()
        for _ in range(2):
            session.begin()
            for start, end in pairwise(way):
                session.extend(Stroke("WT", Mode.PAINT, at(start, end)))
            session.end()
            session.undo()
        return time.thread_time() - begin

    plain, adaptive = [], []
    for _ in range(12):
        plain.append(seconds(lambda a, b: sweep(a, b, 20.0, MM, axis)))
        adaptive.append(seconds(lambda a, b: brush.sweep(a, b, 20.0, axis)))
    assert min(adaptive) < 6 * min(plain), (min(adaptive), min(plain))
