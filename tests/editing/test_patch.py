"""Patches are exact, reversible and small."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.editing.patch import PackedPatch, Patch, difference, merged

from .volumes import random_codes


@given(seeds=st.lists(st.integers(0, 20), min_size=2, max_size=6))
@settings(max_examples=80, deadline=None)
def test_many_changes_merge_into_one_that_does_and_undoes_the_same(seeds):
    volumes = [random_codes(seed) for seed in seeds]
    parts = [difference(a, b) for a, b in pairwise(volumes)]
    patch = merged([part for part in parts if part is not None])
    codes = volumes[0].copy()
    if patch is None:
        np.testing.assert_array_equal(volumes[0], volumes[-1])
        return
    assert not (patch.old == patch.new).any() or len(parts) == 1
    again = PackedPatch.of(patch).patch()
    again.write(codes)
    np.testing.assert_array_equal(codes, volumes[-1])
    again.reversed().write(codes)
    np.testing.assert_array_equal(codes, volumes[0])


def test_equal_volumes_differ_in_nothing():
    assert difference(random_codes(1), random_codes(1)) is None


def test_a_large_change_is_compressed_and_comes_back():
    rng = np.random.default_rng(0)
    mask = rng.random((100, 100, 100)) < 0.5
    old = np.sort(rng.integers(0, 4, int(mask.sum()), dtype=np.uint8))
    patch = Patch((slice(0, 100),) * 3, mask, old, ((old + 1) % 4).astype(np.uint8))
    packed = PackedPatch.of(patch)
    assert packed.nbytes < 0.2 * (patch.old.nbytes + patch.new.nbytes + mask.nbytes)
    back = packed.patch()
    np.testing.assert_array_equal(back.mask, mask)
    np.testing.assert_array_equal(back.old, patch.old)
    np.testing.assert_array_equal(back.new, patch.new)


def test_a_typical_stroke_takes_a_few_hundred_bytes():
    disc = np.hypot(*np.mgrid[-10:11, -10:11])[None] <= 10
    count = int(disc.sum())
    stroke = Patch(
        (slice(0, 1), slice(0, 21), slice(0, 21)),
        disc,
        np.zeros(count, np.uint8),
        np.ones(count, np.uint8),
    )
    assert PackedPatch.of(stroke).nbytes < 200
