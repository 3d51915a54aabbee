"""Cross-modality feature fusion (CMFF): branches for groups of modalities, fused under guidance.

Zhang et al., Cross-modality deep feature learning for brain tumor segmentation, Pattern
Recognition 110:107562, 2021. Axes are (batch, channel, I, P, L).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .blocks import double, enlarge, widths_of
from .region import RegionNetwork, present, region_logits

#: The paper's pairs, as channels of (T1, T1ce, T2, FLAIR): A = (T1, T1ce), B = (T2, FLAIR).
PAIRS = ((0, 1), (2, 3))


class Branch(nn.Module):
    """The paper's single-branch network: a U-Net of `levels` levels, 16-32-64-128-256 wide.

    A level is two 3^3 convolutions with instance normalisation (without scale and shift) and
    leaky rectifiers. Down by max-pooling, up by trilinear interpolation, skips concatenated, a
    1^3 convolution at the end. Input (N, inputs, I, P, L), every side a multiple of `stride`;
    output (N, outputs, I, P, L), linear: class logits, or images where it is a generator.
    """

    def __init__(self, inputs: int, outputs: int, base: int = 16, levels: int = 5) -> None:
        super().__init__()
        widths = widths_of(base, levels)
        self.base, self.levels = base, levels
        self.stride = 2 ** (levels - 1)
        self.encoders = nn.ModuleList(
            double(above, width, affine=False)
            for above, width in zip([inputs, *widths[:-1]], widths, strict=True)
        )
        self.down = nn.MaxPool3d(2)
        self.decoders = nn.ModuleList(
            double(widths[level + 1] + widths[level], widths[level], affine=False)
            for level in reversed(range(levels - 1))
        )
        self.output = nn.Conv3d(base, outputs, 1)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of the last two decoder levels: (N, 2 base, half the sides), (N, base, I, P, L)."""
        skips: list[Tensor] = []
        for encoder in self.encoders:
            skips.append(encoder(self.down(skips[-1]) if skips else images))
        fine = coarse = skips.pop()
        for decoder in self.decoders:
            coarse = fine
            fine = decoder(torch.cat([enlarge(coarse), skips.pop()], dim=1))
        return coarse, fine

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.output(self.features(images)[1])
        return result


class Cmff(RegionNetwork):
    """A branch for each group of modalities, and a fusion that their own masks guide.

    The branches' last two decoder levels are concatenated over the branches, each brought to
    `base` channels by two convolutions, the lower one enlarged, and both fused into F by two more
    (2 base to base channels). M is the sum of the branches' softmaxes over background and the
    regions' shells; the fused classes are a 1^3 convolution of the products F * M_i, one for each
    class i, concatenated.

    A group of which no modality is there has no say in M (the paper has no missing modalities):
    the others count for it. `groups` lists the channels of each branch: the paper's pairs, or one
    modality each (its base form).
    """

    kind = "cmff"

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 3,
        base: int = 16,
        levels: int = 5,
        groups: Sequence[Sequence[int]] = PAIRS,
    ) -> None:
        super().__init__()
        self.groups = tuple(tuple(group) for group in groups)
        if sorted(channel for group in self.groups for channel in group) != list(
            range(in_channels)
        ):
            raise ValueError(f"the groups {self.groups} do not share out {in_channels} channels")
        classes, count = out_channels + 1, len(self.groups)
        self.base, self.levels, self.inputs = base, levels, in_channels
        self.branches = nn.ModuleList(
            Branch(len(group), classes, base, levels) for group in self.groups
        )
        self.stride = 2 ** (levels - 1)
        self.lower = double(count * 2 * base, base, affine=False)
        self.upper = double(count * base, base, affine=False)
        self.merge = double(2 * base, base, affine=False)
        self.output = nn.Conv3d(classes * base, classes, 1)

    @property
    def feature_layers(self) -> tuple[str, ...]:
        branches = [
            f"branches.{b}.{part}.{n}"
            for b in range(len(self.groups))
            for part, count in (("encoders", self.levels), ("decoders", self.levels - 1))
            for n in range(count)
        ]
        return (*branches, "upper", "lower", "merge")

    def forward(self, volumes: Tensor) -> Tensor:
        return region_logits(self._classes(volumes)[-1])

    def heads(self, volumes: Tensor) -> tuple[Tensor, ...]:
        """Of each branch alone, then of the fusion: the paper's three losses are on these."""
        return tuple(region_logits(classes) for classes in self._classes(volumes))

    def guidance(self, volumes: Tensor) -> Tensor:
        """The mask guidance M: (N, classes, I, P, L), summing to the number of branches."""
        outputs = [
            branch(_of(volumes, group))
            for branch, group in zip(self.branches, self.groups, strict=True)
        ]
        return self._guidance(outputs, volumes)

    def _classes(self, volumes: Tensor) -> list[Tensor]:
        """Class logits of each branch, then of the fusion."""
        coarse, fine, outputs = [], [], []
        for branch, group in zip(self.branches, self.groups, strict=True):
            low, high = branch.features(_of(volumes, group))  # type: ignore[operator]
            coarse.append(low)
            fine.append(high)
            outputs.append(branch.output(high))  # type: ignore[operator]
        lower = enlarge(self.lower(torch.cat(coarse, dim=1)))
        upper = self.upper(torch.cat(fine, dim=1))
        shared = self.merge(torch.cat([upper, lower], dim=1))
        masks = self._guidance(outputs, volumes).split(1, dim=1)
        guided = torch.cat([shared * mask for mask in masks], dim=1)
        return [*outputs, self.output(guided)]

    def _guidance(self, outputs: Sequence[Tensor], volumes: Tensor) -> Tensor:
        seen = present(volumes)
        says = torch.stack([_of(seen, group).amax(1) for group in self.groups], dim=1)
        share = says * (len(self.groups) / says.sum(1, keepdim=True).clamp(min=1))
        total = outputs[0].new_zeros(())
        for number, classes in enumerate(outputs):
            weight = share[:, number].view(-1, 1, 1, 1, 1)
            total = total + weight * torch.softmax(classes, dim=1)
        return total


def _of(channels: Tensor, group: Sequence[int]) -> Tensor:
    """Some of the channels; OpenVINO converts no index of several numbers."""
    return torch.cat([channels[:, number : number + 1] for number in group], dim=1)


class CmffSingle(Cmff):
    """CMFF with one branch for each modality, the paper's base form."""

    kind = "cmff-single"

    def __init__(
        self, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
    ) -> None:
        each = [(channel,) for channel in range(in_channels)]
        super().__init__(in_channels, out_channels, base, levels, groups=each)
