"""Loss on nested regions: soft Dice over the batch plus cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SMOOTH_VOXELS = 50.0  # lets an empty region count as right where nothing is predicted


def region_targets(depth: Tensor) -> Tensor:
    """Depths (N, I, P, L) to WT, TC, ET masks (N, 3, I, P, L), float32."""
    return torch.stack([depth >= level for level in (1, 2, 3)], dim=1).float()


def region_loss(logits: Tensor, depth: Tensor) -> Tensor:
    """Mean over WT, TC, ET of (1 - soft Dice over the whole batch) + binary cross-entropy."""
    logits = logits.float()
    target = region_targets(depth)
    probability = torch.sigmoid(logits)
    axes = (0, 2, 3, 4)
    overlap = (probability * target).sum(axes)
    total = probability.sum(axes) + target.sum(axes)
    dice = (2 * overlap + SMOOTH_VOXELS) / (total + SMOOTH_VOXELS)
    entropy = functional.binary_cross_entropy_with_logits(logits, target)
    return (1 - dice).mean() + entropy
