"""Small labelled cases on disk, written with nibabel: not with the code under test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from napari_mmseg.training.options import TrainOptions

Options = Callable[..., TrainOptions]
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
