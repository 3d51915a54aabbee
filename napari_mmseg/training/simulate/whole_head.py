"""Whole heads with their skull in contrasts that no scanner makes: to learn brain extraction.

A network that has seen every contrast needs none in particular: each label gets its own random
intensity, texture and noise at every use (Hoopes A et al., SynthStrip, NeuroImage 260:119474,
2022). Axes (I, P, L); heads are read at 1 mm and rendered on a grid of `SPACING_MM`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_mmseg.preprocess.head import SPACING_MM, scale_head
from napari_mmseg.training.simulate.anatomy import TISSUE_MASK, sample_nearest
from napari_mmseg.training.simulate.artefacts import gaussian, thick_slices
from napari_mmseg.training.simulate.chance import Chance, Shape

GRID: Shape = (112, 128, 112)  # voxels of SPACING_MM: a head from vertex to chin
NO_TISSUE = 0
BRAIN_CODES = 500  # FreeSurfer codes below this are brain or its fluid; above: skull, skin, eyes
STRIPPED_SHARE = 0.1
LESION_SHARE = 0.5

WholeHead = NDArray[np.uint8]


def read_whole_head(path: Path) -> tuple[WholeHead, NDArray[np.bool_]]:
    """A label map as indices (I, P, L) at 1 mm, 0 outside, and which indices are brain."""
    import nibabel
    from nibabel import orientations as o

    image = nibabel.load(path)
    transform = o.ornt_transform(
        o.io_orientation(image.affine),  # type: ignore[attr-defined]
        o.axcodes2ornt(("I", "P", "L")),
    )
    data = np.asarray(image.dataobj)  # type: ignore[attr-defined]
    codes = o.apply_orientation(np.rint(data).astype(np.int32), transform)
    known = np.unique(np.append(codes, 0))
    head = np.searchsorted(known, codes).astype(np.uint8)
    return np.ascontiguousarray(head), (known > 0) & (known < BRAIN_CODES)


def made_up_head(tissue: NDArray[np.uint8]) -> tuple[WholeHead, NDArray[np.bool_]]:
    """A head of tissue classes (anatomy.procedural_head) as `read_whole_head` gives it."""
    from napari_mmseg.training.simulate import tissues as t

    is_brain = np.zeros(t.TISSUES, dtype=bool)
    is_brain[1:] = True
    is_brain[t.RESIDUE] = False
    return (tissue & TISSUE_MASK).astype(np.uint8), is_brain


def draw_whole_head(
    head: WholeHead, is_brain: NDArray[np.bool_], chance: Chance
) -> tuple[Tensor, Tensor]:
    """Image (1, *GRID), scaled to 0..1, and the brain in it (uint8, GRID)."""
    volume = torch.from_numpy(head)
    if chance.happens(0.5):
        volume = torch.flip(volume, (2,))
    labels = sample_nearest(volume, _places(chance), torch.tensor(volume.shape).float())
    brain = torch.from_numpy(is_brain)[labels.long()]
    image = _intensities(labels, brain, chance)
    image = _spoilt(image, chance)
    window = _field_of_view(chance)
    image, brain = image * window, brain & (window > 0)
    return torch.from_numpy(scale_head(image.numpy()))[None], brain.to(torch.uint8)


def _places(chance: Chance) -> Tensor:
    """Where each voxel of the grid lies in the head: (*GRID, 3), mm from its centre."""
    affine = torch.eye(3)
    for axis in range(3):
        angle = np.deg2rad(chance.uniform(-20, 20))
        turn = torch.eye(3)
        a, b = [other for other in range(3) if other != axis]
        turn[a, a] = turn[b, b] = float(np.cos(angle))
        turn[a, b], turn[b, a] = -float(np.sin(angle)), float(np.sin(angle))
        affine = affine @ turn
    affine = affine * chance.uniform(0.85, 1.15)
    axes = [(torch.arange(n).float() - (n - 1) / 2) * SPACING_MM for n in GRID]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1) @ affine.T
    bend = chance.field(GRID, chance.uniform(12, 30), 3) * chance.uniform(0.5, 4.0)
    shift = torch.tensor([chance.uniform(-15, 15) for _ in range(3)])
    return places + bend.permute(1, 2, 3, 0) + shift


def _intensities(labels: Tensor, brain: Tensor, chance: Chance) -> Tensor:
    """A random level, gradient and grain for every label; now and then a lesion in the brain."""
    count = int(labels.max()) + 1
    level = torch.from_numpy(chance.rng.uniform(0, 1, count)).float()
    grain = torch.from_numpy(chance.rng.uniform(0, 0.12, count)).float()
    air = chance.happens(0.9)
    if air:
        level[NO_TISSUE], grain[NO_TISSUE] = 0.0, 0.0
    index = labels.long()
    texture = 0.6 * chance.white(GRID) + 0.8 * chance.field(GRID, chance.uniform(4, 12))[0]
    image = level[index] + grain[index] * texture
    if chance.happens(LESION_SHARE):
        cloud = chance.cloud(GRID, chance.uniform(8, 20))
        lesion = brain & (cloud > chance.uniform(1.2, 2.2))
        image[lesion] = chance.uniform(0, 1.3) + 0.05 * texture[lesion]
    if chance.happens(STRIPPED_SHARE):
        rest = functional.max_pool3d(brain[None].float(), 3, 1, 1)[0] > 0
        image = image * rest
    return image.clamp(min=0)


def _spoilt(image: Tensor, chance: Chance) -> Tensor:
    image = gaussian(image[None], chance.uniform(0.2, 0.9))[0]
    if chance.happens(0.5):
        slab = chance.uniform(1.5, 4.0)  # voxels: slices of 3 to 8 mm
        image = thick_slices(image, (chance.integer(0, 3), slab))
    bias = chance.field(GRID, chance.uniform(40, 80))[0] * chance.uniform(0, 0.35)
    noise = chance.log_uniform(0.003, 0.06)
    real, other = chance.white(GRID) * noise, chance.white(GRID) * noise
    image = torch.sqrt((image * torch.exp(bias) + real) ** 2 + other**2)
    return image.clamp(min=0) ** chance.log_uniform(0.7, 1.5)


def _field_of_view(chance: Chance) -> Tensor:
    """Ones where the scan reaches: the neck is cut as often as not, other sides seldom."""
    window = torch.ones(GRID)
    if chance.happens(0.5):
        window[int(GRID[0] * chance.uniform(0.6, 0.95)) :] = 0
    if chance.happens(0.15):
        window[: int(GRID[0] * chance.uniform(0.02, 0.2))] = 0
    if chance.happens(0.15):
        window[:, :, : int(GRID[2] * chance.uniform(0.02, 0.2))] = 0
    return window
