"""How close translated contrasts are to the true ones: L1 and SSIM beside those of the input."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from napari_mmseg.models.networks.cmft import Transition, split_pairs

WINDOW_VOXELS = 7
_K1, _K2 = 0.01, 0.03


@dataclass(frozen=True)
class Closeness:
    """Mean over both directions and contrasts, inside the brain.

    l1 in normalised units (0 is equal), ssim of 7^3 windows (1 is equal). `before` compares the
    generators' input with the true other pair, `after` their output, `blank` an image of zeros,
    which is what a translator that learned nothing but the mean would give.
    """

    l1_before: float
    l1_after: float
    l1_blank: float
    ssim_before: float
    ssim_after: float


@torch.no_grad()
def closeness(transition: Transition, volumes: Tensor) -> Closeness:
    """Of complete volumes (N, 4, I, P, L), sides multiples of the generators' stride."""
    first, second = split_pairs(volumes)
    inside = (volumes != 0).any(dim=1, keepdim=True)
    true = torch.cat([second, first], dim=1)
    before = torch.cat([first, second], dim=1)
    after = torch.cat([transition.forth(first), transition.back(second)], dim=1).float()
    blank = torch.zeros_like(true)
    return Closeness(
        *(_l1(images, true, inside) for images in (before, after, blank)),
        *(_similarity(images, true, inside) for images in (before, after)),
    )


def ssim(first: Tensor, second: Tensor, value_range: float) -> Tensor:
    """Structural similarity of each window (Wang et al. 2004), uniform weights, sample covariance.

    (N, C, I, P, L) twice to (N, C, I - 6, P - 6, L - 6): windows that lie wholly inside.
    """
    count = WINDOW_VOXELS**3

    def mean(images: Tensor) -> Tensor:
        # An axis after the other: 21 values a window instead of 343.
        for kernel in ((WINDOW_VOXELS, 1, 1), (1, WINDOW_VOXELS, 1), (1, 1, WINDOW_VOXELS)):
            images = functional.avg_pool3d(images, kernel, stride=1)
        return images

    here, there = mean(first), mean(second)
    sample = count / (count - 1)
    own = sample * (mean(first * first) - here * here)
    other = sample * (mean(second * second) - there * there)
    shared = sample * (mean(first * second) - here * there)
    luminance, contrast = (_K1 * value_range) ** 2, (_K2 * value_range) ** 2
    above = (2 * here * there + luminance) * (2 * shared + contrast)
    below = (here * here + there * there + luminance) * (own + other + contrast)
    return above / below


def _l1(images: Tensor, true: Tensor, inside: Tensor) -> float:
    return float((images - true).abs()[inside.expand_as(true)].mean())


def _similarity(images: Tensor, true: Tensor, inside: Tensor) -> float:
    edge = slice(WINDOW_VOXELS // 2, -(WINDOW_VOXELS // 2))
    middle = inside[:, :, edge, edge, edge]
    windows = ssim(images.double(), true.double(), float(true.max() - true.min()))
    return float(windows[middle.expand_as(windows)].mean())
