"""Bring a volume onto another grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid import Grid


def resample_linear(array: NDArray[Any], grid: Grid, onto: Grid) -> NDArray[np.float32]:
    """Linear interpolation of `array` (on `grid`) at the voxels of `onto`.

    What lies outside the array gets its lowest value, which is the background of an MRI whether
    or not that is zero. Returns float32 of shape `onto.shape`. SimpleITK's resampler.
    """
    import SimpleITK as sitk

    from .itk import to_itk

    resampled = sitk.Resample(
        to_itk(np.asarray(array, dtype=np.float32), grid),
        to_itk(np.zeros(onto.shape, dtype=np.uint8), onto),
        sitk.Transform(),
        sitk.sitkLinear,
        float(array.min()),
        sitk.sitkFloat32,
    )
    return np.ascontiguousarray(sitk.GetArrayFromImage(resampled).transpose(2, 1, 0))
