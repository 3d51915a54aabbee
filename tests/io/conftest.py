"""Tiny images in every pose, written with nibabel and SimpleITK: not with the code under test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

REAL_DATA = Path(__file__).parents[2].parent / "shared" / "data"

SHAPE = (5, 6, 7)


def real(name: str) -> Path:
    """A folder of real data, or a skip that says why."""
    folder = REAL_DATA / name
    if not folder.exists():
        pytest.skip(f"real data are absent: ../shared/data/{name}")
    return folder


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    return real


@pytest.fixture
def write_nifti() -> Callable[..., Path]:
    """Write an array as NIfTI; by default RAS, 1 mm, sform and qform."""

    def write(
        path: Path,
        array: Any = None,
        affine: Any = None,
        *,
        sform: int = 1,
        qform: int = 1,
        dtype: Any = None,
        slope: float | None = None,
    ) -> Path:
        if array is None:
            array = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
        if dtype is not None:
            array = np.asarray(array).astype(dtype)
        affine = np.eye(4) if affine is None else np.asarray(affine)
        image = nib.Nifti1Image(array, affine)
        image.set_sform(affine, sform)
        image.set_qform(affine, qform)
        if slope is not None:
            image.header.set_slope_inter(slope, 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(image, path)
        return path

    return write


@pytest.fixture
def brats_folder(tmp_path: Path, write_nifti: Callable[..., Path]) -> Path:
    """Four contrasts and a segmentation under BraTS 2021 names."""
    folder = tmp_path / "BraTS2021_00001"
    rng = np.random.default_rng(0)
    for name in ("t1", "t1ce", "t2", "flair"):
        array = rng.integers(0, 1000, SHAPE).astype(np.int16)
        write_nifti(folder / f"BraTS2021_00001_{name}.nii.gz", array)
    labels = rng.choice([0, 1, 2, 4], SHAPE).astype(np.uint8)
    write_nifti(folder / "BraTS2021_00001_seg.nii.gz", labels)
    return folder
