"""A network's answer fitted to how the tissues of the case look."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift
from stand_ins import FakeEngine, build_model, change_card, make_case

from napari_mmseg._napari.segment_texts import stage_text
from napari_mmseg.errors import Cancelled
from napari_mmseg.inference import Progress, engine, predict
from napari_mmseg.inference.appearance import CAP, adapted, tissues, weighed
from napari_mmseg.models import Card, read_card
from napari_mmseg.models.appearance import Appearance, Sparse
from napari_mmseg.volume import Modality

TOLD: dict[str, Any] = {
    "gaussians": {"outside": 3, "WT": 1, "TC": 1, "ET": 1},
    "weights": {"WT": 0.4, "TC": 0.4, "ET": 0.4},
    "brighter": {
        "ET": [
            {"modality": "T1ce", "percentile": 95},
            {"modality": "T1ce", "minus": "T1", "percentile": 80},
        ]
    },
}
SHAPE = (40, 44, 42)

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_model(tmp_path_factory.mktemp("models") / "tiny", seed=3)
    change_card(folder, appearance=TOLD, peaks={"WT": 0.9})
    return folder


@pytest.fixture
def card(model: Path) -> Card:
    return read_card(model)


def balls(*radii: float, centre: tuple[float, float, float] = (20, 22, 21)) -> NDArray[np.bool_]:
    """(radii, I, P, L): where voxels lie nearer to `centre` than each radius."""
    far = np.sqrt(sum((g - c) ** 2 for g, c in zip(np.indices(SHAPE), centre, strict=True)))
    return np.array([far < radius for radius in radii])


def phantom(
    enhancing: float = 5.0, radii: tuple[float, float, float] = (12, 9, 6)
) -> tuple[NDArray[np.bool_], Floats]:
    """True WT, TC, ET, and four contrasts in which each tissue has its own look."""
    true = balls(*radii)
    depth = true.sum(axis=0)
    looks = np.array(
        [[0, 0, 0, 0], [-0.5, -0.5, 3, 3], [-1, -1, 2, 1], [-0.5, enhancing, 1.5, 1.5]]
    )
    noise = np.random.default_rng(0).normal(size=(4, *SHAPE)) * 0.4
    channels = looks[depth].transpose(3, 0, 1, 2) + noise
    channels[:, ~balls(19)[0]] = 0
    return true, channels.astype(np.float32)


def answer(masks: NDArray[np.bool_], moved: float = 0.0) -> Floats:
    """What a network says that is unsure of edges, and has them in the wrong place."""
    soft = [gaussian_filter(np.where(m, 0.97, 0.01), 1.2) for m in masks]
    placed = [shift(p, (0, moved, 0), order=1, mode="nearest") for p in soft]
    return np.minimum.accumulate(np.array(placed, np.float32), axis=0)


def dice(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


def test_edges_move_to_where_the_images_have_them(card: Card) -> None:
    true, channels = phantom()
    said = answer(true, moved=2.5)
    found = adapted(said, channels, card, lambda: None)
    before = [dice(p >= 0.5, t) for p, t in zip(said, true, strict=True)]
    after = [dice(p >= 0.5, t) for p, t in zip(found, true, strict=True)]
    assert max(before) < 0.85
    assert min(after) > 0.93
    assert (np.diff(found, axis=0) <= 0).all()


def test_what_the_network_misses_by_half_is_found(card: Card) -> None:
    """It sees the middle of the tumour only, and doubts the rest."""
    true, channels = phantom()
    said = 0.65 * answer(balls(9, 7, 5)) + 0.35 * answer(true)
    found = adapted(said.astype(np.float32), channels, card, lambda: None)
    before, after = (dice(p[0] >= 0.5, true[0]) for p in (said, found))
    assert before < 0.7
    assert after > 0.85


def test_what_the_network_doubts_can_teach_less(card: Card) -> None:
    """Oedema that is called core, with doubt: from it, the core's look is learnt wrong."""
    assert card.appearance is not None
    true, channels = phantom()
    said = answer(true)
    said[1] = np.maximum(said[1], 0.6 * said[0])
    found = []
    for power in (1.0, 3.0):
        told = dataclasses.replace(card.appearance, powers=(1.0, power, 1.0))
        found.append(
            adapted(said, channels, dataclasses.replace(card, appearance=told), lambda: None)
        )
    plain, sharp = (dice(p[1] >= 0.5, true[1]) for p in found)
    assert plain < 0.7
    assert sharp > 0.95
    for region in (0, 2):
        np.testing.assert_allclose(found[0][region], found[1][region], atol=1e-6)
    assert (np.diff(found[1], axis=0) <= 0).all()


def test_a_core_that_hardly_enhances_is_judged_in_its_own_way(card: Card) -> None:
    """The network doubts the outer half of the core; so it does oedema beside a ring."""
    assert card.appearance is not None
    outer = answer(balls(12, 9.5, 0.1))[1]

    def cores(
        enhancing_radius: float, missing: tuple[int, ...] = (), **sparse: float
    ) -> NDArray[np.floating]:
        # Core and oedema look alike: what the images say does not settle it.
        true, channels = phantom(radii=(12, 7, enhancing_radius))
        channels[list(missing)] = 0
        said = answer(true)
        said[1] = np.maximum(said[1], 0.4 * outer)
        numbers = {"below": 0.2, "above": 0.4, "offset": 3.0, "power": 1.0} | sparse
        way = {"TC": Sparse(**numbers, seen_in=Modality.T1CE)}
        told = dataclasses.replace(
            card.appearance, weights=(0.4, 0.0, 0.4), sparse=way if sparse else {}
        )
        return adapted(said, channels, dataclasses.replace(card, appearance=told), lambda: None)

    asked = {"offset": 3.0}
    dark, dark_before = cores(2.5, **asked), cores(2.5)
    assert (dark[1] >= 0.5).sum() > 1.5 * (dark_before[1] >= 0.5).sum()
    bright, bright_before = cores(6.0, **asked), cores(6.0)
    np.testing.assert_array_equal(bright, bright_before)
    # Without T1ce nobody knows whether it enhances.
    np.testing.assert_array_equal(cores(2.5, missing=(1,), **asked), cores(2.5, missing=(1,)))
    assert (cores(2.5, missing=(0,), **asked) != cores(2.5, missing=(0,))).any()
    # In between: a mean of both, and nested as they are.
    between = cores(2.5, below=0.0, above=0.1)
    assert ((between <= dark + 1e-6) & (between >= dark_before - 1e-6)).all()
    assert dark_before[1].sum() < between[1].sum() < dark[1].sum()
    assert (np.diff(between, axis=0) <= 0).all()


def test_enhancement_that_is_not_bright_is_not_believed(card: Card) -> None:
    for enhancing, believed in ((5.0, True), (0.2, False)):
        true, channels = phantom(enhancing)
        found = adapted(answer(true), channels, card, lambda: None)
        assert (found[2] >= 0.5).any() == believed
        assert (found[1] >= 0.5).any()
        # It is still there for who asks for less.
        assert (found[2] >= 0.2).any()


def test_bright_dura_and_skull_do_not_outshine_enhancement(card: Card) -> None:
    """They take up the contrast medium too; a tenth of the voxels is enough to set a percentile."""
    true, channels = phantom(radii=(9, 7, 5))
    rim = balls(19)[0] & ~balls(16)[0]
    channels[1][rim] = 9.0
    found = adapted(answer(true), channels, card, lambda: None)
    assert (found[2] >= 0.5).sum() > 0.8 * true[2].sum()


def test_a_brain_that_is_all_rim_is_still_compared_with(card: Card) -> None:
    true, channels = phantom(enhancing=0.2)
    channels[:, ~balls(15)[0]] = 0
    found = adapted(answer(true), channels, card, lambda: None)
    assert not (found[2] >= 0.5).any()


def test_what_is_as_bright_before_the_contrast_medium_does_not_enhance(card: Card) -> None:
    """Blood: bright on T1ce, and on T1 by more."""
    for bright_on_t1, believed in ((False, True), (True, False)):
        true, channels = phantom()
        if bright_on_t1:
            channels[0][true[2]] = channels[1][true[2]] + 1.0
        found = adapted(answer(true), channels, card, lambda: None)
        assert (found[2] >= 0.5).any() == believed


@pytest.mark.parametrize(("sure", "believed"), [(None, False), (0.95, False), (0.5, True)])
def test_what_the_network_is_sure_of_need_not_be_bright(
    sure: float | None, believed: bool, card: Card
) -> None:
    assert card.appearance is not None
    told = dataclasses.replace(card.appearance, sure={} if sure is None else {"ET": sure})
    true, channels = phantom(enhancing=0.2)
    said = answer(true)
    found = adapted(said, channels, dataclasses.replace(card, appearance=told), lambda: None)
    assert (found[2] >= 0.5).any() == believed


def test_a_piece_that_the_network_nowhere_believes_in_is_not_made_by_the_images(card: Card) -> None:
    true, channels = phantom()
    island = balls(3, centre=(20, 22, 5))[0]
    channels[:, island] = channels[:, true[0] & ~true[1]].mean(axis=1)[:, None]
    said = answer(true)
    said[0][island] = 0.45
    found = adapted(said, channels, card, lambda: None)
    assert not (found[0][island] >= 0.5).any()
    assert (found[0][true[1]] >= 0.5).all()


@pytest.mark.parametrize("left_out", [(0,), (1,), (2, 3), (0, 1, 2)])
def test_missing_modalities_tell_nothing(left_out: tuple[int, ...], card: Card) -> None:
    true, channels = phantom()
    channels[list(left_out)] = 0
    found = adapted(answer(true), channels, card, lambda: None)
    assert np.isfinite(found).all()
    assert dice(found[0] >= 0.5, true[0]) > 0.8


def test_without_a_lesion_or_the_cards_word_the_answer_stays(card: Card) -> None:
    true, channels = phantom()
    faint = 0.4 * answer(true)
    assert adapted(faint, channels, card, lambda: None) is faint
    silent = dataclasses.replace(card, appearance=None)
    said = answer(true, 2.0)
    assert adapted(said, channels, silent, lambda: None) is said


def test_a_cancelled_job_stops_between_the_steps(card: Card) -> None:
    true, channels = phantom()

    def stop() -> None:
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        adapted(answer(true), channels, card, stop)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**16), st.floats(0, 1), st.floats(-2, 2))
def test_weighing_keeps_nesting_and_bounds(seed: int, weight: float, offset: float) -> None:
    generator = np.random.default_rng(seed)
    nested = np.sort(generator.uniform(size=(3, 60)), axis=0)[::-1].astype(np.float32)
    likelihoods = generator.uniform(-20, 0, size=(4, 60)).astype(np.float32)
    told = Appearance((1, 1, 1, 1), (weight,) * 3, (offset,) * 3, (1.0,) * 3, {})
    found = weighed(tissues(nested), likelihoods, told)
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    assert (np.diff(found, axis=0) <= 1e-6).all()
    # Looks move the outermost region's logit by no more than the cap.
    logit = np.log(np.clip(nested[0], 1e-4, 1 - 1e-4) / (1 - np.clip(nested[0], 1e-4, 1 - 1e-4)))
    moved = np.log(np.clip(found[0], 1e-7, 1 - 1e-7) / (1 - np.clip(found[0], 1e-7, 1 - 1e-7)))
    inside = (nested[0] > 1e-3) & (nested[0] < 1 - 1e-3) & (np.abs(moved) < 12)
    assert (np.abs(moved - logit - offset)[inside] <= CAP + 0.05).all()


def test_likelihoods_alike_leave_the_answer() -> None:
    """Looks that tell nothing: region by region, the network's own numbers."""
    nested = np.array([[0.9, 0.6, 0.2], [0.7, 0.3, 0.1], [0.2, 0.2, 0.05]], np.float32)
    told = Appearance((1, 1, 1, 1), (1.0,) * 3, (0.0,) * 3, (1.0,) * 3, {})
    found = weighed(tissues(nested), np.zeros((4, 3), np.float32), told)
    assert found == pytest.approx(nested, abs=0.02)  # tissues below 0.01 count as 0.01


def test_a_prediction_says_whether_it_was_fitted(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(channels: Floats) -> Floats:
        whole = np.zeros((3, *channels.shape[1:]), np.float32)
        whole[:, 4:16, 4:16, 4:16] = 0.95
        return whole

    fake = FakeEngine(say)
    monkeypatch.setattr(engine, "candidates", lambda _device: [("fake", lambda _card: fake)])
    case = make_case()
    for adapt in (True, False):
        told: list[Progress] = []
        prediction = predict(case, model=model, adapt=adapt, progress=told.append)
        assert ("adapt" in [p.stage for p in told]) is adapt
        assert all(stage_text(p.stage) != p.stage.capitalize() for p in told[:-1])
        assert all(a.fraction <= b.fraction for a, b in pairwise(told))
        assert prediction.provenance.adapted is adapt
        assert prediction.annotation().provenance.adapted is adapt
        assert ("adapt" in prediction.seconds) is adapt
    assert prediction.calibration is None
    plain = prediction.probability("WT")
    assert set(np.unique(plain)) <= {np.float32(0), np.float32(242 / 255)}
