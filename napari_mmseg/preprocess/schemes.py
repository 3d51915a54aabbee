"""The ways in which networks want their intensities: one name each, written in the model's card.

`robust` is what the networks of this project are trained with; the others are what published
recipes and other people's weights expect. All take the voxels inside the brain that the image
covers (its own background left out), all give 0 elsewhere and for a constant image.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .normalise import background_value, normalise

DEFAULT_SCHEME = "robust"

#: Percentiles that `zscore-clipped` cuts the intensities to (Zhang et al., Pattern Recognition
#: 110:107562, 2021).
CLIP_PERCENT = (2.0, 98.0)

Array = NDArray[np.generic]
Scheme = Callable[[Array, NDArray[np.bool_], float], NDArray[np.float32]]


def normalise_as(
    scheme: str, array: Array, mask: NDArray[np.bool_], background: float | None = None
) -> NDArray[np.float32]:
    """`array` inside `mask` on the scale that `scheme` names, 0 outside; float32, same shape.

    `background` is the value outside the brain, `background_value(array)` when not given.

    Raises
    ------
    KeyError
        When there is no such scheme.
    ValueError
        When image and mask differ in shape.
    """
    chosen = SCHEMES[scheme]
    if array.shape != mask.shape:
        raise ValueError(f"image {array.shape} and mask {mask.shape} differ in shape")
    return chosen(array, mask, background_value(array) if background is None else background)


def _zscore(array: Array, mask: NDArray[np.bool_], background: float) -> NDArray[np.float32]:
    """Mean 0 and standard deviation 1 over the whole mask."""
    return _standardised(array, mask, array[mask])


def _zscore_nonzero(
    array: Array, mask: NDArray[np.bool_], background: float
) -> NDArray[np.float32]:
    """Mean 0 and standard deviation 1 over the voxels that are not background.

    MONAI's `NormalizeIntensity(nonzero=True, channel_wise=True)`, where the background is 0.
    """
    covered = mask & (array != background)
    return _standardised(array, covered, array[covered])


def _zscore_clipped(
    array: Array, mask: NDArray[np.bool_], background: float
) -> NDArray[np.float32]:
    """As `zscore-nonzero`, after cutting to the percentiles 2 and 98."""
    covered = mask & (array != background)
    values = array[covered].astype(np.float32)
    if values.size:
        np.clip(values, *np.percentile(values, CLIP_PERCENT), out=values)
    return _standardised(array, covered, values)


def _minmax(array: Array, mask: NDArray[np.bool_], background: float) -> NDArray[np.float32]:
    """0 at the lowest value of the image, background included, 1 at the highest."""
    covered = mask & (array != background)
    result = np.zeros(array.shape, dtype=np.float32)
    values = array[covered].astype(np.float32)
    if values.size == 0 or values.min() == values.max():
        return result
    low, high = min(float(values.min()), background), float(values.max())
    result[covered] = (values - np.float32(low)) / np.float32(max(high, background) - low)
    return result


def _standardised(
    array: Array, where: NDArray[np.bool_], values: NDArray[np.generic]
) -> NDArray[np.float32]:
    result = np.zeros(array.shape, dtype=np.float32)
    wide = values.astype(np.float64)  # the sum of 9 million float32 loses digits
    if wide.size == 0 or wide.min() == wide.max():
        return result
    result[where] = (wide - wide.mean()) / wide.std()
    return result


SCHEMES: MappingProxyType[str, Scheme] = MappingProxyType(
    {
        DEFAULT_SCHEME: normalise,
        "zscore": _zscore,
        "zscore-nonzero": _zscore_nonzero,
        "zscore-clipped": _zscore_clipped,
        "minmax": _minmax,
    }
)
