"""Tiles cover everything, stay within memory and add up to one pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import FakeEngine, first_channel_thrice

from napari_mmseg.inference.engine import OutOfMemory
from napari_mmseg.inference.tiles import OVERLAP, SMALLEST_SIDE, run_in_tiles, starts, tile_shape


@given(st.integers(1, 400), st.integers(16, 160))
def test_starts_cover_the_axis_and_overlap(whole: int, tile: int) -> None:
    tile = min(tile, whole)
    begins = starts(whole, tile)
    assert begins[0] == 0
    assert begins[-1] == whole - tile
    gaps = np.diff(begins)
    assert (gaps <= tile * (1 - OVERLAP) + 1).all()
    assert (gaps > 0).all()


@given(
    st.tuples(*[st.integers(1, 20).map(lambda n: 16 * n)] * 3),
    st.integers(SMALLEST_SIDE**3, 10**7),
)
def test_tiles_fit_the_memory_and_the_stride(whole: tuple[int, int, int], largest: int) -> None:
    tile = tile_shape(whole, largest)
    assert np.prod(tile) <= largest
    assert all(t <= n for t, n in zip(tile, whole, strict=True))
    assert all(t % 16 == 0 for t in tile)


def test_too_little_memory_for_any_tile() -> None:
    with pytest.raises(OutOfMemory):
        tile_shape((160, 160, 160), SMALLEST_SIDE**3 - 1)


def test_tiles_of_a_voxelwise_answer_are_the_whole_answer() -> None:
    channels = np.random.default_rng(0).normal(size=(4, 128, 96, 112)).astype(np.float32)
    engine = FakeEngine(first_channel_thrice)
    told: list[float] = []
    result = run_in_tiles(engine, channels, 3, 64**3, lambda: None, told.append)
    np.testing.assert_allclose(result, first_channel_thrice(channels), atol=1e-6)
    assert len(engine.passes) > 8
    assert told == sorted(told)
    assert told[-1] == 1.0
