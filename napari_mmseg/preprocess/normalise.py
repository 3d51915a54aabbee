"""Intensities brought to one scale, the same way in training and in use.

Robust z-score inside the brain: median and interquartile range, which a bright tumour of a
quarter of the brain cannot move much, where mean and standard deviation follow it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

QUARTILES_PERCENT = (25.0, 50.0, 75.0)
SIGMA_OF_IQR = 1.349  # interquartile range of a standard normal distribution
CLIP_SIGMA = (-5.0, 10.0)  # enhancement and fluid reach far above the median
SAMPLE_VOXELS = 200_000  # enough for quartiles to 0.01 sigma
_BACKGROUND_RELATIVE_TOLERANCE = 1e-6


def brain_mask(volumes: Sequence[NDArray[np.generic]]) -> NDArray[np.bool_]:
    """Where any of the skull-stripped `volumes` (same shape) differs from its background.

    Background is zero if the volume's corners or edges hold it, else the value most corners
    share: images already z-scored carry a constant negative background.
    """
    if not volumes:
        raise ValueError("a brain mask needs at least one volume")
    mask = np.zeros(volumes[0].shape, dtype=bool)
    for volume in volumes:
        background = background_value(volume)
        if background == 0:
            mask |= volume != 0
        else:
            slack = abs(background) * _BACKGROUND_RELATIVE_TOLERANCE
            mask |= np.abs(volume.astype(np.float32) - background) > slack
    return mask


def background_value(volume: NDArray[np.generic]) -> float:
    """The value outside the brain: what most of the eight corners hold, 0 if they disagree."""
    corners = volume[np.ix_(*[(0, n - 1) for n in volume.shape])].ravel()
    values, counts = np.unique(corners[np.isfinite(corners)], return_counts=True)
    if values.size == 0 or counts.max() <= corners.size // 2:
        return 0.0
    return float(values[np.argmax(counts)])


def quartiles(values: NDArray[np.generic]) -> tuple[float, float]:
    """Median and robust sigma of a one-dimensional sample; sigma is at least 1e-6."""
    step = max(1, values.size // SAMPLE_VOXELS)
    low, middle, high = np.percentile(values[::step].astype(np.float32), QUARTILES_PERCENT)
    return float(middle), max(float(high - low) / SIGMA_OF_IQR, 1e-6)


def normalise(
    array: NDArray[np.generic], mask: NDArray[np.bool_], background: float | None = None
) -> NDArray[np.float32]:
    """Robust z-score of `array` inside `mask`, 0 outside, float32, same shape.

    Voxels of the mask that this modality does not cover (its own background, as with a shorter
    field of view) are 0 and do not count. A modality that is constant inside the mask comes out
    as all zeros, which is what a missing modality looks like.
    """
    if array.shape != mask.shape:
        raise ValueError(f"image {array.shape} and mask {mask.shape} differ in shape")
    empty = background_value(array) if background is None else background
    covered = mask & (array != empty)
    result = np.zeros(array.shape, dtype=np.float32)
    values = array[covered].astype(np.float32)
    if values.size == 0 or values.min() == values.max():
        return result
    centre, sigma = quartiles(values)
    values -= np.float32(centre)
    values *= np.float32(1.0 / sigma)
    result[covered] = np.clip(values, *CLIP_SIGMA, out=values)
    return result
