"""The usual losses of the field, each on region logits (N, R, I, P, L) and depths (N, I, P, L).

Soft Dice, focal and Tversky are MONAI's (`pip install napari-mmseg[train]`); the others are short
enough to be read here. Sums are taken over a batch's crops together, so that a crop without a
region does not count as a failure. Three terms are priors that no label is needed for (`nesting`,
`smooth`) or that look at the volume alone (`size`): use them with a weight beside another loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_mmseg.errors import ModelError
from napari_mmseg.training.losses import Loss, region_targets

OVERLAP_SMOOTH_VOXELS = 1.0
FOCUS = 2.0  # gamma of Lin et al., ICCV 2017
TVERSKY_FALSE_ALARMS, TVERSKY_MISSES = 0.3, 0.7  # Salehi et al., MLMI 2017: misses cost more
LARGEST_WEIGHT = 100.0  # of a voxel of a rare region in the weighted cross-entropy
FARTHEST_VOXELS = 20.0  # distances in the boundary loss are cut here
SIZE_FLOOR_VOXELS = 100.0  # regions smaller than this count as this large in the size prior

_SPACE = (0, 2, 3, 4)


def cross_entropy() -> Loss:
    """Binary cross-entropy, mean over regions and voxels."""

    def loss(logits: Tensor, depth: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(logits.float(), region_targets(depth))

    return loss


def weighted_cross_entropy() -> Loss:
    """Binary cross-entropy in which inside and outside of a region weigh the same.

    Each voxel counts inversely to its side's share of the batch, at most `LARGEST_WEIGHT`.
    """

    def loss(logits: Tensor, depth: Tensor) -> Tensor:
        target = region_targets(depth)
        entropy = functional.binary_cross_entropy_with_logits(
            logits.float(), target, reduction="none"
        )
        inside = target.mean(_SPACE, keepdim=True)
        weight = target * _inverse(inside) + (1 - target) * _inverse(1 - inside)
        return (weight * entropy).mean()

    return loss


def _inverse(share: Tensor) -> Tensor:
    return (0.5 / share.clamp(min=1e-6)).clamp(max=LARGEST_WEIGHT)


def soft_dice() -> Loss:
    """1 - soft Dice, mean over regions (MONAI's DiceLoss)."""
    return _monai(
        "DiceLoss",
        sigmoid=True,
        batch=True,
        smooth_nr=OVERLAP_SMOOTH_VOXELS,
        smooth_dr=OVERLAP_SMOOTH_VOXELS,
    )


def focal() -> Loss:
    """Cross-entropy in which what is nearly right hardly counts (MONAI's FocalLoss)."""
    return _monai("FocalLoss", gamma=FOCUS)


def tversky() -> Loss:
    """Dice with misses dearer than false alarms (MONAI's TverskyLoss)."""
    return _monai(
        "TverskyLoss",
        sigmoid=True,
        batch=True,
        alpha=TVERSKY_FALSE_ALARMS,
        beta=TVERSKY_MISSES,
        smooth_nr=OVERLAP_SMOOTH_VOXELS,
        smooth_dr=OVERLAP_SMOOTH_VOXELS,
    )


def _monai(name: str, **options: Any) -> Loss:
    try:
        from monai import losses
    except ImportError as error:
        raise ModelError(
            f"this loss is MONAI's {name}, and MONAI is not installed: "
            "pip install 'napari-mmseg[train]', or choose region or cross-entropy"
        ) from error
    module = getattr(losses, name)(**options)

    def loss(logits: Tensor, depth: Tensor) -> Tensor:
        value: Tensor = module(logits.float(), region_targets(depth))
        return value

    return loss


def boundary() -> Loss:
    """Mean of the probability times the signed distance to the true surface.

    Kervadec et al., MIDL 2019: voxels far outside a region cost most, far inside gain most, so
    that the surface is pulled to its place. In units of `FARTHEST_VOXELS`, -1 to 1; regions that
    are not there give no surface and do not count. Add it to an overlap loss.
    """

    def loss(logits: Tensor, depth: Tensor) -> Tensor:
        distance = signed_distance(depth, logits.shape[1]).to(logits.device)
        return (torch.sigmoid(logits.float()) * distance).mean()

    return loss


def signed_distance(depth: Tensor, regions: int = 3) -> Tensor:
    """Distance to each region's surface (N, R, I, P, L): positive outside, -1 to 1.

    In units of `FARTHEST_VOXELS` and cut there; 0 everywhere for a region that is empty or full.
    """
    import edt

    result = np.zeros((depth.shape[0], regions, *depth.shape[1:]), dtype=np.float32)
    for crop, levels in enumerate(depth.cpu().numpy()):
        for region in range(regions):
            inside = np.ascontiguousarray(levels > region)
            if inside.any() and not inside.all():
                # The first voxel on either side is half a voxel from the surface.
                out = np.maximum(edt.edt(~inside, black_border=False) - 0.5, 0)
                within = np.maximum(edt.edt(inside, black_border=False) - 0.5, 0)
                result[crop, region] = out - within
    return torch.from_numpy(np.clip(result / FARTHEST_VOXELS, -1, 1))


def nesting() -> Loss:
    """How far a region's probability exceeds that of the region around it, mean over voxels."""

    def loss(logits: Tensor, depth: Tensor) -> Tensor:
        probability = torch.sigmoid(logits.float())
        return functional.relu(probability[:, 1:] - probability[:, :-1]).mean()

    return loss


def size() -> Loss:
    """Squared logarithm of predicted over true volume, mean over regions."""

    def loss(logits: Tensor, depth: Tensor) -> Tensor:
        found = torch.sigmoid(logits.float()).sum(_SPACE)
        true = region_targets(depth).sum(_SPACE)
        ratio = torch.log((found + SIZE_FLOOR_VOXELS) / (true + SIZE_FLOOR_VOXELS))
        return (ratio**2).mean()

    return loss


def smooth() -> Loss:
    """Total variation of the probabilities: mean difference between neighbours, for even shapes."""

    def loss(logits: Tensor, depth: Tensor) -> Tensor:
        probability = torch.sigmoid(logits.float())
        steps = [probability.diff(dim=axis).abs().mean() for axis in (2, 3, 4)]
        return torch.stack(steps).mean()

    return loss


TERMS: Mapping[str, Callable[[], Loss]] = MappingProxyType(
    {
        "cross-entropy": cross_entropy,
        "weighted-cross-entropy": weighted_cross_entropy,
        "dice": soft_dice,
        "focal": focal,
        "tversky": tversky,
        "boundary": boundary,
        "nesting": nesting,
        "size": size,
        "smooth": smooth,
    }
)
