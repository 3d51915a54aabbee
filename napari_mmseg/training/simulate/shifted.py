"""Cases made differently from those of training, to choose between models honestly.

Other tumours: grown outwards at a speed that the tissue and a random field set, where training
bends ellipsoids. Other contrasts: sequence equations (physics.py), where training draws
intensities. Other artefacts: polynomial coil profiles and correlated noise. Anatomy and brain
extraction are shared with training, so maps kept out of it should be given.

Axes (I, P, L), 1 mm.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_mmseg.preprocess.normalise import normalise
from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import TISSUE_MASK, Head, deform, strip_skull
from napari_mmseg.training.simulate.artefacts import gaussian
from napari_mmseg.training.simulate.case import Geometry, cropped
from napari_mmseg.training.simulate.chance import Chance, Shape
from napari_mmseg.training.simulate.distractors import draw_hyperintensities, draw_vessels
from napari_mmseg.training.simulate.physics import draw_signals

HEALTHY_SHARE = 0.1
MULTIFOCAL_SHARE = 0.12
NON_ENHANCING_SHARE = 0.25
GRID_MM = 2  # growth is computed on every second voxel
RADIUS_MM = (6.0, 34.0)  # of a ball of the core's volume
_SPEED = {
    t.WHITE: 1.0, t.CORTEX: 0.45, t.THALAMUS: 0.6, t.STRIATUM: 0.6, t.PALLIDUM: 0.6,
    t.HIPPOCAMPUS: 0.8, t.CEREBELLAR_WHITE: 0.9, t.CEREBELLAR_CORTEX: 0.5, t.BRAINSTEM: 0.6,
}  # fmt: skip


def shifted_case(head: Head, chance: Chance) -> tuple[Geometry, NDArray[np.float32]]:
    """Geometry and normalised images (4, I, P, L) of one whole head."""
    brain = deform(head, chance)
    tissue = brain & TISSUE_MASK
    lesion = torch.zeros_like(tissue)
    if not chance.happens(HEALTHY_SHARE):
        foci = chance.integer(2, 4) if chance.happens(MULTIFOCAL_SHARE) else 1
        for _ in range(foci):
            _grow_tumour(tissue, lesion, chance, shrink=1.0 if foci == 1 else 0.5)
    support = strip_skull(brain, chance)
    draw_vessels(tissue, lesion, brain >> t.SIDE_SHIFT, chance)
    draw_hyperintensities(tissue, lesion, chance)
    tissue[support & (tissue == t.OUTSIDE)] = t.CSF
    tissue[~support] = t.OUTSIDE
    lesion[~support] = t.NORMAL
    case = cropped(tissue, lesion)
    return case, _images(case, chance)


def _grow_tumour(tissue: Tensor, lesion: Tensor, chance: Chance, shrink: float) -> None:
    """Write core, rim and oedema of one tumour into `lesion` (in place)."""
    shape: Shape = (tissue.shape[0], tissue.shape[1], tissue.shape[2])
    speed = torch.full((256,), 1e-3)
    for code, value in _SPEED.items():
        speed[code] = value
    slow = (1 / speed[tissue.long()][::GRID_MM, ::GRID_MM, ::GRID_MM]).numpy()
    noise = chance.cloud((slow.shape[0], slow.shape[1], slow.shape[2]), chance.uniform(4, 9), 3)
    rough = np.exp(chance.uniform(0.3, 0.9) * noise.numpy())
    seeds = np.argwhere((tissue[::GRID_MM, ::GRID_MM, ::GRID_MM] == t.WHITE).numpy())
    where = chance.integer(0, len(seeds))
    # The core pushes through any tissue; oedema follows the white matter.
    core_cost = np.sqrt(np.minimum(slow, 30)) * rough
    core_time = _arrival(core_cost, seeds[where : where + 1])
    radius = chance.uniform(*RADIUS_MM) * shrink
    voxels = int(4 / 3 * np.pi * radius**3 / GRID_MM**3)
    ordered = np.sort(core_time, axis=None)
    core_end = float(ordered[min(voxels, ordered.size - 1)])
    inside = core_time <= core_end
    oedema_time = _arrival(slow * np.sqrt(rough), np.argwhere(inside))
    reach = chance.uniform(0, 22) / GRID_MM if chance.happens(0.85) else 0.0
    share = _fine(core_time / max(core_end, 1e-6), shape)
    spread = _fine(oedema_time, shape)
    solid = (tissue != t.OUTSIDE) & (tissue != t.RESIDUE) & (tissue != t.VENTRICLE)
    patch = torch.zeros_like(tissue)
    patch[(spread <= reach) & solid & (tissue != t.CSF)] = t.OEDEMA
    core = (share <= 1) & solid
    patch[core] = t.NORMAL
    patch[core] = _compartments(share, core, radius, chance)[core]
    deeper = torch.from_numpy(t.DEPTH_OF_LESION)
    lesion.copy_(torch.where(deeper[patch.long()] > deeper[lesion.long()], patch, lesion))


def _compartments(share: Tensor, core: Tensor, radius: float, chance: Chance) -> Tensor:
    """Classes inside the core from the share of its growth time (0 middle, 1 border)."""
    shape: Shape = (core.shape[0], core.shape[1], core.shape[2])
    classes = torch.full_like(core, t.SOLID, dtype=torch.uint8)
    noise = chance.cloud(shape, max(4.0, radius * 0.5), 3)
    if chance.happens(NON_ENHANCING_SHARE):
        if chance.happens(0.4):
            classes[noise > chance.uniform(0, 1.2)] = t.CYST
        border = chance.uniform(0.75, 1.0)
        classes[share > border] = t.INFILTRATED
        return classes
    rim = chance.uniform(0.1, 0.6)
    classes[:] = t.ENHANCING
    middle = share + 0.15 * noise < 1 - rim
    classes[middle] = t.NECROSIS if chance.happens(0.75) else t.CYST
    if chance.happens(0.35):
        classes[~middle & (noise > chance.uniform(0.2, 1.0))] = t.SOLID
    return classes


def _arrival(cost: NDArray[np.floating], sources: NDArray[np.intp]) -> NDArray[np.float32]:
    """Least cost of a path from `sources` to every voxel (Dijkstra, 26 neighbours)."""
    from skimage.graph import MCP_Geometric

    times, _ = MCP_Geometric(cost.astype(np.float64)).find_costs(sources.tolist())
    result: NDArray[np.float32] = times.astype(np.float32)
    return result


def _fine(coarse: NDArray[np.float32], shape: Shape) -> Tensor:
    """Times on the growth grid brought to every voxel."""
    capped = torch.from_numpy(coarse).clamp(max=1e4)[None, None]
    return torch.nn.functional.interpolate(
        capped, size=shape, mode="trilinear", align_corners=False
    )[0, 0]


def _images(case: Geometry, chance: Chance) -> NDArray[np.float32]:
    tissue_signal, lesion_signal = draw_signals(chance)
    below, above = case.tissue.long(), case.lesion.long()
    shape = case.shape
    grain = gaussian(chance.white((4, *shape)), chance.uniform(0.6, 1.5))
    grain = grain / grain.std() * chance.uniform(0.01, 0.05)
    cover = gaussian((above > 0).float()[None], chance.uniform(0.4, 1.2))
    images = tissue_signal[:, below] * (1 - cover) + lesion_signal[:, above] * cover
    images = gaussian(images * (1 + grain), chance.uniform(0.3, 0.9))
    inside = (case.tissue != t.OUTSIDE).numpy()
    axes = [torch.linspace(-1, 1, n) for n in shape]
    i, p, left = torch.meshgrid(*axes, indexing="ij")
    terms = torch.stack([i, p, left, i * p, p * left, i * left, i**2, p**2, left**2])
    result = np.zeros((4, *shape), dtype=np.float32)
    for channel in range(4):
        weights = torch.tensor([chance.normal(0.05) for _ in range(len(terms))])
        coil = torch.exp((weights.view(-1, 1, 1, 1) * terms).sum(0))
        noise = gaussian(chance.white((2, *shape)), 0.5) * chance.uniform(0.01, 0.05)
        image = torch.sqrt((images[channel] * coil + noise[0]) ** 2 + noise[1] ** 2).numpy()
        image[~inside] = 0
        result[channel] = normalise(image, inside, background=0.0)
    return result
