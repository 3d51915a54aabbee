"""DeepLabv3+ in three dimensions: atrous encoder, pyramid of atrous convolutions, decoder.

Chen et al., Encoder-decoder with atrous separable convolution for semantic image segmentation,
ECCV 2018, in the widths of the U-Net beside it. Axes are (batch, channel, I, P, L).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import LEAK, InstanceNorm, double, enlarge, unit
from .region import RegionNetwork

#: The encoder's features are this many times smaller than the input; deeper stages dilate.
OUTPUT_STRIDE = 8

#: Dilations of the pyramid's 3^3 convolutions: 16 to 64 voxels wide in the input.
PYRAMID_DILATIONS = (1, 2, 4)


class Residual(nn.Module):
    """Two 3^3 convolutions added to their input: (N, inputs, ...) to (N, outputs, ... / stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *unit(inputs, outputs, stride=stride, dilation=dilation),
            nn.Conv3d(outputs, outputs, 3, padding=dilation, dilation=dilation, bias=False),
            InstanceNorm(outputs, affine=True),
        )
        self.shortcut = nn.Sequential(
            nn.Conv3d(inputs, outputs, 1, stride, bias=False), InstanceNorm(outputs, affine=True)
        )
        self.rectify = nn.LeakyReLU(LEAK, inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.rectify(self.body(features) + self.shortcut(features))
        return result


class Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: (N, inputs, ...) to (N, width, ...).

    A 1^3 convolution, 3^3 ones of growing dilation and the mean of the whole image, projected.
    The mean is the same everywhere, so its part of the projection is added, not concatenated.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.views = nn.ModuleList(
            [
                nn.Sequential(*unit(inputs, width, size=1)),
                *(
                    nn.Sequential(*unit(inputs, width, dilation=dilation))
                    for dilation in PYRAMID_DILATIONS
                ),
            ]
        )
        # One voxel has no variance: no instance normalisation here.
        self.whole = nn.Sequential(nn.Conv3d(inputs, width, 1), nn.LeakyReLU(LEAK, inplace=True))
        self.project = nn.Conv3d(len(self.views) * width, width, 1, bias=False)
        self.project_whole = nn.Conv3d(width, width, 1, bias=False)
        self.settle = nn.Sequential(
            InstanceNorm(width, affine=True), nn.LeakyReLU(LEAK, inplace=True)
        )

    def forward(self, features: Tensor) -> Tensor:
        seen = self.project(torch.cat([view(features) for view in self.views], dim=1))
        mean = self.whole(features.mean((2, 3, 4), keepdim=True))
        result: Tensor = self.settle(seen + self.project_whole(mean))
        return result


class DeepLab(RegionNetwork):
    """DeepLabv3+: an encoder of `levels` residual stages, the pyramid, a decoder at a quarter.

    Stages halve the size down to 1/8, the later ones dilate their convolutions (2, 4, ...)
    instead. The decoder joins the pyramid's features with those of the second stage at a quarter
    of the size; the logits are enlarged four times. Input (N, in_channels, I, P, L), sides
    multiples of `stride`; output (N, out_channels, I, P, L), region logits.
    """

    kind = "deeplab"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        super().__init__()
        if levels < 3:
            raise ValueError(f"DeepLab needs at least 3 levels, not {levels}")
        self.base, self.levels, self.inputs = base, levels, in_channels
        self.stride = OUTPUT_STRIDE
        widths = [base * 2**level for level in range(levels)]
        self.stages = nn.ModuleList()
        shrunk, dilation = 1, 1
        for above, width in zip([in_channels, *widths[:-1]], widths, strict=True):
            stride = 2 if shrunk < OUTPUT_STRIDE else 1
            shrunk, dilation = shrunk * stride, dilation if stride == 2 else 2 * dilation
            self.stages.append(Residual(above, width, stride, dilation))
        self.pyramid = Pyramid(widths[-1], 8 * base)
        self.quarter = nn.Sequential(*unit(widths[1], 2 * base, size=1))
        self.decoder = double(10 * base, 4 * base)
        self._make_end(out_channels)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        stages = (f"stages.{n}" for n in range(self.levels))
        return (*stages, "pyramid", "decoder")

    def forward(self, volumes: Tensor) -> Tensor:
        stages: list[Tensor] = []
        for stage in self.stages:
            stages.append(stage(stages[-1] if stages else volumes))
        wide = enlarge(self.pyramid(stages[-1]))
        return self._end(
            self.decoder(torch.cat([wide, self.quarter(stages[1])], dim=1)), stages[0], volumes
        )

    def _make_end(self, out_channels: int) -> None:
        self.head = nn.Conv3d(4 * self.base, out_channels, 1)

    def _end(self, features: Tensor, half: Tensor, volumes: Tensor) -> Tensor:
        """Region logits from the decoder's features at a quarter of the size."""
        return enlarge(self.head(features), 4)


class DeepLabUNet(DeepLab):
    """DeepLabv3+ whose decoder goes on, as a U-Net's, to the half and the full size.

    Shallow features lead in: those of the first stage at half the size, and of two convolutions
    on the images themselves. Whether that mends DeepLab's coarse borders is a question that one
    of the project's founding texts leaves open.
    """

    kind = "deeplab-unet"

    def _make_end(self, out_channels: int) -> None:
        base = self.base
        self.shallow = double(self.inputs, base)
        self.at_half = double(4 * base + base, 2 * base)
        self.at_full = double(2 * base + base, base)
        self.head = nn.Conv3d(base, out_channels, 1)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        return ("shallow", *super().feature_layers, "at_half", "at_full")

    def _end(self, features: Tensor, half: Tensor, volumes: Tensor) -> Tensor:
        features = self.at_half(torch.cat([enlarge(features), half], dim=1))
        features = self.at_full(torch.cat([enlarge(features), self.shallow(volumes)], dim=1))
        logits: Tensor = self.head(features)
        return logits
