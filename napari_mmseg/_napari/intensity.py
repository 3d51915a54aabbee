"""How bright a contrast is shown: a window within the brain, and the subtraction image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Percentiles of the brain's voxels that are drawn black and white.
WINDOW_PERCENTILES = (1.0, 99.7)

#: A window is taken from about this many voxels: exact percentiles of 9 M voxels would cost
#: 0.3 s a volume and look the same.
SAMPLE_VOXELS = 200_000

#: Percentiles by which two contrasts are matched before one is taken from the other.
MATCH_PERCENTILES = (25.0, 75.0)


def background_value(array: NDArray[Any]) -> float:
    """What surrounds the brain: the commonest value of the eight corners, 0 or a constant."""
    corners = array[:: max(array.shape[0] - 1, 1), :: max(array.shape[1] - 1, 1)]
    corners = corners[:, :, :: max(array.shape[2] - 1, 1)]
    values, counts = np.unique(corners, return_counts=True)
    return float(values[int(np.argmax(counts))])


def brain_sample(array: NDArray[Any]) -> NDArray[np.float32]:
    """Voxels of the head, one in so many that about `SAMPLE_VOXELS` are looked at; 1D."""
    step = max(1, round((array.size / SAMPLE_VOXELS) ** (1 / 3)))
    voxels = array[::step, ::step, ::step]
    inside = voxels[voxels != background_value(array)]
    return (inside if inside.size else voxels.ravel()).astype(np.float32)


def window(array: NDArray[Any]) -> tuple[float, float]:
    """Intensities drawn black and white: percentiles within the brain; always low < high."""
    low, high = (float(v) for v in np.percentile(brain_sample(array), WINDOW_PERCENTILES))
    return (low, high) if high > low else (low, low + 1.0)


def subtraction(t1ce: NDArray[Any], t1: NDArray[Any]) -> NDArray[np.float32]:
    """T1ce - T1 after T1 is matched to T1ce; axes as given, 0 outside the brain of either.

    T1 is scaled and shifted so that its quartiles within the brain equal T1ce's: most tissue
    does not enhance, so the quartiles are those of unenhanced tissue in both.
    """
    q1, q3 = np.percentile(brain_sample(t1ce), MATCH_PERCENTILES)
    p1, p3 = np.percentile(brain_sample(t1), MATCH_PERCENTILES)
    gain = (q3 - q1) / (p3 - p1) if p3 > p1 else 1.0
    difference = t1ce.astype(np.float32) - (t1.astype(np.float32) - p1) * np.float32(gain) - q1
    outside = (t1ce == background_value(t1ce)) | (t1 == background_value(t1))
    difference[outside] = 0.0
    return np.asarray(difference, dtype=np.float32)


def subtraction_window(difference: NDArray[np.float32]) -> tuple[float, float]:
    """A window for a subtraction: unenhanced tissue near black, enhancement bright."""
    inside = brain_sample(difference)
    low, high = (float(v) for v in np.percentile(inside, (50.0, 99.8)))
    return (low, high) if high > low else (low, low + 1.0)
