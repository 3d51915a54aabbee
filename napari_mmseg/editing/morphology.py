"""Shapes made from the shape of a mask: filled, cleaned, grown, shrunk, smoothed.

Masks have axes (I, P, L); lengths are in mm and grids may have any spacing. What lies outside the
image is not known: a mask that the image's border cuts is treated as if it went on there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .stroke import Box, bounding_box

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]

#: Added to a distance (as a share of it) so that voxels exactly on it do not fall to rounding of
#: single precision.
DISTANCE_SLACK = 1e-5

#: The Gaussian that smooths is cut off here (deviations).
CUT_DEVIATIONS = 3.0


def filled(mask: Mask, axis: int | None = None) -> Mask:
    """The mask with its holes: background that does not reach the border.

    With an `axis`, holes in each slice across it, else those in 3D (background touching along
    faces).
    """
    import fill_voids

    box = bounding_box(mask)
    result = mask.copy()
    if box is None:
        return result
    part = np.ascontiguousarray(mask[box])
    if axis is None:
        # In a frame of background: without one fill_voids closes some voxels of the border.
        framed: Mask = fill_voids.fill(np.pad(part, 1))
        result[box] = framed[1:-1, 1:-1, 1:-1]
        return result
    slices = np.moveaxis(part, axis, 0)
    done = np.stack([fill_voids.fill(np.ascontiguousarray(one)) for one in slices])
    result[box] = np.moveaxis(done, 0, axis)
    return result


def without_islands(mask: Mask, smallest_mm3: float, voxel_mm3: float) -> Mask:
    """The mask without its components (26 neighbours) of less than `smallest_mm3`."""
    import cc3d

    # As many voxels as reach the volume, where a product such as 3 x 0.1 is not quite 0.3.
    smallest = int(np.ceil(smallest_mm3 / voxel_mm3 * (1 - DISTANCE_SLACK)))
    box = bounding_box(mask)
    if smallest <= 1 or box is None:
        return mask.copy()
    result = np.zeros_like(mask)
    part = np.ascontiguousarray(mask[box])
    result[box] = cc3d.dust(part, threshold=smallest, connectivity=26) > 0
    return result


def grown(mask: Mask, mm: float, spacing: Spacing) -> Mask:
    """All voxels whose centres are at most `mm` from the centre of one in the mask."""
    box = _around(mask, mm, spacing)
    result = mask.copy()
    if box is None or mm <= 0:
        return result
    result[box] = _distance(~mask[box], spacing) <= mm * (1 + DISTANCE_SLACK)
    return result


def shrunk(mask: Mask, mm: float, spacing: Spacing) -> Mask:
    """All voxels whose centres are more than `mm` from the centre of any outside the mask."""
    box = _around(mask, max(spacing), spacing)
    result = mask.copy()
    if box is None or mm <= 0:
        return result
    result[box] = _distance(mask[box], spacing) > mm * (1 + DISTANCE_SLACK)
    return result


def smoothed(mask: Mask, mm: float, spacing: Spacing) -> Mask:
    """The mask smoothed by a Gaussian of deviation `mm`, every component keeping its volume.

    The threshold is that which keeps the number of voxels, for each component (26 neighbours) by
    itself: at one half, small and thin ones would shrink and vanish. Voxels of exactly equal
    value stand or fall together, so a symmetrical shape may miss its volume by a few.
    """
    import cc3d
    from scipy import ndimage

    whole = bounding_box(mask)
    result = np.zeros_like(mask)
    if whole is None or mm <= 0:
        return mask.copy()
    labels = cc3d.connected_components(np.ascontiguousarray(mask[whole]), connectivity=26)
    deviations = [mm / edge for edge in spacing]
    for number, found in enumerate(ndimage.find_objects(labels), start=1):
        at = _moved(found, whole)
        reach = [int(CUT_DEVIATIONS * n) + 1 for n in deviations]
        box = _widened(at, reach, mask.shape)
        inside = np.zeros([side.stop - side.start for side in box], dtype=np.float32)
        inner = tuple(
            slice(a.start - b.start, a.stop - b.start) for a, b in zip(at, box, strict=True)
        )
        inside[inner] = labels[found] == number
        count = int(np.count_nonzero(inside))
        soft = ndimage.gaussian_filter(inside, deviations, mode="nearest", truncate=CUT_DEVIATIONS)
        result[box] |= _largest(soft, count)
    return result


def _largest(values: NDArray[np.float32], count: int) -> Mask:
    """The `count` largest values; equal ones at the limit all or none, whichever is nearer."""
    limit = np.partition(values, values.size - count, axis=None)[values.size - count]
    least, most = values > limit, values >= limit
    under = count - int(np.count_nonzero(least))
    over = int(np.count_nonzero(most)) - count
    return least if under < over and under < count else most


def _distance(mask: Mask, spacing: Spacing) -> NDArray[np.float32]:
    """Distance of each voxel in the mask to the nearest outside it, in mm; 0 outside it."""
    import edt

    if mask.all():  # nothing is outside, so nothing is near
        return np.full(mask.shape, np.inf, dtype=np.float32)
    distance: NDArray[np.float32] = edt.edt(
        np.ascontiguousarray(mask), anisotropy=spacing, black_border=False, parallel=1
    )
    return distance


def _around(mask: Mask, mm: float, spacing: Spacing) -> Box | None:
    """The mask's box with `mm` and a voxel around it, or None for an empty mask."""
    box = bounding_box(mask)
    if box is None:
        return None
    return _widened(box, [int(max(mm, 0.0) / edge) + 1 for edge in spacing], mask.shape)


def _widened(box: Box, by: list[int], shape: tuple[int, ...]) -> Box:
    i, j, k = (
        slice(max(side.start - n, 0), min(side.stop + n, size))
        for side, n, size in zip(box, by, shape, strict=True)
    )
    return i, j, k


def _moved(box: Box, within: Box) -> Box:
    """A box given in the indices of another, in those of the whole volume."""
    i, j, k = (slice(a.start + b.start, a.stop + b.start) for a, b in zip(box, within, strict=True))
    return i, j, k
