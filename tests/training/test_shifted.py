"""The differently simulated cases that models are chosen by."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import procedural_head
from napari_mmseg.training.simulate.case import Geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.physics import draw_signals
from napari_mmseg.training.simulate.shifted import shifted_case
from napari_mmseg.training.validate import mean_dice

T1, T1CE, T2, FLAIR = range(4)
HEAD = procedural_head(1, 64)
DRAWS = 100

Labelled = tuple[Geometry, NDArray[np.float32]]


@pytest.fixture(scope="module")
def cases() -> list[Labelled]:
    return [shifted_case(HEAD, Chance(3, number)) for number in range(4)]


@pytest.fixture(scope="module")
def signals() -> tuple[torch.Tensor, torch.Tensor]:
    drawn = [draw_signals(Chance(4, number)) for number in range(DRAWS)]
    return torch.stack([d[0] for d in drawn]), torch.stack([d[1] for d in drawn])


def test_sequences_give_the_contrasts_that_radiologists_know(
    signals: tuple[torch.Tensor, torch.Tensor],
) -> None:
    tissue, lesion = signals
    white, cortex = tissue[:, :, t.WHITE], tissue[:, :, t.CORTEX]
    fluid = tissue[:, :, t.VENTRICLE]
    assert (cortex[:, T1] < white[:, T1]).all()
    assert (fluid[:, T1] < cortex[:, T1]).all()
    assert (fluid[:, T2] > cortex[:, T2]).all()
    assert (fluid[:, FLAIR] < 0.5 * white[:, FLAIR]).float().mean() > 0.95
    assert (lesion[:, FLAIR, t.OEDEMA] > white[:, FLAIR]).all()
    assert (lesion[:, T2, t.OEDEMA] > white[:, T2]).all()
    assert (lesion[:, T1CE, t.ENHANCING] > lesion[:, T1, t.ENHANCING]).all()


def test_the_same_seed_gives_the_same_case_and_another_one_another() -> None:
    first, images = shifted_case(HEAD, Chance(8, 1))
    again, same = shifted_case(HEAD, Chance(8, 1))
    other, _ = shifted_case(HEAD, Chance(8, 2))
    assert torch.equal(first.lesion, again.lesion)
    assert np.array_equal(images, same)
    assert first.lesion.shape != other.lesion.shape or not torch.equal(first.lesion, other.lesion)


def test_images_are_normalised_and_zero_outside_the_brain(cases: list[Labelled]) -> None:
    for case, images in cases:
        inside = (case.tissue != t.OUTSIDE).numpy()
        assert images.shape == (4, *case.shape)
        assert np.isfinite(images).all()
        assert not images[:, ~inside].any()
        assert np.abs(np.median(images[:, inside], axis=1)).max() < 0.1


def test_tumours_lie_inside_the_brain_and_out_of_the_ventricles(cases: list[Labelled]) -> None:
    assert any(case.depth().any() for case, _ in cases)
    for case, _ in cases:
        ill = case.depth() > 0
        assert not (ill & (case.tissue == t.OUTSIDE).numpy()).any()
        assert not (ill & (case.tissue == t.VENTRICLE).numpy()).any()


def test_a_perfect_prediction_scores_one_and_an_empty_one_nought(cases: list[Labelled]) -> None:
    depths = [case.depth() for case, _ in cases if case.depth().max() == 3]
    labelled = [(np.zeros((4, *depth.shape), np.float32), depth) for depth in depths]
    waiting = iter(depths)

    def knows(volumes: NDArray[np.float32]) -> NDArray[np.float32]:
        depth = next(waiting)
        padding = [(0, n - m) for n, m in zip(volumes.shape[1:], depth.shape, strict=True)]
        return np.stack([np.pad(depth > level, padding) for level in range(3)]).astype(np.float32)

    assert depths
    assert mean_dice(knows, labelled) == {"WT": 1.0, "TC": 1.0, "ET": 1.0}
    nothing = mean_dice(lambda volumes: np.zeros((3, *volumes.shape[1:]), np.float32), labelled)
    assert nothing == {"WT": 0.0, "TC": 0.0, "ET": 0.0}
