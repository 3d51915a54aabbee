"""Parts that several networks are made of. Axes are (batch, channel, I, P, L)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAK = 0.01


class InstanceNorm(nn.InstanceNorm3d):
    """Instance normalisation that a compiler can fuse with its neighbours.

    The built-in kernel works on batch-norm's layout and makes copies of channels-last tensors;
    written as plain arithmetic under `torch.compile` a training step takes 1.6 s instead of 2.6
    (two 80x96x80 patches, 2 cores). Eager and exported graphs keep the built-in.
    """

    def forward(self, features: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            return super().forward(features)
        wide = features.float()
        variance, mean = torch.var_mean(wide, (2, 3, 4), correction=0, keepdim=True)
        scale = torch.rsqrt(variance + self.eps)
        if not self.affine:
            return ((wide - mean) * scale).to(features.dtype)
        scale = self.weight.view(1, -1, 1, 1, 1) * scale
        shift = self.bias.view(1, -1, 1, 1, 1)
        return ((wide - mean) * scale + shift).to(features.dtype)


def unit(
    inputs: int,
    outputs: int,
    size: int = 3,
    stride: int = 1,
    dilation: int = 1,
    affine: bool = True,
) -> list[nn.Module]:
    """A convolution that keeps the size (at stride 1), normalised per instance and rectified."""
    around = dilation * (size // 2)
    return [
        # A bias before instance normalisation is subtracted by it again.
        nn.Conv3d(inputs, outputs, size, stride, around, dilation, bias=False),
        InstanceNorm(outputs, affine=affine),
        nn.LeakyReLU(LEAK, inplace=True),
    ]


def double(inputs: int, outputs: int, affine: bool = True) -> nn.Sequential:
    """Two 3^3 convolutions, each normalised per instance and rectified."""
    first = unit(inputs, outputs, affine=affine)
    return nn.Sequential(*first, *unit(outputs, outputs, affine=affine))


def widths_of(base: int, levels: int) -> list[int]:
    """Channels of each level, the finest first: `base`, doubled from level to level."""
    if levels < 2:
        raise ValueError(f"a U-Net needs at least 2 levels, not {levels}")
    return [base * 2**level for level in range(levels)]


def climbers(widths: Sequence[int]) -> tuple[nn.ModuleList, nn.ModuleList]:
    """Transposed convolutions and decoder blocks from the coarsest level up, for `climb`."""
    steps = list(reversed(range(len(widths) - 1)))
    ups = nn.ModuleList(
        nn.ConvTranspose3d(widths[level + 1], widths[level], 2, stride=2) for level in steps
    )
    return ups, nn.ModuleList(double(2 * widths[level], widths[level]) for level in steps)


def climb(
    levels: Sequence[Tensor], ups: Iterable[nn.Module], decoders: Iterable[nn.Module]
) -> Tensor:
    """The decoder of a U-Net: from features of all levels (finest first) to the finest level's."""
    *skips, features = levels
    for up, decoder in zip(ups, decoders, strict=True):
        features = decoder(torch.cat([up(features), skips.pop()], dim=1))
    return features


def enlarge(features: Tensor, factor: int = 2) -> Tensor:
    """Trilinear interpolation to `factor` times the spatial size."""
    return functional.interpolate(
        features, scale_factor=float(factor), mode="trilinear", align_corners=False
    )
