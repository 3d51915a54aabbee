"""Distances to the nearest voxel, by map and by tree, against all pairs of voxels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from napari_mmseg.agreement import compare
from napari_mmseg.agreement.apart import surface_pairs
from napari_mmseg.agreement.nearest import Places, core_of
from napari_mmseg.agreement.stack import Stack

SHAPE = (7, 9, 8)
ANISOTROPIC = (3.0, 0.7, 1.1)

masks = arrays(bool, SHAPE, elements=st.sampled_from([False] * 20 + [True]))
sides = [st.tuples(st.integers(0, n - 1), st.integers(1, n)) for n in SHAPE]


@given(masks, masks, st.tuples(*sides))
@settings(deadline=None, max_examples=80)
def test_any_core_gives_the_same_distances(read, surface, ends):
    core = tuple(slice(a, max(a + 1, b)) for a, b in ends)
    voxels, target = np.argwhere(read), np.argwhere(surface)
    if not len(target):
        return
    found = Places.of(voxels, core, ANISOTROPIC).nearest(target)
    assert found.shape == (len(voxels),)
    if len(voxels):
        expected = cdist(voxels * ANISOTROPIC, target * ANISOTROPIC).min(axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def strewn(seed: int) -> np.ndarray:
    """Four raters of a ball in a large image, three with far islands."""
    random = np.random.default_rng(seed)
    index = np.indices((44, 50, 40))
    found = []
    for rater in range(4):
        centre = random.uniform(17, 19, 3)[:, None, None, None]
        noise = random.normal(0, 0.5, index.shape[1:])
        mask = np.sqrt(((index - centre) ** 2).sum(0)) + noise < 6
        for _ in range(rater):
            i, j, k = (random.integers(0, n - 2) for n in mask.shape)
            mask[i : i + 2, j : j + 2, k : k + 2] = True
        found.append(mask)
    return np.stack(found)


@pytest.mark.parametrize("seed", range(3))
def test_islands_do_not_make_the_map_large_nor_change_a_distance(seed):
    raters = strewn(seed)
    core = core_of(np.logical_or.reduce(raters))
    assert np.prod([side.stop - side.start for side in core]) < 22**3
    stack = Stack(raters, ANISOTROPIC, 0.001, ((0, 0),) * 3)
    seen = 0
    for first, second, apart in surface_pairs(stack):
        alone = compare(raters[first], raters[second], ANISOTROPIC, tolerance_mm=2.0)
        assert apart.hd95_mm == pytest.approx(alone.hd95_mm, 1e-5)
        assert apart.nsd(2.0) == pytest.approx(alone.nsd)
        seen += 1
    assert seen == 6


def test_many_islands_of_one_size_are_all_on_the_map():
    union = np.zeros((40, 40, 40), bool)
    for start in range(0, 40, 10):
        union[start : start + 6, 2:38, 2:38] = True
    assert core_of(union) == np.s_[0:40, 0:40, 0:40]


def test_a_single_voxel_is_its_own_core():
    assert core_of(np.ones((1, 1, 1), bool)) == np.s_[0:1, 0:1, 0:1]
