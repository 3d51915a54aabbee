"""A simulated case as files: BraTS-2023 names and codes, int16 NIfTI in millimetres."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.training.simulate.anatomy import Head, anatomy_files, read_head
from napari_mmseg.training.simulate.case import Geometry, simulate_geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.render import draw_recipe, render
from napari_mmseg.training.simulate.tumour import Plan

SUFFIXES = ("t1n", "t1c", "t2w", "t2f")  # in the channel order T1, T1ce, T2, FLAIR
CODE_OF_DEPTH = np.array([0, 2, 1, 3], dtype=np.int16)  # encoding brats2023
LEVELS_PER_SIGMA = 5.0  # coarse enough for small files, finer than the noise
DARKEST_SIGMA = -5.0  # where `normalise` clips
MAX_NOISE = 0.005  # relative to white matter: noise is most of a compressed file
RING_RADIUS_MM = 16.0
RING_REACH_MM = 11.0
_SAMPLE_STREAM = 21


def sample_head(anatomy: Path, seed: int) -> tuple[Head, str]:
    """An anatomy held out of training, and its file name; any of the folder's if none is."""
    try:
        files = anatomy_files(anatomy, held_out=True)
    except FileNotFoundError:
        files = anatomy_files(anatomy)
    chosen = files[seed % len(files)]
    return read_head(chosen), chosen.name


def sample_case(head: Head, seed: int, ring: bool = False) -> tuple[Geometry, NDArray[np.int16]]:
    """Geometry and images (4, I, P, L) of one case, with little noise and no cut or thick slices.

    `ring` asks for a ring-enhancing tumour of middle size. Intensities are robust z-scores times
    5 above an offset; 0 is outside the brain.
    """
    chance = Chance(seed, _SAMPLE_STREAM)
    case = simulate_geometry(head, chance, healthy=False, adjust=_as_ring if ring else None)
    recipe = draw_recipe(case, chance)
    clean = tuple(
        dataclasses.replace(
            spoiling,
            noise=min(spoiling.noise, MAX_NOISE),
            slab=None,
            window=tuple((0, length) for length in case.shape),
        )
        for spoiling in recipe.spoiling
    )
    i, p, left = case.shape
    box = (slice(0, i), slice(0, p), slice(0, left))
    images = render(case, box, dataclasses.replace(recipe, spoiling=clean), chance).numpy()
    grey = np.rint((images - DARKEST_SIGMA) * LEVELS_PER_SIGMA).astype(np.int16) + 1
    inside = (case.tissue != 0).numpy()
    return case, np.where(inside, grey, 0).astype(np.int16)


def _as_ring(plan: Plan) -> Plan:
    return dataclasses.replace(plan, kind="ring", radius=RING_RADIUS_MM, reach=RING_REACH_MM)


def write_sample(
    anatomy: Path, seed: int, folder: Path, name: str | None = None, ring: bool = False
) -> Path:
    """Write `name`-t1n/-t1c/-t2w/-t2f/-seg.nii.gz into `folder` (LPS, 1 mm); returns it."""
    import nibabel

    head, source = sample_head(anatomy, seed)
    case, images = sample_case(head, seed, ring)
    folder.mkdir(parents=True, exist_ok=True)
    stem = name or folder.name
    shape = case.shape[::-1]
    # (I, P, L) stored as (L, P, S), as the challenge's files are.
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[:3, 3] = [(shape[0] - 1) / 2, (shape[1] - 1) / 2, -(shape[2] - 1) / 2]
    volumes = dict(zip(SUFFIXES, images, strict=True))
    volumes["seg"] = CODE_OF_DEPTH[case.depth()]
    for suffix, volume in volumes.items():
        stored = np.ascontiguousarray(volume.transpose(2, 1, 0)[:, :, ::-1])
        image = nibabel.Nifti1Image(stored, affine)
        image.header.set_xyzt_units("mm")
        image.set_sform(affine, code=1)
        image.set_qform(affine, code=1)
        image.header["descrip"] = f"simulated, seed {seed}, {source.split('.')[0]}".encode()
        nibabel.save(image, folder / f"{stem}-{suffix}.nii.gz")
    return folder
