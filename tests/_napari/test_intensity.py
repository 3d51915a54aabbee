"""Windows and the subtraction image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg._napari.intensity import (
    background_value,
    subtraction,
    subtraction_window,
    window,
)

RNG = np.random.default_rng(0)


def head(background: float = 0.0, level: float = 500.0) -> np.ndarray:
    array = np.full((24, 30, 26), background, dtype=np.float32)
    array[4:20, 4:26, 4:22] = RNG.normal(level, 40, (16, 22, 18))
    return array


@pytest.mark.parametrize("background", [0.0, -1.5, -1000.0])
def test_the_window_is_that_of_the_brain_whatever_the_background(background: float) -> None:
    array = head(background)
    low, high = window(array)
    assert 350 < low < 450
    assert 580 < high < 700


def test_a_few_very_bright_voxels_do_not_darken_the_rest() -> None:
    array = head()
    array[10, 10, 10:13] = 30000
    assert window(array)[1] < 1000


@given(st.floats(-1e4, 1e4, width=32))
@settings(max_examples=20, deadline=None)
def test_a_window_has_a_width_even_for_a_constant_image(value: float) -> None:
    low, high = window(np.full((5, 6, 7), value, dtype=np.float32))
    assert low < high


def test_background_is_what_most_corners_show() -> None:
    array = head(-3.0)
    array[0, 0, 0] = 99
    assert background_value(array) == -3.0


def test_a_large_volume_is_windowed_from_a_sample() -> None:
    array = np.zeros((150, 240, 240), dtype=np.int16)
    array[20:130, 30:210, 30:210] = RNG.integers(100, 300, (110, 180, 180), dtype=np.int16)
    low, high = window(array)
    assert (100 <= low <= 105, 295 <= high <= 300) == (True, True)


@given(st.floats(0.1, 50), st.floats(-200, 200))
@settings(max_examples=20, deadline=None)
def test_subtraction_forgets_the_scale_of_t1(gain: float, offset: float) -> None:
    t1 = head()
    t1ce = t1.copy()
    t1ce[8:11, 8:11, 8:11] += 300
    scaled = np.where(t1 == 0, 0, t1 * np.float32(gain) + np.float32(offset) + 1e4)
    difference = subtraction(t1ce, scaled.astype(np.float32))
    assert difference[9, 9, 9] == pytest.approx(300, abs=15)
    assert abs(float(np.median(difference[t1 != 0]))) < 10
    assert not difference[t1 == 0].any()


def test_the_subtraction_window_makes_enhancement_bright() -> None:
    difference = subtraction(head() + np.float32(0), head())
    difference[8:12, 8:12, 8:12] = 400
    low, high = subtraction_window(difference)
    assert low < 100
    assert high > 100
