"""What each voxel of a box looks like: the features that the trees decide by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..stroke import Box

#: Standard deviations of the Gaussians that intensities are smoothed with (mm).
SMOOTHING_MM = (1.0, 2.5)

#: The one at which the gradient's magnitude is taken.
GRADIENT_MM = 1.0

#: Gaussians are cut off at so many standard deviations.
TRUNCATE = 2.5


def feature_bank(
    images: Sequence[NDArray[np.generic]],
    maps: Sequence[NDArray[np.generic]],
    box: Box,
    spacing: tuple[float, float, float],
) -> NDArray[np.float32]:
    """Features of the voxels of `box`: (features, I, P, L).

    Of each image the intensity, smoothed intensities and the gradient's magnitude; each of `maps`
    (a network's probabilities or feature maps) as it is; the position in mm. The smoothing sees
    the images beyond the box.

    Parameters
    ----------
    images, maps
        On one grid, axes (I, P, L).
    spacing
        Voxel edges in mm.
    """
    grown, inner = _with_margin(box, images[0].shape if images else maps[0].shape, spacing)
    planes: list[NDArray[np.float32]] = []
    for image in images:
        whole = np.asarray(image[grown], dtype=np.float32)
        planes.append(whole[inner])
        for scale in SMOOTHING_MM:
            smooth = gaussian(whole, scale, spacing)
            planes.append(smooth[inner])
            if scale == GRADIENT_MM:
                planes.append(gradient(smooth, spacing)[inner])
    planes += [np.asarray(one[box], dtype=np.float32) for one in maps]
    shape = tuple(side.stop - side.start for side in box)
    for axis in range(3):
        along = np.arange(shape[axis], dtype=np.float32) * np.float32(spacing[axis])
        planes.append(
            np.broadcast_to(along.reshape([-1 if i == axis else 1 for i in range(3)]), shape)
        )
    return np.stack(planes)


def gaussian(
    image: NDArray[np.float32], sigma_mm: float, spacing: tuple[float, float, float]
) -> NDArray[np.float32]:
    """`image` (I, P, L) smoothed with a Gaussian of `sigma_mm`."""
    from scipy import ndimage

    smooth: NDArray[np.float32] = ndimage.gaussian_filter(
        image, [sigma_mm / edge for edge in spacing], truncate=TRUNCATE, mode="nearest"
    )
    return smooth


def gradient(
    image: NDArray[np.float32], spacing: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Magnitude of the gradient, per mm, by central differences."""
    squared = np.zeros_like(image)
    for axis, edge in enumerate(spacing):
        if image.shape[axis] > 1:
            squared += np.gradient(image, edge, axis=axis) ** 2
    return np.sqrt(squared, out=squared)


def _with_margin(
    box: Box, shape: tuple[int, ...], spacing: tuple[float, float, float]
) -> tuple[Box, Box]:
    """The box grown by what the widest Gaussian sees, within the volume; and the box within it."""
    grown, inner = [], []
    for side, length, edge in zip(box, shape, spacing, strict=True):
        reach = int(np.ceil(TRUNCATE * max(SMOOTHING_MM) / edge))
        low, high = max(0, side.start - reach), min(length, side.stop + reach)
        grown.append(slice(low, high))
        inner.append(slice(side.start - low, side.stop - low))
    return (grown[0], grown[1], grown[2]), (inner[0], inner[1], inner[2])
