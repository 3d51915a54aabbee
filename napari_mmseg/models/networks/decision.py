"""Decision-level fusion: a network for each modality, their votes averaged or weighed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import LEAK
from .region import RegionNetwork, present, region_logits
from .unet import UNet3d

#: Subtracted from the score of a missing modality: its weight is then 0 beside any other.
_SILENCE = 1e4


class DecisionFusion(RegionNetwork):
    """Class probabilities of a U-Net for each modality, averaged voxel by voxel.

    The vote of a missing modality (all zeros) does not count. Everything stays in logarithms, so
    no probability has to be kept from 0. Input (N, in_channels, I, P, L), sides multiples of
    `stride`; output (N, out_channels, I, P, L), region logits.
    """

    kind = "decision"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        super().__init__()
        self.base, self.levels, self.inputs = base, levels, in_channels
        #: The U-Nets' outputs are read as logits of a softmax over background and shells.
        self.members = nn.ModuleList(
            UNet3d(1, out_channels + 1, base, levels) for _ in range(in_channels)
        )
        self.stride = 2 ** (levels - 1)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        return tuple(
            f"members.{m}.{part}.{n}"
            for part, count in (("encoders", self.levels), ("decoders", self.levels - 1))
            for n in range(count)
            for m in range(self.inputs)
        )

    def forward(self, volumes: Tensor) -> Tensor:
        return self.heads(volumes)[-1]

    def heads(self, volumes: Tensor) -> tuple[Tensor, ...]:
        """Of each modality's network alone, then of all together."""
        votes = [
            member(image)
            for member, image in zip(self.members, volumes.split(1, dim=1), strict=True)
        ]
        alone = [region_logits(vote) for vote in votes]
        logs = [functional.log_softmax(vote.float(), dim=1) for vote in votes]
        silence = (present(volumes) - 1) * _SILENCE
        scores = self._scores(logs) + silence[:, :, None, None, None]
        weights = functional.log_softmax(scores, dim=1).split(1, dim=1)
        spoken = [log + weight for log, weight in zip(logs, weights, strict=True)]
        together = torch.cat(
            [
                torch.logsumexp(torch.cat(same_class, dim=1), dim=1, keepdim=True)
                for same_class in zip(*(log.split(1, dim=1) for log in spoken), strict=True)
            ],
            dim=1,
        )
        return (*alone, region_logits(together))

    def _scores(self, logs: Sequence[Tensor]) -> Tensor:
        """How much each modality is to be heard: (N, modalities, 1 or I, 1 or P, 1 or L)."""
        return logs[0].new_zeros(1, len(logs), 1, 1, 1)


class LearnedDecisionFusion(DecisionFusion):
    """Decision-level fusion with weights for each voxel, learned from the votes themselves.

    Two convolutions (3^3 to `base` channels, 1^3) look at all votes and score the modalities; it
    begins as the average.
    """

    kind = "decision-learned"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        super().__init__(in_channels, out_channels, base, levels)
        last = nn.Conv3d(base, in_channels, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.weigh = nn.Sequential(
            nn.Conv3d(in_channels * (out_channels + 1), base, 3, padding=1),
            nn.LeakyReLU(LEAK, inplace=True),
            last,
        )

    def _scores(self, logs: Sequence[Tensor]) -> Tensor:
        # Probabilities, for a logarithm has no bounds and one surprised modality would drown all.
        scores: Tensor = self.weigh(torch.cat([log.exp() for log in logs], dim=1))
        return scores
