"""Baselines from MONAI (an optional package): SegResNet and DynUNet."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from ...errors import ModelError
from .region import RegionNetwork

#: The blocks of MONAI's brain-tumour bundle, level by level.
_SEGRESNET_DOWN = (1, 2, 2, 4)
_SEGRESNET_GROUPS = 8

#: nnU-Net's limit on the channels of a 3D network.
_DYNUNET_WIDEST = 320


class SegResNet(RegionNetwork):
    """MONAI's SegResNet as in its BraTS bundle (Myronenko 2018), at most four levels.

    Input (N, in_channels, I, P, L), sides multiples of `stride`; output region logits.
    """

    kind = "segresnet"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        super().__init__()
        self.base, self.levels, self.inputs = base, levels, in_channels
        down = _SEGRESNET_DOWN[:levels]
        self.stride = 2 ** (len(down) - 1)
        groups = math.gcd(_SEGRESNET_GROUPS, base)
        self.network: nn.Module = _nets(self.kind).SegResNet(
            spatial_dims=3,
            init_filters=base,
            in_channels=in_channels,
            out_channels=out_channels,
            blocks_down=down,
            blocks_up=(1,) * (len(down) - 1),
            norm=("GROUP", {"num_groups": groups}),
        )

    @property
    def feature_layers(self) -> tuple[str, ...]:
        count = min(self.levels, len(_SEGRESNET_DOWN))
        return (
            *(f"network.down_layers.{n}" for n in range(count)),
            *(f"network.up_layers.{n}" for n in range(count - 1)),
        )

    def forward(self, volumes: Tensor) -> Tensor:
        logits: Tensor = self.network(volumes)
        return logits


class DynUNet(RegionNetwork):
    """MONAI's DynUNet: nnU-Net's plain network, without deep supervision.

    Input (N, in_channels, I, P, L), sides multiples of `stride`; output region logits.
    """

    kind = "dynunet"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        super().__init__()
        if levels < 3:
            raise ValueError(f"DynUNet needs at least 3 levels, not {levels}")
        self.base, self.levels, self.inputs = base, levels, in_channels
        self.stride = 2 ** (levels - 1)
        self.network: nn.Module = _nets(self.kind).DynUNet(
            spatial_dims=3,
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=[3] * levels,
            strides=[1] + [2] * (levels - 1),
            upsample_kernel_size=[2] * (levels - 1),
            filters=[min(base * 2**level, _DYNUNET_WIDEST) for level in range(levels)],
        )

    @property
    def feature_layers(self) -> tuple[str, ...]:
        middle = range(self.levels - 2)
        return (
            "network.input_block",
            *(f"network.downsamples.{n}" for n in middle),
            "network.bottleneck",
            *(f"network.upsamples.{n}" for n in range(self.levels - 1)),
        )

    def forward(self, volumes: Tensor) -> Tensor:
        logits: Tensor = self.network(volumes)
        return logits


def _nets(kind: str) -> Any:
    try:
        return import_module("monai.networks.nets")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "monai":
            raise
        raise ModelError(
            f"the network {kind} needs MONAI, which is not installed: "
            'pip install "napari-mmseg[train]"'
        ) from None
