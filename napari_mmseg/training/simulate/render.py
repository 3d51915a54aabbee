"""Geometry into four normalised images, with new contrasts and artefacts at each call."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_mmseg.preprocess.normalise import CLIP_SIGMA, SIGMA_OF_IQR
from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.artefacts import (
    Spoiling,
    bias_field,
    draw_spoiling,
    gaussian,
    gaussian_reach,
    spoil,
)
from napari_mmseg.training.simulate.case import Geometry
from napari_mmseg.training.simulate.chance import Chance, Shape
from napari_mmseg.training.simulate.contrast import Contrast, LesionLook, draw_contrast

OVERVIEW_STEP = 3
FLOOD = (0.35, 1.4)
FLOOD_GRAINS = 5  # oedema thins out over centimetres, in all contrasts at once
USUAL_FLUID = (0.4, 0.4, 2.0, 0.4)  # T1, T1ce, T2, FLAIR, white matter 1
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Recipe:
    """All that turns one geometry into images, except the voxel noise."""

    contrast: Contrast
    spoiling: tuple[Spoiling, ...]
    edge_mm: float
    grain_mm: float
    waves: Tensor


def draw_recipe(case: Geometry, chance: Chance) -> Recipe:
    """Contrast and artefacts for a head; on a real scan the tissues keep their contrast."""
    return Recipe(
        contrast=draw_contrast(chance, None if case.scan is None else _means(case)).on(
            chance.device
        ),
        spoiling=draw_spoiling(case.shape, chance),
        edge_mm=chance.log_uniform(0.3, 1.6),
        grain_mm=chance.uniform(1.5, 5.0),
        waves=chance.white((4,)) * 0.5,
    )


def _means(case: Geometry) -> Tensor:
    """Intensities (4, TISSUES) of a real scan's tissues; usual ones where it has none of them."""
    assert case.scan is not None
    means = torch.ones(4, t.TISSUES)
    for fluid in (t.CSF, t.VENTRICLE):
        means[:, fluid] = torch.tensor(USUAL_FLUID)
    below = case.tissue[::OVERVIEW_STEP, ::OVERVIEW_STEP, ::OVERVIEW_STEP]
    images = case.scan[:, ::OVERVIEW_STEP, ::OVERVIEW_STEP, ::OVERVIEW_STEP]
    for code in below.unique().tolist():
        means[:, code] = images[:, below == code].median(dim=1).values
    return means


def draw_texture(shape: Shape, grain_mm: float, waves: Tensor, chance: Chance) -> Tensor:
    """Local variation (4, *shape): part shared by all contrasts, part each contrast's own."""
    shared = chance.field(shape, grain_mm)
    slow = chance.field(shape, 4 * grain_mm)
    own = chance.field(shape, grain_mm, 4)
    sign = waves.sign().view(4, 1, 1, 1)
    return 0.5 * own + 0.5 * sign * shared + 0.5 * sign * slow


def paint(
    tissue: Tensor, lesion: Tensor, recipe: Recipe, chance: Chance, scan: Tensor | None = None
) -> Tensor:
    """Noise-free intensities (4, *shape), white matter about 1, soft lesion borders."""
    look = recipe.contrast
    shape: Shape = (tissue.shape[0], tissue.shape[1], tissue.shape[2])
    texture = draw_texture(shape, recipe.grain_mm, recipe.waves, chance)
    base = scan
    if base is None:
        base = _in_classes(tissue, look.tissue, look.tissue_texture, texture)
    flood = 1 + look.lesions.unevenness * chance.field(shape, FLOOD_GRAINS * recipe.grain_mm)[0]
    flood = flood.clamp(*FLOOD)
    return lay_over(base, lesion, look.lesions, texture, flood, recipe.edge_mm)


def _in_classes(classes: Tensor, mean: Tensor, amplitude: Tensor, texture: Tensor) -> Tensor:
    """Each class's mean and its share of `texture` (4, *shape), from tables (4, N): (4, *shape)."""
    codes = classes.reshape(-1).int()
    images = torch.empty_like(texture)
    for channel, image in enumerate(images):
        # A channel and a table at a time: the memory that this saves is the time that it saves.
        share = amplitude[channel].index_select(0, codes).view(image.shape)
        torch.mul(share, texture[channel], out=image)
        image += mean[channel].index_select(0, codes).view(image.shape)
    return images


def lay_over(
    base: Tensor,
    lesion: Tensor,
    look: LesionLook,
    texture: Tensor,
    flood: Tensor,
    edge_mm: float,
) -> Tensor:
    """Images (4, I, P, L) with lesion classes (uint8, (I, P, L)) painted on, soft at the border.

    `flood` (I, P, L): how much water there is where it spreads, 1 on the average.

    Only the box of the lesions is worked on: in a whole brain that is most of the time saved.
    """
    box = _box_of(lesion > 0, gaussian_reach(edge_mm))
    if box is None:
        return base
    lesion, texture, below = lesion[box], texture[:, *box], base[:, *box]
    cover = look.opacity.index_select(0, lesion.reshape(-1).int()).view(1, *lesion.shape)
    spread = (lesion == t.OEDEMA) | (lesion == t.INFILTRATED)
    cover = torch.where(spread, cover * flood[None, *box], cover)
    over = _in_classes(lesion, look.mean, look.texture, texture) * cover
    # Premultiplied colours, so that the blurred border mixes only what is really there.
    soft = gaussian(torch.cat([cover, over]), edge_mm)
    result = base.clone()
    result[:, *box] = below * (1 - soft[:1]) + soft[1:]
    return result


def _box_of(mask: Tensor, margin: int) -> Box | None:
    """The box of a mask (I, P, L) and `margin` voxels around it; None where it is empty."""
    slices = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        lines = torch.nonzero(mask.amax(dim=others))[:, 0]
        if len(lines) == 0:
            return None
        low, high = int(lines[0]) - margin, int(lines[-1]) + 1 + margin
        slices.append(slice(max(0, low), min(high, mask.shape[axis])))
    return slices[0], slices[1], slices[2]


def render(geometry: Geometry, box: Box, recipe: Recipe, chance: Chance) -> Tensor:
    """Normalised images (4, *box) of part of a head, as `normalise` would give for all of it.

    Centre and scale come from a coarse overview of the whole head, so a crop needs no more.
    """
    shape = geometry.shape
    device = geometry.tissue.device
    everywhere = tuple(torch.arange(0, n, OVERVIEW_STEP, device=device) for n in shape)
    every = (slice(None, None, OVERVIEW_STEP),) * 3
    tissue, lesion, scan = geometry.tissue[every], geometry.lesion[every], geometry.scan
    inside = tissue != t.OUTSIDE
    overview = paint(tissue, lesion, recipe, chance, None if scan is None else scan[:, *every])
    here = tuple(torch.arange(s.start, s.stop, device=device) for s in box)
    part, part_lesion = geometry.tissue[box], geometry.lesion[box]
    support = part != t.OUTSIDE
    clean = paint(part, part_lesion, recipe, chance, None if scan is None else scan[:, *box])
    # Never into `clean`: without a lesion it is the scan itself.
    images = torch.empty_like(clean)
    for channel, spoiling in enumerate(recipe.spoiling):
        a, b, c = everywhere
        coil = bias_field(spoiling, shape, (a, b, c))
        noisy = overview[channel] + spoiling.noise * chance.white(coil.shape)
        values = (noisy.abs() * coil).clamp(min=1e-3) ** spoiling.gamma
        low, middle, high = torch.quantile(
            values[inside][::3], torch.tensor([0.25, 0.5, 0.75], device=device)
        )
        sigma = (high - low).clamp(min=1e-3) / SIGMA_OF_IQR
        a, b, c = here
        image = spoil(clean[channel], spoiling, bias_field(spoiling, shape, (a, b, c)), chance)
        image = ((image - middle) / sigma).clamp(*CLIP_SIGMA)
        covered = support.clone()
        for axis, (first, last) in enumerate(spoiling.window):
            index = here[axis]
            view = [1, 1, 1]
            view[axis] = -1
            covered &= ((index >= first) & (index < last)).view(view)
        images[channel] = image * covered
    return images
