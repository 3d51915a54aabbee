"""A 3D U-Net over patches of 2x2x2 voxels: full size in and out, half size in between.

Axes are (batch, channel, I, P, L). A U-Net spends most of its time and memory on the few channels
at full size. Here a strided convolution embeds each patch at once and a transposed one unfolds it
at the end, as in sub-pixel networks (Shi W et al., CVPR 2016), so that more channels at half the
size cost a fraction of it: right where borders are smooth at the scale of a patch, as the brain's.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from .blocks import climb, climbers, double, widths_of
from .region import RegionNetwork

PATCH = 2

_SAME_IN_BOTH = ("ups.", "decoders.")


class PatchUNet(RegionNetwork):
    """Logits of nested regions from co-registered volumes.

    Input (N, in_channels, I, P, L) with every spatial length a multiple of `stride`; a missing
    modality is an all-zero channel. Output (N, out_channels, I, P, L), logits.
    """

    kind = "unet-patch"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        super().__init__()
        # Levels are counted from the full size, as in the U-Net: the same stride and depth.
        widths = widths_of(base, levels - 1)
        self.base, self.levels, self.inputs = base, levels, in_channels
        self.stride = PATCH ** (levels - 1)
        self.embed = nn.Conv3d(in_channels, base, PATCH, stride=PATCH)
        self.encoders = nn.ModuleList(
            double(inputs, outputs)
            for inputs, outputs in zip([base, *widths], widths, strict=False)
        )
        self.down = nn.MaxPool3d(2)
        self.ups, self.decoders = climbers(widths)
        self.head = nn.ConvTranspose3d(base, out_channels, PATCH, stride=PATCH)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        coarsest = len(self.encoders) - 1
        return (
            *(f"encoders.{n}" for n in range(coarsest + 1)),
            *(f"decoders.{n}" for n in range(coarsest)),
        )

    def forward(self, volumes: Tensor) -> Tensor:
        levels: list[Tensor] = []
        for encoder in self.encoders:
            levels.append(encoder(self.down(levels[-1]) if levels else self.embed(volumes)))
        logits: Tensor = self.head(climb(levels, self.ups, self.decoders))
        return logits


def inner_levels(unet: Mapping[str, Tensor], patch_unet: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a U-Net that fit a patch U-Net: those of half the size and less.

    Names are those of `patch_unet`. With as many levels and twice the base all convolutions of
    the inner levels fit but the first, whose input is embedded in another way.
    """
    found = {}
    for name, value in patch_unet.items():
        part, _, rest = name.partition(".")
        if name.startswith(_SAME_IN_BOTH):
            source = name
        elif part == "encoders":
            level, _, layer = rest.partition(".")
            source = f"encoders.{int(level) + 1}.{layer}"
        else:
            continue
        if source in unet and unet[source].shape == value.shape:
            found[name] = unet[source]
    return found
