"""Augmentation: labels move with the image, zeros stay, a seed repeats."""

from __future__ import annotations

import pytest
import torch

from napari_mmseg.training.augment import UNCHANGED, Strengths, augment, recolour, warp
from napari_mmseg.training.simulate.chance import Chance

SHAPE = (20, 24, 18)
ALWAYS = Strengths(
    geometry_share=1, elastic_share=1, noise_share=1, gamma_share=1, blur_share=1, coarser_share=1
)


def case() -> tuple[torch.Tensor, torch.Tensor]:
    """Four channels of a brain with a nested bright block; the third modality is missing."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn((4, *SHAPE), generator=generator)
    depth = torch.zeros(SHAPE, dtype=torch.uint8)
    for level, low in ((1, 5), (2, 6), (3, 7)):
        depth[low : low + 8, low : low + 8, low : low + 6] = level
    images += 3 * depth
    outside = torch.ones(SHAPE, dtype=torch.bool)
    outside[2:-2, 2:-2, 2:-2] = False
    images[:, outside] = 0
    images[2] = 0
    return images, depth


def test_without_variation_nothing_changes() -> None:
    images, depth = case()
    moved, labels = augment(images, depth, Chance(1), UNCHANGED)
    torch.testing.assert_close(moved, images, atol=1e-4, rtol=0)
    assert torch.equal(labels, depth)


def test_a_seed_repeats_and_another_differs() -> None:
    images, depth = case()
    first, labels = augment(images, depth, Chance(5, 1), ALWAYS)
    again, same = augment(images, depth, Chance(5, 1), ALWAYS)
    other, _ = augment(images, depth, Chance(5, 2), ALWAYS)
    assert torch.equal(first, again)
    assert torch.equal(labels, same)
    assert not torch.allclose(first, other, atol=0.1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flip_is_exact_and_takes_the_labels_along(axis: int) -> None:
    images, depth = case()
    flips = tuple(1.0 if a == axis else 0.0 for a in range(3))
    strengths = Strengths(geometry_share=0, elastic_share=0, flips=flips)  # type: ignore[arg-type]
    moved, labels = warp(images, depth, Chance(1), strengths)
    torch.testing.assert_close(moved, images.flip(axis + 1), atol=1e-4, rtol=0)
    assert torch.equal(labels, depth.flip(axis))


def test_only_left_and_right_are_exchanged_by_default() -> None:
    assert Strengths().flips[:2] == (0.0, 0.0)
    assert Strengths().flips[2] == 0.5


def test_labels_follow_the_image_and_stay_labels() -> None:
    """The image of the labels, moved with them, is where the labels are."""
    _, depth = case()
    images = depth.float()[None]
    for seed in range(6):
        moved, labels = warp(images, depth, Chance(seed), ALWAYS)
        assert set(labels.unique().tolist()) <= {0, 1, 2, 3}
        near = (moved[0] - labels.float()).abs()
        assert float((near < 1.51).float().mean()) > 0.99
        assert float(near.mean()) < 0.1


def test_a_crop_is_that_part_of_the_case() -> None:
    images, depth = case()
    crop, labels = warp(images, depth, Chance(1), UNCHANGED, (6, 8, 4), (9.5, 11.5, 7.5))
    torch.testing.assert_close(crop, images[:, 7:13, 8:16, 6:10], atol=1e-4, rtol=0)
    assert torch.equal(labels, depth[7:13, 8:16, 6:10])


def test_what_lies_beyond_the_case_is_empty() -> None:
    images, depth = case()
    crop, labels = warp(images, depth, Chance(1), UNCHANGED, (24, 24, 24), (9.5, 11.5, 8.5))
    torch.testing.assert_close(crop[:, 2:22, :, 3:21], images, atol=1e-4, rtol=0)
    assert not crop[:, :2].any()
    assert not labels[..., 21:].any()
    far, none = warp(images, depth, Chance(1), UNCHANGED, (4, 4, 4), (90.0, 90.0, 90.0))
    assert not far.any()
    assert not none.any()


def test_outside_the_brain_and_missing_modalities_stay_zero() -> None:
    images, _ = case()
    for seed in range(4):
        result = recolour(images, Chance(seed), ALWAYS)
        assert torch.isfinite(result).all()
        assert not result[2].any()
        assert not result[:, :2].any()
        assert not torch.allclose(result[0], images[0], atol=0.05)


def test_a_missing_modality_changes_nothing_else() -> None:
    images, _ = case()
    without = images.clone()
    without[1] = 0
    full, less = (recolour(i, Chance(3), ALWAYS) for i in (images, without))
    assert torch.equal(full[0], less[0])
    assert torch.equal(full[3], less[3])


def test_pinholes_of_the_brain_get_their_noise_too() -> None:
    images, _ = case()
    images[0, 9, 9, 9] = 0
    noisy = Strengths(noise_share=1, gamma_share=0, blur_share=0, coarser_share=0)
    assert recolour(images, Chance(1), noisy)[0, 9, 9, 9] != 0
