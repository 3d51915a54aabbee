"""Islands too small, or too doubtful throughout, to be believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def drop_small_components(
    mask: NDArray[np.bool_], smallest_mm3: float, spacing: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """`mask` (I, P, L) without its 26-connected components smaller than `smallest_mm3`.

    `spacing` is in mm by axis.
    """
    import cc3d

    smallest = int(np.ceil(smallest_mm3 / (spacing[0] * spacing[1] * spacing[2])))
    if smallest <= 1 or not mask.any():
        return mask
    kept: NDArray[np.bool_] = cc3d.dust(mask, threshold=smallest, connectivity=26) > 0
    return kept


def drop_doubtful_components(
    mask: NDArray[np.bool_], probability: NDArray[np.uint8], peak: int
) -> NDArray[np.bool_]:
    """`mask` (I, P, L) without its 26-connected components that nowhere reach `peak`.

    `probability` is in 255ths, as `peak`. A lesion is sure somewhere; false alarms in normal
    tissue are often doubtful throughout. Where no component reaches the peak the surest one
    stays: a faint lesion must not vanish.
    """
    import cc3d

    if peak <= 1 or not mask.any():
        return mask
    labels, count = cc3d.connected_components(mask, connectivity=26, return_N=True)
    sure = mask & (probability >= peak)
    if not sure.any():
        sure = mask & (probability == probability[mask].max())
    keep = np.zeros(count + 1, dtype=bool)
    keep[np.unique(labels[sure])] = True
    kept: NDArray[np.bool_] = keep[labels]
    return kept


def drop_dim_components(
    mask: NDArray[np.bool_], image: NDArray[np.float32], least: float
) -> NDArray[np.bool_]:
    """`mask` (I, P, L) without its 26-connected components that are dim.

    Dim: their median in `image` (I, P, L) is below `least`.
    """
    import cc3d

    if not mask.any():
        return mask
    labels, count = cc3d.connected_components(mask, connectivity=26, return_N=True)
    boxes = cc3d.statistics(labels)["bounding_boxes"]
    kept = np.zeros(mask.shape, dtype=bool)
    for number in range(1, count + 1):
        box = boxes[number]
        piece = labels[box] == number
        if np.median(image[box][piece]) >= least:
            kept[box] |= piece
    return kept
