"""A whole head as the brain-extraction network sees it: coarse, and scaled to 0..1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPACING_MM = 2.0
PERCENT = (1.0, 99.0)  # of the voxels above the background, brought to 0 and 1
HIGHEST = 1.5  # brighter than this is clipped: vessels, fat


def scale_head(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Robustly scaled copy: the lowest and highest percent of the foreground become 0 and 1.

    Foreground is what is above the image's mean (head against air), so that the amount of air
    around a head changes nothing. An image without contrast becomes all zeros.
    """
    foreground = image[image > image.mean()]
    if foreground.size == 0:
        return np.zeros_like(image)
    low = float(np.percentile(image[image > 0], PERCENT[0])) if (image > 0).any() else 0.0
    high = float(np.percentile(foreground, PERCENT[1]))
    if high <= low:
        return np.zeros_like(image)
    scaled = (image - low) / (high - low)
    result: NDArray[np.float32] = np.clip(scaled, 0.0, HIGHEST).astype(np.float32)
    return result
