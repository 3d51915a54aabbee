"""Whole heads in random contrasts, for brain extraction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_mmseg.training.export import export_run
from napari_mmseg.training.loop import train
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.whole_head import GRID, draw_whole_head
from napari_mmseg.training.strip import STRIP_RUN, StripBatches, read_heads


@pytest.fixture(scope="module")
def head() -> tuple[np.ndarray, np.ndarray]:
    return read_heads(None)[0]


def test_a_drawn_head_is_scaled_and_holds_a_brain(head: tuple[np.ndarray, np.ndarray]) -> None:
    for seed in range(4):
        image, brain = draw_whole_head(*head, Chance(1, seed))
        assert tuple(image.shape) == (1, *GRID)
        assert tuple(brain.shape) == GRID
        assert torch.isfinite(image).all()
        assert float(image.min()) >= 0
        assert float(image.max()) > 0.5
        assert set(brain.unique().tolist()) == {0, 1}


def test_contrasts_differ_and_the_seed_fixes_them(head: tuple[np.ndarray, np.ndarray]) -> None:
    first, brain = draw_whole_head(*head, Chance(1, 1))
    again, _ = draw_whole_head(*head, Chance(1, 1))
    assert torch.equal(first, again)
    # No threshold finds the brain in all of them: its mean is no fixed share of the head's.
    ratios = []
    for seed in range(8):
        image, brain = draw_whole_head(*head, Chance(2, seed))
        inside, outside = image[0][brain > 0], image[0][(brain == 0) & (image[0] > 0.05)]
        ratios.append(float(inside.mean() / outside.mean()))
    assert min(ratios) < 1.0
    assert max(ratios) > 2.0


def test_a_batch_has_one_channel_and_a_step_repeats() -> None:
    options = TrainOptions(anatomy=None, seed=3, **STRIP_RUN)
    images, brains = StripBatches(options)[5]
    assert tuple(images.shape) == (options.crops, 1, *GRID)
    assert tuple(brains.shape) == (options.crops, *GRID)
    assert torch.equal(images, StripBatches(options)[5][0])


def test_a_run_for_the_brain_is_exported_with_one_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import napari_mmseg.training.simulate.whole_head as whole_head

    monkeypatch.setattr(whole_head, "GRID", (32, 32, 32))
    small = {**STRIP_RUN, "base": 4, "levels": 3}
    options = TrainOptions(
        anatomy=None, name="strip", out=tmp_path, steps=1, worker=False, compile=False, **small
    )
    train(options)
    card = export_run(tmp_path / "strip", tmp_path / "model" / "strip")
    from napari_mmseg.models.card import read_card

    read = read_card(card.parent)
    assert read.regions == ("brain",)
    assert read.network.inputs == 1
