"""Several looks at one case, and the mean of the answers."""

from __future__ import annotations

from dataclasses import replace
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
from napari_mmseg.inference import Progress, engine, predict, run
from napari_mmseg.inference.looks import Look, Pass, Voice, looks_named, mean_and_spread, outermost
from napari_mmseg.models import load_card
from napari_mmseg.models.card import LOOKS
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import Modality

ALL = tuple(Modality)
TWO = (Modality.T2, Modality.FLAIR)
PLAIN, MIRRORED = Look(), Look(mirrored=(2,))


def ramp(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """An answer that depends on where a voxel lies in the array: 0 to 1 along the last axis."""
    along = np.linspace(0.0, 1.0, channels.shape[-1], dtype=np.float32)
    return np.broadcast_to(along, (3, *channels.shape[1:])).copy()


def share_shown(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """How many of the channels are there, as the number of every region."""
    share = np.mean([float(channel.any()) for channel in channels])
    return np.full((3, *channels.shape[1:]), share, np.float32)


def alone(run: Pass) -> list[Voice]:
    """A model of one network."""
    return [Voice(run, 1.0)]


@pytest.fixture
def ramp_engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine(ramp)
    monkeypatch.setattr(engine, "candidates", lambda _device: [("fake", lambda _card: fake)])
    return fake


def test_what_is_looked_at() -> None:
    assert looks_named("single", "IPL", ALL) == (PLAIN,)
    assert looks_named("mirrored", "IPL", ALL) == (PLAIN, MIRRORED)
    assert looks_named("mirrored", "RAS", ALL) == (PLAIN, Look(mirrored=(0,)))
    without_one = tuple(Look(without=n) for n, m in enumerate(ALL) if m is not Modality.T1)
    assert looks_named("thorough", "IPL", ALL) == (PLAIN, MIRRORED, *without_one)
    assert len(without_one) == 3
    with pytest.raises(InputError, match="'twice': choose one of single, mirrored, thorough"):
        looks_named("twice", "IPL", ALL)


def test_which_regions_are_outermost() -> None:
    protocol = load_protocol()
    assert outermost(("WT", "TC", "ET"), protocol) == (0,)
    assert outermost(("ET", "TC"), protocol) == (1,)
    assert outermost((), protocol) == ()


@settings(deadline=None)
@given(st.sampled_from(LOOKS[:2]), st.integers(0, 2**16))
def test_what_does_not_care_for_sides_is_left_as_it_is(looks: str, seed: int) -> None:
    """A network that looks at each voxel alone: the answers lie where they belong, and agree."""
    channels = np.random.default_rng(seed).normal(size=(2, 3, 4, 5)).astype(np.float32)
    before = channels.copy()
    mean, spread = mean_and_spread(
        alone(lambda given, begin, end: first_channel_thrice(given)),
        channels,
        looks_named(looks, "IPL", TWO),
        outer=(0,),
        stride=1,
    )
    np.testing.assert_allclose(mean, first_channel_thrice(channels), atol=1e-6)
    np.testing.assert_array_equal(channels, before)
    assert (spread is None) == (looks == "single")
    if spread is not None:
        np.testing.assert_allclose(spread, 0.0, atol=2e-3)


def test_the_mean_and_how_far_the_answers_lie_apart() -> None:
    channels = np.zeros((1, 2, 2, 11), np.float32)
    mean, spread = mean_and_spread(
        alone(lambda c, begin, end: ramp(c)), channels, (PLAIN, MIRRORED), (0,), 1
    )
    np.testing.assert_allclose(mean, 0.5, atol=1e-6)
    assert spread is not None
    # At the ends one answer is 0 and the other 1, in the middle both are 0.5.
    np.testing.assert_allclose(spread[0, 0, 0], np.abs(np.linspace(-1, 1, 11)), atol=1e-5)


def test_looks_without_a_contrast_count_for_the_outermost_region_alone() -> None:
    channels = np.ones((4, 2, 3, 4), np.float32)
    before = channels.copy()
    mean, spread = mean_and_spread(
        alone(lambda c, begin, end: share_shown(c)),
        channels,
        looks_named("thorough", "IPL", ALL),
        (0,),
        1,
    )
    np.testing.assert_array_equal(channels, before)
    answers = 6 * [1.0] + 3 * [0.75]  # those of all contrasts count three times
    np.testing.assert_allclose(mean[0], np.mean(answers), rtol=1e-6)
    np.testing.assert_allclose(mean[1:], 1.0)
    assert spread is not None
    np.testing.assert_allclose(spread[0], 2 * np.std(answers), rtol=1e-5)
    np.testing.assert_allclose(spread[1:], 0.0)


def test_a_contrast_is_left_out_on_coarser_voxels() -> None:
    channels = np.ones((2, 112, 112, 96), np.float32)
    shown: list[NDArray[np.float32]] = []
    shares: list[tuple[float, float]] = []

    def answer(given: NDArray[np.float32], begin: float, end: float) -> NDArray[np.float32]:
        shown.append(given)
        shares.append((begin, end))
        return share_shown(given)

    looks = looks_named("thorough", "IPL", TWO)
    mean, _ = mean_and_spread(alone(answer), channels, looks, (0,), 16)
    assert mean.shape == (3, 112, 112, 96)
    sizes = [given.size for given in shown]
    assert sizes[0] == sizes[1] == channels.size
    assert max(sizes[2:]) < 0.9 * channels.size
    assert [given.any(axis=(1, 2, 3)).tolist() for given in shown[2:]] == [
        [False, True], [True, False]
    ]  # fmt: skip
    # A coarse pass takes a third of the share of a fine one.
    np.testing.assert_allclose(shares, [(0, 0.375), (0.375, 0.75), (0.75, 0.875), (0.875, 1)])


def test_members_take_the_mirrored_look() -> None:
    channels = np.ones((4, 2, 3, 4), np.float32)
    shown: list[tuple[str, int]] = []
    spans: list[tuple[float, float]] = []

    def voice(name: str, number: float, share: float) -> Voice:
        def run(given: NDArray[np.float32], begin: float, end: float) -> NDArray[np.float32]:
            shown.append((name, int(given.any(axis=(1, 2, 3)).sum())))
            spans.append((begin, end))
            return np.full((3, *given.shape[1:]), number, np.float32)

        return Voice(run, share)

    voices = [voice("own", 0.9, 0.5), voice("b", 0.5, 0.3), voice("c", 0.1, 0.2)]
    mean, spread = mean_and_spread(voices, channels, looks_named("thorough", "IPL", ALL), (0,), 1)
    assert shown == [("own", 4), ("b", 4), ("c", 4), *3 * [("own", 3), ("b", 3), ("c", 3)]]
    assert spans[0][0] == 0.0
    assert spans[-1][1] == 1.0
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    whole = [0.9, 0.5, 0.1]
    np.testing.assert_allclose(mean[1:], np.average(whole, weights=[0.5, 0.3, 0.2]), rtol=1e-6)
    middle = mean[0, 0, 0, 0]
    np.testing.assert_allclose(middle, mean[1, 0, 0, 0], rtol=1e-6)  # no contrast matters here
    assert spread is not None
    away = (np.array(whole) - middle) ** 2
    apart = 2 * np.sqrt(np.average(away, weights=[0.5, 0.3, 0.2]))
    np.testing.assert_allclose(spread, apart, rtol=1e-5)


def test_of_one_look_all_networks_take_it() -> None:
    shown: list[NDArray[np.float32]] = []

    def answer(given: NDArray[np.float32], begin: float, end: float) -> NDArray[np.float32]:
        shown.append(given)
        return np.full((3, *given.shape[1:]), float(len(shown)), np.float32)

    channels = np.random.default_rng(1).normal(size=(4, 2, 3, 4)).astype(np.float32)
    voices = [Voice(answer, 0.75), Voice(answer, 0.25)]
    mean, spread = mean_and_spread(voices, channels, (PLAIN,), (0,), 1)
    for image in shown:
        np.testing.assert_array_equal(image, channels)
    np.testing.assert_allclose(mean, 1.25)
    assert spread is not None


@pytest.mark.parametrize(("looks", "passes"), [("single", 1), ("mirrored", 2), ("thorough", 5)])
def test_a_prediction_of_several_looks(
    looks: str, passes: int, tiny_model: Path, ramp_engine: FakeEngine
) -> None:
    told: list[Progress] = []
    prediction = predict(make_case(), model=tiny_model, looks=looks, progress=told.append)
    assert len(ramp_engine.passes) == passes
    assert all(a.fraction <= b.fraction for a, b in pairwise(told))
    assert prediction.provenance.looks == looks
    assert prediction.annotation().provenance.looks == looks
    # The mean of a ramp and its mirror image is even; WT, seen oftener unmirrored, still rises.
    assert (prediction.probabilities[1].max() <= 128) == (looks != "single")
    assert (np.unique(prediction.probabilities[0]).size <= 2) == (looks == "mirrored")
    assert (prediction.spread is None) == (looks == "single")
    if prediction.spread is not None:
        assert prediction.spread.shape == prediction.probabilities.shape
        apart = prediction.spread[0]
        assert apart[0, 0, 0] > apart[0, 0, apart.shape[2] // 2]


def test_the_card_says_how_often_unless_asked_otherwise(
    tiny_model: Path, ramp_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = replace(load_card(tiny_model), looks="mirrored")
    monkeypatch.setattr(run, "load_card", lambda _model: card)
    assert predict(make_case(), model=tiny_model).provenance.looks == "mirrored"
    assert len(ramp_engine.passes) == 2
    assert predict(make_case(), model=tiny_model, looks="single").provenance.looks == "single"
    assert len(ramp_engine.passes) == 3


def test_where_a_contrast_is_missing_no_other_is_left_out(
    tiny_model: Path, ramp_engine: FakeEngine
) -> None:
    case = make_case(modalities=(Modality.T1, Modality.T2, Modality.FLAIR))
    prediction = predict(case, model=tiny_model, looks="thorough")
    assert len(ramp_engine.passes) == 2
    assert prediction.provenance.looks == "mirrored"
    assert any("not without any of the others" in said for said in prediction.warnings)


def test_cancelled_between_two_passes(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    fake = FakeEngine(lambda c: (asked.append(c), ramp(c))[1])
    monkeypatch.setattr(engine, "candidates", lambda _device: [("fake", lambda _card: fake)])
    with pytest.raises(Cancelled):
        predict(make_case(), model=tiny_model, looks="thorough", cancelled=lambda: len(asked) >= 3)
    assert len(asked) == 3


def test_unknown_looks_are_refused_before_any_work(tiny_model: Path) -> None:
    with pytest.raises(InputError, match="no looks 'both'"):
        predict(make_case(), model=tiny_model, looks="both")
