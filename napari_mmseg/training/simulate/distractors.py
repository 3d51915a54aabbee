"""What resembles tumour and is not: vessels, meninges, white-matter hyperintensities.

All write into class volumes (uint8, (I, P, L), 1 mm) in place.
"""

from __future__ import annotations

from torch import Tensor

from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.chance import Chance, Shape


def _shape(volume: Tensor) -> Shape:
    i, p, left = volume.shape
    return i, p, left


def _dilate(mask: Tensor, voxels: int) -> Tensor:
    """A boolean volume grown by a cube of `voxels`."""
    grown = mask.clone()
    for axis in range(3):
        for _ in range(voxels):
            before = grown.clone()
            inner = grown.shape[axis] - 1
            grown.narrow(axis, 1, inner).logical_or_(before.narrow(axis, 0, inner))
            grown.narrow(axis, 0, inner).logical_or_(before.narrow(axis, 1, inner))
    return grown


def draw_vessels(tissue: Tensor, lesion: Tensor, side: Tensor, chance: Chance) -> None:
    """Vessels where two noise surfaces cross (curves), in sulci and a few in the parenchyma."""
    shape = _shape(tissue)
    scale = chance.uniform(9, 16)
    first, second = chance.field(shape, scale, 2)
    width = chance.uniform(0.06, 0.2)
    curves = (first.abs() < width) & (second.abs() < width)
    curves &= chance.field(shape, 30.0)[0] > chance.uniform(-1.5, 0.8)
    tissue[curves & (tissue == t.CSF)] = t.VESSEL
    deep = curves & ((tissue == t.WHITE) | (tissue == t.CORTEX)) & (lesion == t.NORMAL)
    deep &= chance.field(shape, 20.0)[0] > chance.uniform(0.4, 2.0)
    tissue[deep] = t.VESSEL
    # Sinuses and falx: fluid between the hemispheres.
    both = _dilate(side == t.LEFT, 3) & _dilate(side == t.RIGHT, 3) & (tissue == t.CSF)
    if chance.happens(0.7):
        tissue[both & (chance.field(shape, 12.0)[0] > chance.uniform(0.2, 1.5))] = t.VESSEL
    if chance.happens(0.6):
        inside = tissue == t.VENTRICLE
        blobs = chance.field(shape, 7.0)[0] > chance.uniform(1.0, 2.4)
        tissue[inside & blobs] = t.PLEXUS


def draw_meninges(tissue: Tensor, support: Tensor, chance: Chance) -> None:
    """Dura along the edge of the brain, patchy, in some cases thick."""
    if not chance.happens(0.45):
        return
    depth = 1 if chance.happens(0.7) else 2
    edge = support & _dilate(~support, depth) & (tissue != t.RESIDUE)
    patchy = chance.field(_shape(tissue), chance.uniform(10, 30))[0] > chance.uniform(-0.5, 1.6)
    tissue[edge & patchy & ((tissue == t.CSF) | (tissue == t.OUTSIDE))] = t.DURA


def draw_hyperintensities(tissue: Tensor, lesion: Tensor, chance: Chance) -> None:
    """Caps and bands around the ventricles, and spots in the white matter: label 0."""
    shape = _shape(tissue)
    white = (tissue == t.WHITE) & (lesion == t.NORMAL)
    if chance.happens(0.6):
        near = tissue == t.VENTRICLE
        for _ in range(chance.integer(1, 5)):
            near = _dilate(near, 1)
        caps = chance.field(shape, chance.uniform(8, 20))[0] > chance.uniform(-0.5, 1.6)
        lesion[white & near & caps] = t.HYPERINTENSITY
    if chance.happens(0.45):
        spots = chance.field(shape, chance.uniform(3.5, 8))[0] > chance.uniform(2.2, 3.4)
        lesion[white & spots] = t.HYPERINTENSITY
