"""Islands too small to be believed."""

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
