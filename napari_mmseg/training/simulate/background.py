"""Real scans without tumour as the background of simulated ones.

Label maps give anatomy and no texture; a scan gives the texture of one scanner and patient. Its
tissue is told from its own contrasts, roughly: enough for a tumour to know where to grow.

Axes (I, P, L), 1 mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_mmseg.errors import InputError
from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import (
    TISSUE_MASK,
    draw_places,
    sample_linear,
    sample_nearest,
    swap_sides,
)
from napari_mmseg.training.simulate.case import HEALTHY_SHARE, Geometry, cropped
from napari_mmseg.training.simulate.chance import Chance, Shape
from napari_mmseg.training.simulate.contrast import T1
from napari_mmseg.training.simulate.tumour import (
    Plan,
    draw_tumour,
    plan_satellites,
    plan_tumour,
    push_aside,
)

SPACING_TOLERANCE = 0.1  # mm from 1 mm
VENTRICLE_DEPTH_MM = 18  # fluid deeper in the brain than this is ventricle
CEREBELLUM = (0.6, 0.45)  # lower and further back than these shares of the brain's box
TRIES = 4  # to place a tumour elsewhere
POWER = (0.75, 1.35)  # of an image's intensities, as another scanner would show them
MODALITIES = ("T1", "T1ce", "T2", "FLAIR")


@dataclass(frozen=True)
class Background:
    """A scan: tissue classes + 32 * side (uint8, (I, P, L)) and images (4, I, P, L), WM about 1."""

    tissue: Tensor
    images: Tensor


def read_background(folder: Path) -> Background:
    """The co-registered, skull-stripped scan in `folder`.

    Raises
    ------
    InputError
        When a contrast is missing or the voxels are not of 1 mm.
    """
    from napari_mmseg.io import open_case
    from napari_mmseg.preprocess.normalise import brain_mask
    from napari_mmseg.volume import Modality

    case = open_case(folder)
    if case.missing:
        raise InputError(
            f"{folder} lacks {', '.join(case.missing)}: a background needs all four contrasts"
        )
    change = case.grid.to_orientation("IPL")
    spacing = case.grid.reoriented(change).spacing
    if max(abs(edge - 1) for edge in spacing) > SPACING_TOLERANCE:
        raise InputError(
            f"{folder} has voxels of {spacing[0]:.2g} x {spacing[1]:.2g} x {spacing[2]:.2g} mm: "
            "resample it to 1 mm first"
        )
    arrays = [change.apply(case.volumes[Modality(m)].array) for m in MODALITIES]
    mask = brain_mask(arrays)
    images = np.stack([np.asarray(a, dtype=np.float32) for a in arrays]).clip(min=0) * mask
    return make_background(images, mask)


def make_background(images: NDArray[np.float32], mask: NDArray[np.bool_]) -> Background:
    """Tell tissues apart in images (4, I, P, L) inside `mask` and scale white matter to 1."""
    import edt
    from skimage.filters import threshold_multiotsu

    t1 = _smooth(images[T1])
    dark, bright = threshold_multiotsu(t1[mask], classes=3)
    depth = edt.edt(mask, black_border=True)
    fluid = mask & (t1 < dark)
    white = mask & (t1 >= bright)
    tissue = np.zeros(mask.shape, dtype=np.uint8)
    tissue[mask] = t.CORTEX
    tissue[white] = t.WHITE
    tissue[fluid] = t.CSF
    tissue[fluid & (depth > VENTRICLE_DEPTH_MM)] = t.VENTRICLE
    scaled = images / np.array([np.median(image[white]) for image in images])[:, None, None, None]
    # The hemispheres: either side of the middle of the brain's box.
    across = np.flatnonzero(mask.any(axis=(0, 1)))
    middle = int(across[0] + across[-1]) // 2
    sided = mask & (tissue != t.CSF)
    side = np.zeros(mask.shape, dtype=np.uint8)
    side[:, :, :middle], side[:, :, middle:] = t.RIGHT, t.LEFT
    tissue[sided] += side[sided] << t.SIDE_SHIFT
    return Background(torch.from_numpy(tissue), torch.from_numpy(scaled.astype(np.float32)))


def simulate_on_background(
    background: Background, chance: Chance, healthy: bool | None = None
) -> Geometry:
    """A tumour drawn into the deformed scan, to be rendered like any other geometry.

    What is bright on the scan's FLAIR already stays there and is never labelled.
    """
    tissue, scan = background.tissue.to(chance.device), background.images.to(chance.device)
    if chance.happens(0.5):
        tissue, scan = swap_sides(torch.flip(tissue, (2,))), torch.flip(scan, (3,))
    shape: Shape = (tissue.shape[0], tissue.shape[1], tissue.shape[2])
    places = draw_places(shape, chance.uniform(0.88, 1.04), chance)
    lengths = torch.tensor(shape, dtype=torch.float32)
    tissue, scan = sample_nearest(tissue, places, lengths), sample_linear(scan, places, lengths)
    # Another scanner: white matter stays 1, all else comes nearer to it or moves away.
    powers = torch.tensor([chance.log_uniform(*POWER) for _ in MODALITIES])
    scan = scan.clamp(min=0) ** powers.view(-1, 1, 1, 1).to(scan.device)
    lesion = torch.zeros_like(tissue)
    without = chance.happens(HEALTHY_SHARE) if healthy is None else healthy
    if not without:
        plan = _plan(tissue, chance)
        tissue, pushed = push_aside(tissue, plan, chance, scan)
        assert pushed is not None
        scan = pushed
        for each in (plan, *plan_satellites(tissue, plan, chance)):
            draw_tumour(tissue, lesion, each, chance)
    classes = tissue & TISSUE_MASK
    scan = scan * (classes != t.OUTSIDE)
    return cropped(classes, lesion, scan)


def _plan(tissue: Tensor, chance: Chance) -> Plan:
    """A tumour that is seldom in or near the cerebellum, which no class tells from the cerebrum."""
    inside = (tissue & TISSUE_MASK) != t.OUTSIDE
    rows = torch.nonzero(inside.any(dim=2).any(dim=1))[:, 0]
    columns = torch.nonzero(inside.any(dim=2).any(dim=0))[:, 0]
    low = int(rows[0] + CEREBELLUM[0] * (rows[-1] - rows[0]))
    back = int(columns[0] + CEREBELLUM[1] * (columns[-1] - columns[0]))
    plan = plan_tumour(tissue, chance)
    for _ in range(TRIES):
        if plan.centre[0] < low or plan.centre[1] < back:
            break
        plan = plan_tumour(tissue, chance)
    return plan


def _smooth(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of 3^3 voxels: single noisy voxels change no class."""
    volume = torch.from_numpy(np.ascontiguousarray(image))[None, None]
    result: NDArray[np.float32] = functional.avg_pool3d(volume, 3, 1, 1)[0, 0].numpy()
    return result
