"""Averaging over mirror images."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from stand_ins import FakeEngine, first_channel_thrice, make_case

from napari_mmseg.errors import Cancelled, InputError
from napari_mmseg.inference import Progress, engine, predict
from napari_mmseg.inference.flips import FLIPS, mean_and_spread, mirrored_axes


def ramp(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """An answer that depends on where a voxel lies in the array: 0 to 1 along the last axis."""
    along = np.linspace(0.0, 1.0, channels.shape[-1], dtype=np.float32)
    return np.broadcast_to(along, (3, *channels.shape[1:])).copy()


def test_which_axes_are_mirrored() -> None:
    assert mirrored_axes("none", "IPL") == ((),)
    assert mirrored_axes("left-right", "IPL") == ((), (2,))
    assert mirrored_axes("left-right", "RAS") == ((), (0,))
    assert len(set(mirrored_axes("all", "IPL"))) == 8
    with pytest.raises(InputError, match="'up-down': choose one of none, left-right, all"):
        mirrored_axes("up-down", "IPL")


@settings(deadline=None)
@given(st.sampled_from(FLIPS), st.integers(0, 2**16))
def test_what_does_not_care_for_sides_is_left_as_it_is(flips: str, seed: int) -> None:
    """A network that looks at each voxel alone: the answers lie where they belong, and agree."""
    channels = np.random.default_rng(seed).normal(size=(2, 3, 4, 5)).astype(np.float32)
    mean, spread = mean_and_spread(
        lambda given, begin, end: first_channel_thrice(given), channels, mirrored_axes(flips, "IPL")
    )
    np.testing.assert_allclose(mean, first_channel_thrice(channels), atol=1e-6)
    assert (spread is None) == (flips == "none")
    if spread is not None:
        np.testing.assert_allclose(spread, 0.0, atol=2e-3)


def test_the_mean_and_how_far_the_answers_lie_apart() -> None:
    channels = np.zeros((1, 2, 2, 11), np.float32)
    mean, spread = mean_and_spread(lambda c, begin, end: ramp(c), channels, ((), (2,)))
    np.testing.assert_allclose(mean, 0.5, atol=1e-6)
    assert spread is not None
    # At the ends one answer is 0 and the other 1, in the middle both are 0.5.
    np.testing.assert_allclose(spread[0, 0, 0], np.abs(np.linspace(-1, 1, 11)), atol=1e-5)


@pytest.mark.parametrize(("flips", "passes"), [("none", 1), ("left-right", 2), ("all", 8)])
def test_a_prediction_with_flips(
    flips: str, passes: int, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeEngine(ramp)
    monkeypatch.setattr(engine, "candidates", lambda _device: [("fake", lambda _card: fake)])
    told: list[Progress] = []
    prediction = predict(make_case(), model=tiny_model, flips=flips, progress=told.append)
    assert len(fake.passes) == passes
    assert all(a.fraction <= b.fraction for a, b in pairwise(told))
    assert prediction.provenance.flips == flips
    assert prediction.annotation().provenance.flips == flips
    values = np.unique(prediction.probabilities[0])
    assert (values.size <= 2) == (flips != "none")
    if flips != "none":
        assert set(values) <= {127, 128}
        assert prediction.spread is not None
        assert prediction.spread.shape == prediction.probabilities.shape
        unsure = prediction.uncertainty("WT")[prediction.box]
        assert unsure[0, 0, 0] > unsure[0, 0, unsure.shape[2] // 2]


def test_cancelled_between_two_passes(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    fake = FakeEngine(lambda c: (asked.append(c), ramp(c))[1])
    monkeypatch.setattr(engine, "candidates", lambda _device: [("fake", lambda _card: fake)])
    with pytest.raises(Cancelled):
        predict(make_case(), model=tiny_model, flips="all", cancelled=lambda: len(asked) >= 3)
    assert len(asked) == 3


def test_unknown_flips_are_refused_before_any_work(tiny_model: Path) -> None:
    with pytest.raises(InputError, match="no flips 'both'"):
        predict(make_case(), model=tiny_model, flips="both")
