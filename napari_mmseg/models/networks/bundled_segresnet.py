"""MONAI's SegResNet as a model bundle describes it: other people's weights keep their shape.

Myronenko A, "3D MRI brain tumor segmentation using autoencoder regularization", BrainLes 2018.
Axes are (batch, channel) and three spatial ones in the order that the model's card names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ...errors import ModelError
from ..card import BUNDLED_SEGRESNET
from .region import RegionNetwork


class BundledSegResNet(RegionNetwork):
    """One logit a region, in the order of the bundle's output channels.

    `options` are SegResNet's own arguments as plain values (see `importers.segresnet`). Input
    (N, in_channels, ...) with every side a multiple of `stride`; output (N, out_channels, ...).

    Raises
    ------
    ModelError
        When MONAI is not installed or cannot build such a network.
    """

    kind = BUNDLED_SEGRESNET

    def __init__(self, in_channels: int, out_channels: int, options: Mapping[str, Any]) -> None:
        super().__init__()
        try:
            from monai.networks.nets import SegResNet
        except ImportError:
            raise ModelError(
                "the network of this model is built by MONAI, which is not installed: "
                "pip install napari-mmseg[train]"
            ) from None
        try:
            self.network: nn.Module = SegResNet(
                in_channels=in_channels, out_channels=out_channels, **options
            )
        except (TypeError, ValueError, NotImplementedError) as error:
            raise ModelError(f"MONAI cannot build this SegResNet: {error}") from error
        self.inputs = in_channels
        self.base = int(options["init_filters"])
        self.levels = len(options["blocks_down"])
        self.stride = 2 ** (self.levels - 1)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        down = [f"network.down_layers.{level}" for level in range(self.levels)]
        return (*down, *(f"network.up_layers.{level}" for level in range(self.levels - 1)))

    def forward(self, volumes: Tensor) -> Tensor:
        logits: Tensor = self.network(volumes)
        return logits
