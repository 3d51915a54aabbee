"""Small labelled cases on disk, written with nibabel, and options for tiny runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_mmseg.training.options import TrainOptions

SHAPE = (22, 26, 20)  # left, posterior, superior
CONTRASTS = ("t1", "t1ce", "t2", "flair")


def write_case(root: Path, number: int, ill: bool = True) -> Path:
    """A brain of noise with a nested tumour (or none), named and coded as in BraTS 2021."""
    name = f"BraTS2021_{number:05d}"
    folder = root / name
    folder.mkdir(parents=True)
    random = np.random.default_rng(number)
    depth = np.zeros(SHAPE, dtype=np.uint8)
    if ill:
        for level, (low, high) in enumerate([(6, 14), (8, 13), (9, 12)], start=1):
            depth[low:high, low:high, low:high] = level
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    for channel, contrast in enumerate(CONTRASTS):
        image = np.zeros(SHAPE, dtype=np.int16)
        inner = (slice(2, -2),) * 3
        image[inner] = random.normal(400, 40, image[inner].shape) + 30 * channel * depth[
            inner
        ].astype(int)
        nib.Nifti1Image(image, affine).to_filename(folder / f"{name}_{contrast}.nii.gz")
    codes = np.array([0, 2, 1, 4], dtype=np.uint8)[depth]
    nib.Nifti1Image(codes, affine).to_filename(folder / f"{name}_seg.nii.gz")
    return folder


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A folder of three labelled cases."""
    root = tmp_path / "cases"
    for number in range(3):
        write_case(root, number)
    return root


Options = Callable[..., TrainOptions]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Options of a run of a few steps on tiny crops."""

    def make(**changes: object) -> TrainOptions:
        small = TrainOptions(
            anatomy=None, out=tmp_path / "runs", steps=2, seed=3, base=2, levels=2,
            patch=(16, 16, 16), whole=(16, 24, 16), steps_per_case=2, worker=False, compile=False,
        )  # fmt: skip
        return dataclasses.replace(small, **changes)  # type: ignore[arg-type]

    return make
