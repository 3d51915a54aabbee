"""Rescaling against torch's interpolation, and what it must keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.inference.rescale import rescale


def test_enlarging_is_torchs_trilinear_interpolation() -> None:
    import torch
    from torch.nn.functional import interpolate

    array = np.random.default_rng(0).normal(size=(5, 7, 6)).astype(np.float32)
    expected = interpolate(
        torch.from_numpy(array)[None, None], (9, 16, 6), mode="trilinear", align_corners=False
    )
    np.testing.assert_allclose(rescale(array, (9, 16, 6)), expected[0, 0].numpy(), atol=1e-5)


def test_shrinking_is_torchs_antialiased_interpolation_away_from_borders() -> None:
    import torch
    from torch.nn.functional import interpolate

    array = np.random.default_rng(1).normal(size=(1, 40, 36)).astype(np.float32)
    expected = interpolate(
        torch.from_numpy(array)[None],
        (17, 12),
        mode="bilinear",
        align_corners=False,
        antialias=True,
    )
    ours = rescale(array, (1, 17, 12))[0]
    np.testing.assert_allclose(ours[2:-2, 2:-2], expected[0, 0].numpy()[2:-2, 2:-2], atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.integers(1, 20)] * 3), st.tuples(*[st.integers(1, 20)] * 3))
def test_a_constant_stays_and_nothing_overshoots(
    old: tuple[int, int, int], new: tuple[int, int, int]
) -> None:
    np.testing.assert_allclose(rescale(np.full(old, 3.5, np.float32), new), 3.5, rtol=1e-5)
    noise = np.random.default_rng(0).random(old, dtype=np.float32)
    result = rescale(noise, new)
    assert result.shape == new
    assert result.min() >= noise.min() - 1e-5
    assert result.max() <= noise.max() + 1e-5


@pytest.mark.parametrize("new", [(12, 24, 24), (48, 12, 40)])
def test_a_position_stays_where_it_is(new: tuple[int, int, int]) -> None:
    """The centre of mass of a blob, in shares of the box, is the same before and after."""
    old = (24, 24, 24)
    where = np.indices(old).astype(np.float32)
    centre = np.array([9.0, 13.0, 14.5])
    blob = np.exp(-((where - centre[:, None, None, None]) ** 2).sum(0) / 18).astype(np.float32)
    result = rescale(blob, new)
    found = np.array([(result * a).sum() / result.sum() for a in np.indices(new)])
    np.testing.assert_allclose((found + 0.5) / new, (centre + 0.5) / old, atol=0.01)
