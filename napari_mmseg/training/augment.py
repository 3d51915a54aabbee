"""Real cases made various: where they lie and how they look, drawn anew at each use.

Simulated cases need none of this: they are rendered afresh. Axes (C, I, P, L) for images, which
are normalised with 0 outside the brain and in a missing modality, and (I, P, L) for depths, which
are read by nearest neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_mmseg.training.simulate.artefacts import gaussian
from napari_mmseg.training.simulate.chance import Chance, Shape


@dataclass(frozen=True)
class Strengths:
    """How far each variation goes, and the share of uses that it touches.

    Rotation about each axis and scale are drawn evenly from their ranges; `elastic_voxels` is the
    typical displacement, `elastic_scale_voxels` the size of its waves; noise is in standard
    deviations of the channel; blur is a Gaussian's sigma; `coarser` is the factor by which voxels
    grow and are interpolated back. `flips`: share of mirrored cases by axis: a brain mirrored left
    to right is still a brain, one on its head is not.
    """

    rotate_deg: float = 15.0
    scale: tuple[float, float] = (0.85, 1.2)
    geometry_share: float = 0.7
    elastic_voxels: tuple[float, float] = (0.5, 4.0)
    elastic_scale_voxels: tuple[float, float] = (16.0, 40.0)
    elastic_share: float = 0.4
    flips: tuple[float, float, float] = (0.0, 0.0, 0.5)
    noise: tuple[float, float] = (0.02, 0.2)
    noise_share: float = 0.3
    gamma: tuple[float, float] = (0.7, 1.5)
    gamma_share: float = 0.4
    blur_voxels: tuple[float, float] = (0.4, 1.2)
    blur_share: float = 0.2
    coarser: tuple[float, float] = (1.5, 3.0)
    coarser_share: float = 0.2


USUAL = Strengths()
UNCHANGED = Strengths(
    geometry_share=0, elastic_share=0, flips=(0, 0, 0), noise_share=0, gamma_share=0,
    blur_share=0, coarser_share=0,
)  # fmt: skip


def augment(
    images: Tensor, depth: Tensor, chance: Chance, strengths: Strengths = USUAL
) -> tuple[Tensor, Tensor]:
    """A variant of a whole case: images (C, I, P, L) float32 and depths uint8, same shapes."""
    moved, labels = warp(images, depth, chance, strengths)
    return recolour(moved, chance, strengths), labels


def warp(
    images: Tensor,
    depth: Tensor,
    chance: Chance,
    strengths: Strengths = USUAL,
    size: Shape | None = None,
    centre: tuple[float, float, float] | None = None,
) -> tuple[Tensor, Tensor]:
    """A crop of `size` voxels around voxel `centre`, turned, scaled, bent and mirrored.

    Without size and centre, the whole. Images come interpolated linearly, as float32; beyond the
    case both are 0. Only the part of the case that the crop shows is read.
    """
    shape: Shape = (depth.shape[0], depth.shape[1], depth.shape[2])
    size = size or shape
    centre = centre or tuple((n - 1) / 2 for n in shape)  # type: ignore[assignment]
    matrix = _matrix(chance, strengths)
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in size]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1) @ matrix.T
    if chance.happens(strengths.elastic_share):
        waves = chance.field(size, chance.uniform(*strengths.elastic_scale_voxels), 3)
        places = places + waves.permute(1, 2, 3, 0) * chance.uniform(*strengths.elastic_voxels)
    places = places + torch.tensor(centre)
    low = [max(0, int(places[..., a].min().floor())) for a in range(3)]
    high = [min(n, int(places[..., a].max().ceil()) + 1) for a, n in enumerate(shape)]
    if any(start >= stop for start, stop in zip(low, high, strict=True)):
        return torch.zeros(len(images), *size), torch.zeros(size, dtype=torch.uint8)
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    lengths = torch.tensor([stop - start for start, stop in zip(low, high, strict=True)])
    unit = 2 * (places - torch.tensor(low)) / (lengths - 1).clamp(min=1) - 1
    grid = unit.flip(-1)[None]
    moved = functional.grid_sample(
        images[(slice(None), *box)].float()[None], grid, mode="bilinear", align_corners=True
    )
    labels = functional.grid_sample(
        depth[box].float()[None, None], grid, mode="nearest", align_corners=True
    )
    return moved[0], labels[0, 0].to(torch.uint8)


def _matrix(chance: Chance, strengths: Strengths) -> Tensor:
    """From the variant's voxels, relative to its middle, to the case's."""
    matrix = np.eye(3)
    if chance.happens(strengths.geometry_share):
        for axis in range(3):
            angle = np.deg2rad(chance.uniform(-strengths.rotate_deg, strengths.rotate_deg))
            turn = np.eye(3)
            a, b = (other for other in range(3) if other != axis)
            turn[a, a] = turn[b, b] = np.cos(angle)
            turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
            matrix = matrix @ turn
        matrix = matrix / chance.log_uniform(*strengths.scale)
    mirror = [-1.0 if chance.happens(share) else 1.0 for share in strengths.flips]
    return torch.tensor(matrix @ np.diag(mirror), dtype=torch.float32)


def recolour(images: Tensor, chance: Chance, strengths: Strengths = USUAL) -> Tensor:
    """The same anatomy (C, I, P, L) by another scanner: each channel on its own; zeros stay."""
    return torch.stack([_recoloured(channel, chance, strengths) for channel in images])


def _recoloured(channel: Tensor, chance: Chance, strengths: Strengths) -> Tensor:
    inside = channel != 0
    # What is drawn does not depend on the image, so that a missing modality changes no other.
    blur = chance.uniform(*strengths.blur_voxels) if chance.happens(strengths.blur_share) else 0.0
    coarser = chance.happens(strengths.coarser_share)
    factor = chance.uniform(*strengths.coarser) if coarser else 1.0
    noisy = chance.happens(strengths.noise_share)
    noise = chance.log_uniform(*strengths.noise) if noisy else 0.0
    bent = chance.happens(strengths.gamma_share)
    gamma = chance.log_uniform(*strengths.gamma) if bent else 1.0
    grain = chance.white(channel.shape) if noisy else None
    if not bool(inside.any()):
        return channel
    result = channel
    if blur > 0:
        result = gaussian(result[None], blur)[0]
    if factor > 1:
        result = _coarser(result, factor)
    if grain is not None:
        result = result + grain * (noise * channel[inside].std(correction=0))
    if gamma != 1.0:
        low, high = result[inside].min(), result[inside].max()
        span = (high - low).clamp(min=1e-6)
        result = ((result - low) / span).clamp(min=0) ** gamma * span + low
    return torch.where(_closed(inside), result, 0.0)


def _coarser(volume: Tensor, factor: float) -> Tensor:
    thin = [max(1, round(n / factor)) for n in volume.shape]
    coarse = functional.interpolate(volume[None, None], size=thin, mode="area")
    return functional.interpolate(coarse, size=volume.shape, mode="trilinear")[0, 0]


def _closed(mask: Tensor) -> Tensor:
    """`mask` with its pinholes: voxels of the brain may be exactly 0 after normalisation too."""
    wide = functional.max_pool3d(mask[None, None].float(), 3, 1, 1)
    return (1 - functional.max_pool3d(1 - wide, 3, 1, 1))[0, 0] > 0
