"""A 3D U-Net: the network of the shipped models, with fusion at the input.

Axes are (batch, channel, I, P, L). Down by max-pooling, up by transposed convolution, skips
concatenated, instance normalisation: the plan of Cicek et al., MICCAI 2016, in the proportions of
Zhang et al., Pattern Recognition 110:107562, 2021 (16-32-64-128-256 channels).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import double
from .region import RegionNetwork


class UNet3d(RegionNetwork):
    """Logits of nested regions from co-registered volumes.

    Input (N, in_channels, I, P, L) with every spatial length a multiple of `stride`; a missing
    modality is an all-zero channel. Output (N, out_channels, I, P, L), logits.
    """

    kind = "unet"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        super().__init__()
        if levels < 2:
            raise ValueError(f"a U-Net needs at least 2 levels, not {levels}")
        self.base, self.levels, self.inputs = base, levels, in_channels
        widths = [base * 2**level for level in range(levels)]
        self.stride = 2 ** (levels - 1)
        self.encoders = nn.ModuleList(
            double(inputs, outputs)
            for inputs, outputs in zip([in_channels, *widths[:-1]], widths, strict=True)
        )
        self.down = nn.MaxPool3d(2)
        self.ups = nn.ModuleList(
            nn.ConvTranspose3d(widths[level + 1], widths[level], 2, stride=2)
            for level in reversed(range(levels - 1))
        )
        self.decoders = nn.ModuleList(
            double(2 * widths[level], widths[level]) for level in reversed(range(levels - 1))
        )
        self.head = nn.Conv3d(base, out_channels, 1)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        return (
            *(f"encoders.{n}" for n in range(self.levels)),
            *(f"decoders.{n}" for n in range(self.levels - 1)),
        )

    def forward(self, volumes: Tensor) -> Tensor:
        skips: list[Tensor] = []
        features = volumes
        for depth, encoder in enumerate(self.encoders):
            features = encoder(features if depth == 0 else self.down(features))
            skips.append(features)
        skips.pop()
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = decoder(torch.cat([up(features), skips.pop()], dim=1))
        logits: Tensor = self.head(features)
        return logits
