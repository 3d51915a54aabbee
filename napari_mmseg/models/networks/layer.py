"""Layer-level fusion: an encoder for each modality, their features fused at every level."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import climb, climbers, double, unit, widths_of
from .region import RegionNetwork, present


class LayerFusion(RegionNetwork):
    """The U-Net of input-level fusion, but with an encoder of its own for each modality.

    At every level the modalities' features (N, width each) are concatenated and brought back to
    one width by a 1^3 convolution, for the skip and, at the lowest level, for the decoder. The
    features of a missing modality are zeros. Input (N, in_channels, I, P, L), sides multiples of
    `stride`; output (N, out_channels, I, P, L), region logits.
    """

    kind = "layer"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        super().__init__()
        widths = widths_of(base, levels)
        self.base, self.levels, self.inputs = base, levels, in_channels
        self.stride = 2 ** (levels - 1)
        #: [level][modality]
        self.encoders = nn.ModuleList(
            nn.ModuleList(double(above, width) for _ in range(in_channels))
            for above, width in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.fusions = nn.ModuleList(
            nn.Sequential(*unit(in_channels * width, width, size=1)) for width in widths
        )
        self.down = nn.MaxPool3d(2)
        self.ups, self.decoders = climbers(widths)
        self.head = nn.Conv3d(base, out_channels, 1)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        return (
            *(f"encoders.{n}.{m}" for n in range(self.levels) for m in range(self.inputs)),
            *(f"fusions.{n}" for n in range(self.levels)),
            *(f"decoders.{n}" for n in range(self.levels - 1)),
        )

    def forward(self, volumes: Tensor) -> Tensor:
        # Normalisation's shift makes something of nothing: only what is there may speak.
        seen = present(volumes)[:, :, None, None, None, None].unbind(1)
        each = list(volumes.split(1, dim=1))
        levels: list[Tensor] = []
        for depth, (encoders, fusion) in enumerate(zip(self.encoders, self.fusions, strict=True)):
            each = [
                encoder(features if depth == 0 else self.down(features))
                for encoder, features in zip(encoders, each, strict=True)  # type: ignore[call-overload]
            ]
            spoken = [features * on for features, on in zip(each, seen, strict=True)]
            levels.append(fusion(torch.cat(spoken, dim=1)))
        logits: Tensor = self.head(climb(levels, self.ups, self.decoders))
        return logits
