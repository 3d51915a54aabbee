"""Heads: read from label maps, or made up for tests; each use deforms them afresh.

Axes (I, P, L), 1 mm voxels. A head is a uint8 volume of tissue + 32 * side (see tissues.py).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.chance import Chance, Shape
from napari_mmseg.training.simulate.neighbours import dilated, eroded

BRAIN_MARGIN_MM = 14
HELD_OUT_FILES = ("training_seg_04", "training_seg_10", "training_seg_15")
TISSUE_MASK = (1 << t.SIDE_SHIFT) - 1

Head = NDArray[np.uint8]


def anatomy_files(folder: Path, held_out: bool = False) -> list[Path]:
    """Label maps of `folder`, sorted; those kept out of training if `held_out`.

    Raises FileNotFoundError if there is none.
    """
    files = sorted(p for p in folder.iterdir() if p.name.endswith((".nii", ".nii.gz")))
    chosen = [p for p in files if (p.name.split(".")[0] in HELD_OUT_FILES) == held_out]
    if not chosen:
        raise FileNotFoundError(f"no anatomical label map (.nii.gz) in {folder}")
    return chosen


def read_head(path: Path) -> Head:
    """A FreeSurfer label map as a head in (I, P, L), cropped to the brain and a margin."""
    import nibabel
    from nibabel import orientations as o

    image = nibabel.load(path)
    transform = o.ornt_transform(
        o.io_orientation(image.affine),  # type: ignore[attr-defined]
        o.axcodes2ornt(("I", "P", "L")),
    )
    data = np.asarray(image.dataobj)  # type: ignore[attr-defined]
    codes = o.apply_orientation(np.rint(data).astype(np.int32), transform)
    head: Head = t.lookup()[np.clip(codes, 0, 1023)]
    tissue = head & TISSUE_MASK
    inside = (tissue > 0) & (tissue != t.RESIDUE) & (tissue != t.CSF)
    box = []
    for axis in range(3):
        lines = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        low = max(0, int(lines[0]) - BRAIN_MARGIN_MM)
        box.append(slice(low, int(lines[-1]) + 1 + BRAIN_MARGIN_MM))
    return np.ascontiguousarray(head[tuple(box)])


def procedural_head(seed: int = 0, size: int = 96) -> Head:
    """A small made-up head for tests: folded cortex, deep nuclei, ventricles, two sides."""
    chance = Chance(seed)
    shape = (size, size, size)
    axes = [torch.linspace(-1.25, 1.25, size)] * 3
    i, p, left = torch.meshgrid(*axes, indexing="ij")
    radius = torch.sqrt(i**2 + (p / 1.1) ** 2 + left**2)
    folds = chance.cloud(shape, 8.0)
    head = torch.zeros(shape, dtype=torch.uint8)
    head[radius < 1.12] = t.RESIDUE
    head[radius < 1.05] = t.CSF
    head[(radius < 1.0) & (folds > -1.0)] = t.CORTEX
    head[radius < 0.86 + 0.05 * folds] = t.WHITE
    for tissue, centre, size_of in ((t.THALAMUS, 0.16, 0.16), (t.STRIATUM, 0.32, 0.2)):
        head[torch.sqrt(i**2 + p**2 + (left.abs() - centre) ** 2) < size_of] = tissue
    head[torch.sqrt((i * 2) ** 2 + (p / 1.6) ** 2 + ((left.abs() - 0.14) * 3) ** 2) < 0.28] = (
        t.VENTRICLE
    )
    sides = torch.where(left > 0, t.LEFT, t.RIGHT).to(torch.uint8) << t.SIDE_SHIFT
    one_sided = (head != t.RESIDUE) & (head != t.CSF) & (head != t.OUTSIDE)
    head[one_sided] += sides[one_sided]
    result: Head = head.numpy()
    return result


def deform(head: Head, chance: Chance) -> Tensor:
    """A new head from an old one: mirrored or not, turned, stretched and bent (uint8, (I, P, L)).

    Nearest neighbour through one smooth map, so that classes stay classes.
    """
    volume = torch.from_numpy(head).to(chance.device)
    if chance.happens(0.5):
        volume = swap_sides(torch.flip(volume, (2,)))
    shape = (volume.shape[0], volume.shape[1], volume.shape[2])
    size = chance.uniform(0.9, 1.06)  # below 1 enlarges: atlas space is roomy
    places = draw_places(shape, size, chance)
    return sample_nearest(volume, places, torch.tensor(shape, dtype=torch.float32))


def draw_places(shape: Shape, size: float, chance: Chance) -> Tensor:
    """Where each voxel of a deformed head comes from: (*shape, 3), mm from the centre."""
    affine = torch.eye(3)
    for axis in range(3):
        angle = np.deg2rad(float(np.clip(chance.normal(6.0), -14, 14)))
        turn = torch.eye(3)
        a, b = [other for other in range(3) if other != axis]
        turn[a, a] = turn[b, b] = float(np.cos(angle))
        turn[a, b], turn[b, a] = -float(np.sin(angle)), float(np.sin(angle))
        affine = affine @ turn
    affine = affine @ torch.diag(
        torch.tensor([size * chance.uniform(0.94, 1.06) for _ in range(3)])
    )
    bend = chance.field(shape, chance.uniform(28, 48), 3) * chance.uniform(0.5, 2.2)
    bend += chance.field(shape, 14.0, 3) * chance.uniform(0.1, 0.7)
    i, p, left = (
        torch.arange(n, dtype=torch.float32, device=chance.device) - (n - 1) / 2 for n in shape
    )
    for component, (a, b, c) in enumerate(affine.tolist()):
        # Plane by line is all the turning there is to do for a straight grid.
        bend[component] += (a * i[:, None] + b * p)[..., None]
        bend[component] += c * left
    return bend.permute(1, 2, 3, 0)


def narrow_sulci(head: Tensor, chance: Chance) -> Tensor:
    """Cortex grown by up to a voxel into the fluid around it, unevenly.

    The label maps give every sulcus a fluid voxel or two; in most patients they are tighter.
    """
    if chance.happens(0.25):
        return head
    shape = (head.shape[0], head.shape[1], head.shape[2])
    closing = chance.field(shape, 20.0)[0] > chance.uniform(-2.0, 0.5)
    open_fluid = ((head & TISSUE_MASK) == t.CSF) & closing
    result = head.clone()
    for axis in range(3):
        inner = head.shape[axis] - 1
        for into, source in ((1, 0), (0, 1)):
            neighbour = head.narrow(axis, source, inner)
            target = result.narrow(axis, into, inner)
            grows = open_fluid.narrow(axis, into, inner) & ((neighbour & TISSUE_MASK) == t.CORTEX)
            target.copy_(torch.where(grows, neighbour, target))
    return result


def fold_cerebellum(head: Tensor, chance: Chance) -> Tensor:
    """Folia in the cerebellar cortex, which label maps give as one solid mass.

    Lamellae a few millimetres apart, curved about the brainstem, cut into it in turn: fluid, and
    the white matter of each folium. Without them every real cerebellum looks like tumour.
    """
    tissue = head & TISSUE_MASK
    stem = torch.nonzero(tissue == t.BRAINSTEM)
    cortex = torch.nonzero(tissue == t.CEREBELLAR_CORTEX)
    if not len(stem) or not len(cortex) or chance.happens(0.1):
        return head
    low, high = cortex.min(dim=0).values.tolist(), (cortex.max(dim=0).values + 1).tolist()
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    shape = (high[0] - low[0], high[1] - low[1], high[2] - low[2])
    hub = stem.float().mean(dim=0)
    axes = [
        torch.arange(a, b, device=head.device) - m
        for a, b, m in zip(low, high, hub.tolist(), strict=True)
    ]
    offset = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    stretch = torch.tensor([chance.uniform(0.6, 1.6) for _ in range(3)], device=head.device)
    radius = (offset * stretch.view(3, 1, 1, 1)).norm(dim=0)
    radius = radius + chance.field(shape, 15.0)[0] * 2.0
    wave = torch.sin(radius * (2 * torch.pi / chance.uniform(3.0, 6.0)))
    part = head[box].clone()
    here = (part & TISSUE_MASK) == t.CEREBELLAR_CORTEX
    side = (part >> t.SIDE_SHIFT) << t.SIDE_SHIFT
    part = torch.where(here & (wave < chance.uniform(-0.9, -0.2)), side + t.CEREBELLAR_WHITE, part)
    part = torch.where(here & (wave > chance.uniform(0.8, 1.0)), t.CSF, part)
    folded = head.clone()
    folded[box] = part
    return folded


def sample_nearest(volume: Tensor, places_mm: Tensor, lengths: Tensor) -> Tensor:
    """Class volume read at `places_mm` (*shape, 3), mm from the centre; 0 beyond the edge."""
    unit = places_mm / ((lengths.to(places_mm.device) - 1) / 2)
    sampled = functional.grid_sample(
        volume[None, None].float(), unit.flip(-1)[None], mode="nearest", align_corners=True
    )
    return sampled[0, 0].to(torch.uint8)


def sample_linear(images: Tensor, places_mm: Tensor, lengths: Tensor) -> Tensor:
    """Images (C, I, P, L) read at `places_mm` (*shape, 3), mm from the centre; 0 beyond."""
    unit = places_mm / ((lengths.to(places_mm.device) - 1) / 2)
    return functional.grid_sample(images[None], unit.flip(-1)[None], align_corners=True)[0]


def swap_sides(volume: Tensor) -> Tensor:
    """The same volume with LEFT and RIGHT exchanged (after a flip of the L axis)."""
    codes = torch.arange(256)
    side = codes >> t.SIDE_SHIFT
    swapped = torch.where(side == t.LEFT, t.RIGHT, torch.where(side == t.RIGHT, t.LEFT, side))
    table = ((codes & TISSUE_MASK) | (swapped << t.SIDE_SHIFT)).to(torch.uint8)
    return table.to(volume.device)[volume.long()]


def strip_skull(head: Tensor, chance: Chance) -> Tensor:
    """Image support (bool): the brain with its sulci, eroded or dilated unevenly.

    Follows what brain extraction leaves in public data sets: some fluid outside, now and then a
    strip of skull or a bite out of the cortex.
    """
    tissue = head & TISSUE_MASK
    core = torch.from_numpy(t.member_table((*t.PARENCHYMA, t.VENTRICLE, t.PLEXUS))).to(head.device)
    inside = core[tissue.long()][None, None].float()
    coarse = functional.avg_pool3d(inside, 2, ceil_mode=True)
    closed = (coarse > 0.3).float()
    reach = 2
    for _ in range(reach):
        closed = dilated(closed)
    for _ in range(reach):
        closed = eroded(closed)
    closed = torch.maximum(closed, coarse)
    for _ in range(chance.pick((0.55, 0.35, 0.1))):
        closed = dilated(closed)
    closed = functional.avg_pool3d(closed, 3, 1, 1)
    shape = (tissue.shape[0], tissue.shape[1], tissue.shape[2])
    fine = functional.interpolate(closed, size=shape, mode="trilinear", align_corners=False)[0, 0]
    wobble = chance.field(shape, chance.uniform(8, 30))[0] * chance.uniform(0.02, 0.16)
    support = (fine + wobble > chance.uniform(0.35, 0.6)) & (fine > 0.1)
    bone = (tissue == t.RESIDUE) | (tissue == t.OUTSIDE)
    if chance.happens(0.95):
        # Bone and scalp stay only where the extraction went wrong.
        support &= ~bone | (chance.field(shape, 25.0)[0] > chance.uniform(0.8, 2.5))
    return support
