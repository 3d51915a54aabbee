"""Making probabilities of a network's numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from napari_mmseg.errors import ModelError
from napari_mmseg.inference.engine import Check, Engine
from napari_mmseg.models import Curve, read_card
from napari_mmseg.models.calibration import expected_dice
from napari_mmseg.training import calibrate as module
from napari_mmseg.training.calibrate import Seen, calibration_error, counted, fit_curve, fitted

RAW = np.arange(256) / 255
REGIONS = ("WT", "TC", "ET")
SHIPPED = Path(module.__file__).parents[1] / "models" / "weights" / "simulated"


def levels_of(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Mostly sure numbers, as networks give them."""
    return (255 * rng.beta(0.15, 0.3, count)).astype(np.uint8)


def seen(rng: np.random.Generator, truth: Curve, count: int = 200_000) -> Seen:
    """A case in which the chance of being in the region is what `truth` says of each level."""
    levels = levels_of(rng, count)
    true = rng.random(count) < truth.levels()[levels]
    mask = levels >= 128
    by_level = [np.bincount(levels[m], minlength=256) for m in (mask | True, true, mask)]
    dice = 2 * np.count_nonzero(mask & true) / (mask.sum() + true.sum())
    return Seen(by_level[0], by_level[1], by_level[0], by_level[1], by_level[2], float(dice))


@settings(deadline=None, max_examples=10)
@given(st.floats(0.3, 2.0), st.floats(-3.0, 3.0), st.integers(0, 1000))
def test_the_curve_that_made_the_cases_is_found_again(
    slope: float, intercept: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    cases = [seen(rng, Curve(slope, intercept)) for _ in range(2)]
    found = fit_curve(cases, "WT")
    assert found.slope == pytest.approx(slope, abs=0.05)
    assert found.intercept == pytest.approx(intercept, abs=0.1)
    assert calibration_error([(case, found.levels()) for case in cases]) < 0.01


def test_the_error_is_that_of_an_independent_reckoning() -> None:
    rng = np.random.default_rng(0)
    case = seen(rng, Curve(0.5, -1.0))
    bins = np.minimum((RAW * 15).astype(int), 14)
    expected = 0.0
    for number in range(15):
        n = case.near[bins == number].sum()
        share = case.near_true[bins == number].sum() / n
        confidence = (case.near * RAW)[bins == number].sum() / n
        expected += n / case.near.sum() * abs(share - confidence)
    assert calibration_error([(case, RAW)]) == pytest.approx(expected)
    assert expected > 0.05


def test_cases_are_judged_by_curves_that_have_not_seen_them() -> None:
    """Every third case is made otherwise: its own curve would fit it, the others' does not."""
    rng = np.random.default_rng(1)
    odd, usual = Curve(1.0, -3.0), Curve(1.0, 0.0)
    cases = [{"WT": seen(rng, odd if n % 3 == 0 else usual, 50_000)} for n in range(6)]
    apart = fitted(cases, ("WT",), turns=3)["ece"]["after"]["WT"]
    alike = fitted([{"WT": seen(rng, usual, 50_000)} for _ in range(6)], ("WT",), turns=3)
    assert alike["ece"]["after"]["WT"] < 0.02 < apart


def test_the_expected_dice_of_independent_errors_is_the_true_one() -> None:
    rng = np.random.default_rng(2)
    told = fitted([{"WT": seen(rng, Curve(0.6, -1.0))} for _ in range(6)], ("WT",), turns=3)
    assert told["expected_dice"]["cases"] == {"WT": 6}
    assert told["expected_dice"]["mean_absolute_error"]["WT"] < 0.01


def test_a_network_that_knows_nothing_is_refused() -> None:
    rng = np.random.default_rng(3)
    levels = levels_of(rng, 10_000)
    everywhere = np.bincount(levels, minlength=256)
    nothing = np.zeros(256, np.int64)
    with pytest.raises(ModelError, match="tells nothing about ET"):
        fit_curve([Seen(everywhere, nothing, everywhere, nothing, nothing, None)], "ET")
    backwards = np.bincount(255 - levels, minlength=256)
    both = everywhere + backwards
    with pytest.raises(ModelError, match="tells nothing about ET"):
        fit_curve([Seen(both, everywhere, both, everywhere, nothing, None)], "ET")


Run = Callable[[NDArray[np.float32], Check], NDArray[np.float32]]


def answering(run: Run) -> Engine:
    """An engine that answers with `run`."""
    return cast(Engine, SimpleNamespace(run=run))


@pytest.mark.parametrize(("looks", "passes"), [("single", 1), ("mirrored", 2), ("thorough", 5)])
def test_the_case_is_looked_at_as_the_card_says(looks: str, passes: int) -> None:
    shown: list[NDArray[np.float32]] = []

    def predict(volumes: NDArray[np.float32], _check: Check) -> NDArray[np.float32]:
        shown.append(volumes)
        return np.zeros((3, *volumes.shape[1:]), np.float32)

    card = replace(read_card(SHIPPED), looks=looks)
    module.predicted(card, answering(predict), np.ones((4, 20, 24, 28), np.float32))
    assert len(shown) == passes


def test_voxels_are_counted_near_proposal_and_reference() -> None:
    """Ball proposed, ball true, 5 mm round both; the numbers from distances."""
    card = replace(read_card(SHIPPED), looks="single")
    axes = np.meshgrid(*[np.arange(40)] * 3, indexing="ij")

    def far(centre: int) -> NDArray[np.float64]:
        return np.sqrt(sum((a - c) ** 2 for a, c in zip(axes, (centre, 20, 20), strict=True)))

    depth = (far(22) <= 8).astype(np.uint8) * 3

    def predict(volumes: NDArray[np.float32], _check: Check) -> NDArray[np.float32]:
        assert all(side % card.stride == 0 for side in volumes.shape[1:])
        found = np.zeros((3, *volumes.shape[1:]), np.float32)
        found[:, :40, :40, :40] = np.where(far(18) <= 8, 0.95, 0.0)
        return found

    prediction = module.predicted(card, answering(predict), np.zeros((4, 40, 40, 40), np.float32))
    found = counted(prediction, depth)["WT"]
    assert found.everywhere.sum() == 40**3
    assert found.everywhere_true.sum() == (far(22) <= 8).sum()
    assert found.marked.sum() == (far(18) <= 8).sum()
    assert found.marked[:242].sum() == 0
    either = (far(22) <= 8) | (far(18) <= 8)
    assert found.near.sum() == (distance_transform_edt(~either) <= module.NEAR_MM).sum()
    overlap = ((far(22) <= 8) & (far(18) <= 8)).sum()
    assert found.dice == pytest.approx(2 * overlap / (found.marked.sum() + (depth > 0).sum()))


def test_the_card_is_written_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_mmseg.inference.openvino import OpenVinoEngine

    folder = shutil.copytree(SHIPPED, tmp_path / "model")
    before = json.loads((folder / "card.json").read_text())
    rng = np.random.default_rng(4)

    def cases(heads: object, count: int, seed: int) -> list[tuple[object, NDArray[np.uint8]]]:
        made = []
        for _ in range(count):
            depth = np.zeros((32, 32, 32), np.uint8)
            low = rng.integers(8, 12)
            depth[low : low + 10, 10:20, 10:20] = 3
            made.append((np.zeros((4, 32, 32, 32), np.float32), depth))
        made[0][1][:] = 0
        return made

    def answer(engine: object, volumes: NDArray[np.float32], check: object) -> NDArray[np.float32]:
        found = np.zeros((3, *volumes.shape[1:]), np.float32)
        found[:, 10:20, 10:20, 10:20] = 0.9
        found += rng.random(found.shape).astype(np.float32) * 0.05
        return found

    monkeypatch.setattr(module, "held_out_heads", lambda folder: [None] * 3)
    monkeypatch.setattr(module, "shifted_cases", cases)
    monkeypatch.setattr(OpenVinoEngine, "run", answer)
    told = module.calibrate(folder, tmp_path, cases=7)
    after = json.loads((folder / "card.json").read_text())
    assert after.pop("calibration") == json.loads(json.dumps(told))
    before.pop("calibration", None)
    assert after == before
    calibration = read_card(folder).calibration
    assert calibration is not None
    assert set(calibration.curves) == set(REGIONS)
    assert set(calibration.dice_error) == set(REGIONS)
    for region in REGIONS:
        assert 0 <= told["ece"]["after"][region] < 1
        assert told["expected_dice"]["cases"][region] == 7
    assert told["cases"] == 7
    assert not list(folder.glob("*.tmp"))


def test_expected_dice_by_hand() -> None:
    meaning = np.zeros(256)
    meaning[200], meaning[100] = 0.8, 0.25
    everywhere, marked = np.zeros(256, np.int64), np.zeros(256, np.int64)
    everywhere[[0, 100, 200]] = 1000, 40, 50
    marked[200] = 50
    assert expected_dice(marked, everywhere, meaning) == pytest.approx(2 * 40 / (40 + 10 + 50))
