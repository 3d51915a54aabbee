"""A small asymmetric head on disk, with a tumour on the patient's left, anterior and high."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

#: Voxels along R, A, S, and their edges in mm.
SHAPE = (30, 36, 14)
SPACING = (1.0, 1.0, 3.0)

#: The tumour's centre, in voxels of the file (RAS): left, anterior, superior of the middle.
TUMOUR = (8, 26, 9)

_SUFFIXES = {"T1": "t1n", "T1ce": "t1c", "T2": "t2w", "FLAIR": "t2f"}
_NAME = "BraTS-GLI-00001-000"

ALL = tuple(_SUFFIXES)


def ras_affine(oblique_deg: float = 0.0) -> NDArray[np.float64]:
    """RAS+ mm, the middle of the grid near the origin, turned about the S axis."""
    angle = np.radians(oblique_deg)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    scale = np.diag([*SPACING, 1.0])
    scale[:3, 3] = [-(n - 1) / 2 * s for n, s in zip(SHAPE, SPACING, strict=True)]
    return turn @ scale


def distances() -> NDArray[np.float64]:
    """Distance of every voxel from the tumour's centre in mm; file axes."""
    axes = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    return np.sqrt(sum(((a - c) * s) ** 2 for a, c, s in zip(axes, TUMOUR, SPACING, strict=True)))


def codes() -> NDArray[np.uint8]:
    """Depth of nesting in the file's axes: a ball of ET in TC in WT."""
    far = distances()
    return ((far < 7).astype(np.uint8) + (far < 5) + (far < 3)).astype(np.uint8)


def image(modality: str) -> NDArray[np.int16]:
    """A textured ellipsoid, its lesion bright as the contrast would have it; file axes."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    inside = sum(a**2 for a in axes) < 0.95
    noise = np.random.default_rng(ALL.index(modality)).normal(0, 20, SHAPE)
    values = 400 + 60 * axes[1] + noise
    depth = codes()
    values += {"T1": 0, "T1ce": 300, "T2": 150, "FLAIR": 250}[modality] * (
        depth == 3 if modality == "T1ce" else depth > 0
    )
    return np.where(inside, values.clip(1), 0).astype(np.int16)


def write_case(
    folder: Path,
    modalities: Sequence[str] = ALL,
    labels: bool = True,
    oblique_deg: float = 0.0,
    plain: bool = False,
) -> Path:
    """A folder in the naming of BraTS 2023, labels in its encoding (ED 2, NCR 1, ET 3).

    With `plain` names nothing tells the encoding: several can be meant.
    """
    folder.mkdir(parents=True, exist_ok=True)
    affine = ras_affine(oblique_deg)
    for modality in modalities:
        header = nib.Nifti1Image(image(modality), affine)
        name = modality if plain else f"{_NAME}-{_SUFFIXES[modality]}"
        header.to_filename(folder / f"{name}.nii.gz")
    if labels:
        stored = np.array([0, 2, 1, 3], dtype=np.uint8)[codes()]
        name = "mask" if plain else f"{_NAME}-seg"
        nib.Nifti1Image(stored, affine).to_filename(folder / f"{name}.nii.gz")
    return folder
