"""Losses: their values against formulas written out in numpy, and what they pull towards."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_mmseg.errors import InputError
from napari_mmseg.training.loss_terms import (
    FARTHEST_VOXELS,
    FOCUS,
    OVERLAP_SMOOTH_VOXELS,
    TERMS,
    TVERSKY_FALSE_ALARMS,
    TVERSKY_MISSES,
    signed_distance,
)
from napari_mmseg.training.losses import (
    mean_over_heads,
    named_loss,
    region_loss,
    region_targets,
)

SHAPE = (2, 6, 7, 5)


def drawn(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits (2, 3, 6, 7, 5) and depths."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (2, 3, *SHAPE[1:])).astype(np.float32)
    return torch.from_numpy(logits), torch.from_numpy(random.integers(0, 4, SHAPE, dtype=np.uint8))


def arrays(logits: torch.Tensor, depth: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and targets (regions, voxels) in float64."""
    p = 1 / (1 + np.exp(-logits.double().numpy()))
    t = np.stack([depth.numpy() >= level for level in (1, 2, 3)], axis=1).astype(float)
    return p.swapaxes(0, 1).reshape(3, -1), t.swapaxes(0, 1).reshape(3, -1)


def entropy(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def overlap(p: np.ndarray, t: np.ndarray, alarms: float, misses: float) -> float:
    both = (p * t).sum(1)
    total = both + alarms * (p * (1 - t)).sum(1) + misses * ((1 - p) * t).sum(1)
    return float(1 - ((both + OVERLAP_SMOOTH_VOXELS) / (total + OVERLAP_SMOOTH_VOXELS)).mean())


def soft_dice(p: np.ndarray, t: np.ndarray) -> float:
    smooth = OVERLAP_SMOOTH_VOXELS
    both = (p * t).sum(1)
    return float(1 - ((2 * both + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean())


def weighted(p: np.ndarray, t: np.ndarray) -> float:
    share = t.mean(1, keepdims=True)
    weight = np.where(t > 0, 0.5 / share, 0.5 / (1 - share))
    return float((weight * entropy(p, t)).mean())


FORMULAS = {
    "cross-entropy": lambda p, t: float(entropy(p, t).mean()),
    "weighted-cross-entropy": weighted,
    "dice": soft_dice,
    "focal": lambda p, t: float((np.abs(t - p) ** FOCUS * entropy(p, t)).mean()),
    "tversky": lambda p, t: overlap(p, t, TVERSKY_FALSE_ALARMS, TVERSKY_MISSES),
    "nesting": lambda p, t: float(np.maximum(p[1:] - p[:-1], 0).mean()),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("seed", [0, 1])
def test_values_are_those_of_the_formula(name: str, seed: int) -> None:
    if name in ("dice", "focal", "tversky"):
        pytest.importorskip("monai")
    logits, depth = drawn(seed)
    expected = FORMULAS[name](*arrays(logits, depth))
    assert float(named_loss(name)(logits, depth)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", [n for n in TERMS if n not in ("nesting", "smooth")])
def test_the_truth_costs_less_than_its_opposite(name: str) -> None:
    depth = torch.zeros(1, 8, 8, 8, dtype=torch.uint8)
    for level, low in ((1, 2), (2, 3), (3, 4)):
        depth[:, low:6, low:6, low:6] = level
    right = region_targets(depth) * 12 - 6
    loss = named_loss(name)
    assert float(loss(right, depth)) < float(loss(-right, depth))


@pytest.mark.parametrize("name", TERMS)
def test_every_loss_can_be_learnt_from(name: str) -> None:
    logits, depth = drawn(3)
    logits.requires_grad_()
    named_loss(name)(logits, depth).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert float(logits.grad.abs().sum()) > 0


def test_a_healthy_brain_gives_finite_losses() -> None:
    logits, _ = drawn(4)
    for name in TERMS:
        assert math.isfinite(named_loss(name)(logits, torch.zeros(SHAPE, dtype=torch.uint8)))


def test_distances_are_those_of_scipy() -> None:
    _, depth = drawn(5)
    found = signed_distance(depth).numpy() * FARTHEST_VOXELS
    for crop in range(2):
        for region in range(3):
            inside = depth[crop].numpy() > region
            out = ndimage.distance_transform_edt(~inside)
            within = ndimage.distance_transform_edt(inside)
            expected = np.where(inside, 0.5 - within, out - 0.5)
            np.testing.assert_allclose(found[crop, region], expected, atol=1e-4)


def test_a_ragged_mask_is_less_smooth_than_an_even_one() -> None:
    even = torch.full((1, 3, 8, 8, 8), -6.0)
    even[..., :4] = 6.0
    ragged = even.clone()
    ragged[..., ::2, ::2, 3] = -6.0
    depth = torch.zeros(1, 8, 8, 8, dtype=torch.uint8)
    loss = named_loss("smooth")
    assert float(loss(even, depth)) < float(loss(ragged, depth))


def test_a_sum_is_the_weighted_sum_of_its_terms() -> None:
    logits, depth = drawn(6)
    parts = {name: float(named_loss(name)(logits, depth)) for name in ("region", "smooth")}
    total = float(named_loss("region + 0.5*smooth")(logits, depth))
    assert total == pytest.approx(parts["region"] + 0.5 * parts["smooth"])


def test_the_default_is_the_region_loss_itself() -> None:
    assert named_loss("region") is region_loss


def test_branches_count_as_much_as_the_result() -> None:
    logits, depth = drawn(7)
    both = float(mean_over_heads(region_loss, (logits, -logits), depth))
    each = (float(region_loss(logits, depth)), float(region_loss(-logits, depth)))
    assert both == pytest.approx(sum(each) / 2)
    assert float(mean_over_heads(region_loss, (logits,), depth)) == each[0]


@pytest.mark.parametrize("text", ["", "dise", "dice+", "-1*smooth", "x*smooth", "nan*smooth"])
def test_other_names_are_refused_with_the_choices(text: str) -> None:
    with pytest.raises(InputError, match=r"no loss|no weight"):
        named_loss(text)
