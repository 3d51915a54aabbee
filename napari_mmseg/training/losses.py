"""Loss on nested regions: overlap of each region, and cross-entropy that looks at the mistakes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SMOOTH_VOXELS = 50.0
ERROR_FLOOR = 0.01  # share of the voxels below which mistakes no longer gain weight
MISTAKES_WEIGHT = 0.5


def region_targets(depth: Tensor) -> Tensor:
    """Depths (N, I, P, L) to WT, TC, ET masks (N, 3, I, P, L), float32."""
    return torch.stack([depth >= level for level in (1, 2, 3)], dim=1).float()


def region_loss(logits: Tensor, depth: Tensor) -> Tensor:
    """Mean over WT, TC, ET of three terms, each over the whole batch.

    1 - soft Dice, for regions that are there at all: where none is, soft Dice has hardly a
    gradient. Binary cross-entropy. And cross-entropy averaged over the mistakes, each voxel
    weighted by how wrong it is: a false alarm of 100 ml is 4 % of a whole brain, which the plain
    mean lets pass.
    """
    logits = logits.float()
    target = region_targets(depth)
    probability = torch.sigmoid(logits)
    axes = (0, 2, 3, 4)
    size = target.sum(axes)
    overlap = (probability * target).sum(axes)
    total = probability.sum(axes) + size
    dice = (2 * overlap + SMOOTH_VOXELS) / (total + SMOOTH_VOXELS)
    present = (size > 0).float()
    overlap_loss = ((1 - dice) * present).sum() / len(size)
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    wrong = (probability.detach() - target).abs()
    voxels = target[:, 0].numel()
    mistakes = (wrong * entropy).sum(axes) / (wrong.sum(axes) + ERROR_FLOOR * voxels)
    return overlap_loss + entropy.mean() + MISTAKES_WEIGHT * mistakes.mean()
