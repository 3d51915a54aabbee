"""Losses on nested regions: logits (N, R, I, P, L) against depths (N, I, P, L), a scalar out.

`region` is the default: overlap of each region, and cross-entropy that looks at the mistakes. The
others are the field's usual ones (`loss_terms.py`); any of them can be summed by name.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import torch
from torch import Tensor
from torch.nn import functional

from napari_mmseg.errors import InputError

Loss = Callable[[Tensor, Tensor], Tensor]

DEFAULT_LOSS = "region"
SMOOTH_VOXELS = 50.0
ERROR_FLOOR = 0.01  # share of the voxels below which mistakes no longer gain weight
MISTAKES_WEIGHT = 0.5


def region_targets(depth: Tensor, regions: int = 3) -> Tensor:
    """Depths (N, I, P, L) to masks of nested regions (N, regions, I, P, L), float32."""
    return torch.stack([depth >= level for level in range(1, regions + 1)], dim=1).float()


def region_loss(logits: Tensor, depth: Tensor) -> Tensor:
    """Mean over the regions of three terms, each over the whole batch.

    1 - soft Dice, for regions that are there at all: where none is, soft Dice has hardly a
    gradient. Binary cross-entropy. And cross-entropy averaged over the mistakes, each voxel
    weighted by how wrong it is: a false alarm of 100 ml is 4 % of a whole brain, which the plain
    mean lets pass.
    """
    logits = logits.float()
    target = region_targets(depth, logits.shape[1])
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


def named_loss(text: str) -> Loss:
    """The loss that `text` names: `NAME`, or a sum such as `dice+cross-entropy+0.1*smooth`.

    A number before a star is a term's weight, 1 where there is none.

    Raises
    ------
    InputError
        When a name is not known, or a weight is no positive number.
    ModelError
        When a term is MONAI's and MONAI is not installed.
    """
    if text == DEFAULT_LOSS:
        return region_loss
    from napari_mmseg.training.loss_terms import TERMS

    makers = {DEFAULT_LOSS: lambda: region_loss, **TERMS}
    terms: list[tuple[float, Loss]] = []
    for part in text.split("+"):
        number, star, name = part.strip().rpartition("*")
        if name.strip() not in makers:
            raise InputError(
                f"there is no loss {name.strip()!r}: choose one of {', '.join(makers)}, or a sum "
                "such as dice+0.1*smooth"
            )
        terms.append((_weight(number) if star else 1.0, makers[name.strip()]()))

    def total(logits: Tensor, depth: Tensor) -> Tensor:
        return torch.stack([weight * term(logits, depth) for weight, term in terms]).sum()

    return total


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not (isfinite(weight) and weight > 0):
        raise InputError(f"{text.strip()!r} is no weight of a loss: a positive number is needed")
    return weight


def mean_over_heads(loss: Loss, heads: tuple[Tensor, ...], depth: Tensor) -> Tensor:
    """Mean of `loss` over a network's outputs: every branch learns, not the result alone."""
    if len(heads) == 1:
        return loss(heads[0], depth)
    return torch.stack([loss(logits, depth) for logits in heads]).mean()
