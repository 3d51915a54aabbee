"""The quick look on coarser voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from stand_ins import FakeEngine, first_channel_thrice, head, make_case

from napari_mmseg.errors import Cancelled
from napari_mmseg.inference import Prediction, Progress, engine, predict
from napari_mmseg.inference.preview import coarse_shape, quick_look

NAMES = ("T1", "T1ce", "T2", "FLAIR")
SIDES = st.integers(1, 20)


@settings(deadline=None)
@given(st.tuples(SIDES, SIDES, SIDES), st.sampled_from([4, 8, 16]), st.integers(10_000, 2_000_000))
def test_the_grid_is_whole_strides_and_within_the_limit(
    strides: tuple[int, int, int], stride: int, most: int
) -> None:
    shape = tuple(n * stride for n in strides)
    sides = coarse_shape(shape, stride, most)
    assert all(n % stride == 0 and 0 < n <= m for n, m in zip(sides, shape, strict=True))
    assert np.prod(sides) <= max(most, (2 * stride) ** 3)
    if np.prod(shape) <= most:
        assert sides == shape


def test_voxels_stay_about_cubic() -> None:
    sides = coarse_shape((144, 192, 160), 16)
    edges = [n / m for n, m in zip((144, 192, 160), sides, strict=True)]
    assert max(edges) / min(edges) < 1.2
    assert np.prod(sides) > 800_000  # no coarser than it has to be


def test_what_is_seen_coarsely_lies_where_it_belongs() -> None:
    axes = np.meshgrid(*(np.arange(n) for n in (96, 128, 112)), indexing="ij")
    far = np.sqrt(sum((a - c) ** 2 for a, c in zip(axes, (30, 80, 60), strict=True)))
    ball = np.where(far < 20, 4.0, -4.0).astype(np.float32)
    shapes: list[tuple[int, ...]] = []

    def run(channels: NDArray[np.float32]) -> NDArray[np.float32]:
        shapes.append(channels.shape)
        return first_channel_thrice(channels)

    found = quick_look(run, ball[None], 16)
    assert found.shape == (3, 96, 128, 112)
    assert shapes[0][1:] != found.shape[1:]
    seen = found[0] >= 0.5
    dice = 2 * (seen & (far < 20)).sum() / (seen.sum() + (far < 20).sum())
    assert dice > 0.97


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that the small heads of the tests go over."""
    for module in ("run", "preview"):
        monkeypatch.setattr(
            f"napari_mmseg.inference.{module}.coarse_shape",
            lambda shape, stride, most=0: coarse_shape(shape, stride, most=8_000),
        )


@pytest.mark.usefixtures("small_limit")
def test_the_preview_comes_first_and_the_result_is_not_touched_by_it(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeEngine(first_channel_thrice, device="cpu")
    monkeypatch.setattr(engine, "candidates", lambda _device: [("fake", lambda _card: fake)])
    case = make_case(arrays=dict.fromkeys(NAMES, head((40, 48, 44))))
    events: list[str] = []
    seen: list[Prediction] = []
    told: list[Progress] = []

    def show(prediction: Prediction) -> None:
        seen.append(prediction)
        events.append(f"preview after {len(fake.passes)}")

    result = predict(case, model=tiny_model, preview=show, progress=told.append)
    assert events == ["preview after 1"]
    coarse, full = fake.passes
    assert np.prod(coarse) < np.prod(full)
    assert seen[0].grid == result.grid
    assert seen[0].box == result.box
    assert result.seconds["preview"] > 0
    fractions = [p.fraction for p in told]
    assert fractions == sorted(fractions)
    without = predict(case, model=tiny_model)
    np.testing.assert_array_equal(result.probabilities, without.probabilities)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_no_preview_where_the_result_is_as_quick(
    device: str, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a graphics card, and for a head so small that nothing is coarser."""
    fake = FakeEngine(first_channel_thrice, device=device)
    monkeypatch.setattr(engine, "candidates", lambda _device: [("fake", lambda _card: fake)])
    predict(make_case(), model=tiny_model, preview=lambda _: pytest.fail("there was a preview"))
    assert len(fake.passes) == 1


@pytest.mark.usefixtures("small_limit")
def test_cancelled_while_the_preview_is_looked_at(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeEngine(first_channel_thrice, device="cpu")
    monkeypatch.setattr(engine, "candidates", lambda _device: [("fake", lambda _card: fake)])
    seen: list[Prediction] = []
    case = make_case(arrays=dict.fromkeys(NAMES, head((40, 48, 44))))
    with pytest.raises(Cancelled):
        predict(case, model=tiny_model, preview=seen.append, cancelled=lambda: bool(seen))
    assert len(seen) == 1
