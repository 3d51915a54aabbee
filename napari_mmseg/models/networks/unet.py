"""A 3D U-Net: the network of the shipped models, with fusion at the input.

Axes are (batch, channel, I, P, L). Down by max-pooling, up by transposed convolution, skips
concatenated, instance normalisation: the plan of Cicek et al., MICCAI 2016, in the proportions of
Zhang et al., Pattern Recognition 110:107562, 2021 (16-32-64-128-256 channels).
"""

from __future__ import annotations

from torch import Tensor, nn

from .blocks import climb, climbers, double, widths_of
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
        widths = widths_of(base, levels)
        self.base, self.levels, self.inputs = base, levels, in_channels
        self.stride = 2 ** (levels - 1)
        self.encoders = nn.ModuleList(
            double(inputs, outputs)
            for inputs, outputs in zip([in_channels, *widths[:-1]], widths, strict=True)
        )
        self.down = nn.MaxPool3d(2)
        self.ups, self.decoders = climbers(widths)
        self.head = nn.Conv3d(base, out_channels, 1)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        return (
            *(f"encoders.{n}" for n in range(self.levels)),
            *(f"decoders.{n}" for n in range(self.levels - 1)),
        )

    def forward(self, volumes: Tensor) -> Tensor:
        levels: list[Tensor] = []
        for encoder in self.encoders:
            levels.append(encoder(self.down(levels[-1]) if levels else volumes))
        logits: Tensor = self.head(climb(levels, self.ups, self.decoders))
        return logits
