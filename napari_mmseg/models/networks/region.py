"""What every network here is: volumes in, logits of nested regions out.

Axes are (batch, channel, I, P, L). Regions come nested, the largest first (WT, TC, ET).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RegionNetwork(nn.Module):
    """A network that gives logits of nested regions from co-registered volumes.

    Attributes
    ----------
    kind, base, levels
        What `build` makes the same network from.
    inputs
        Channels of the input; a missing modality is an all-zero channel.
    stride
        Every spatial side of an input is a multiple of this; callers pad.
    feature_layers
        Names of the modules whose outputs are worth looking at or learning from, the finest last;
        `get_submodule` finds them.
    """

    kind: str
    base: int
    levels: int
    inputs: int
    stride: int

    @property
    def feature_layers(self) -> tuple[str, ...]:
        return ()

    def heads(self, volumes: Tensor) -> tuple[Tensor, ...]:
        """Region logits of every output that is trained, (N, R, I, P, L) each; the result last."""
        return (self(volumes),)


def region_logits(classes: Tensor) -> Tensor:
    """Class logits (N, R + 1, ...) of a softmax as logits of R nested regions (N, R, ...).

    Class 0 is background and class k lies in the first k regions, so region k is the sum of the
    classes from k on: its logit is logsumexp(classes >= k) - logsumexp(classes < k), exactly.
    """
    count = classes.shape[1]
    # Differences of near equals: not in the half precision that autocast leaves.
    classes = classes.to(torch.promote_types(classes.dtype, torch.float32))
    return torch.cat(
        [
            torch.logsumexp(classes[:, k:], 1, keepdim=True)
            - torch.logsumexp(classes[:, :k], 1, keepdim=True)
            for k in range(1, count)
        ],
        dim=1,
    )


def present(volumes: Tensor) -> Tensor:
    """Which channels hold an image: (N, C) in the volumes' type, 0 where all voxels are 0."""
    return (volumes.abs().amax((2, 3, 4)) > 0).to(volumes.dtype)
