"""A region mirrored to the other side of the brain: a reference to look at, never an edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]

#: The plane is sought on voxels of about this edge (mm), coarse first.
COARSE_MM = 4.0

#: How far the plane may lean from the array's left-right axis (degrees), and how it is looked for.
LARGEST_LEAN_DEG = 25.0

#: First steps of the search: angles in degrees, offset in mm.
_FIRST_STEPS = (6.0, 6.0, 6.0)


@dataclass(frozen=True)
class SymmetryPlane:
    """The mid-sagittal plane: points x (mm along I, P, L) with `normal` . x = `offset`.

    `normal` has length 1 and points to the left.
    """

    normal: tuple[float, float, float]
    offset: float

    def mirrored(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (..., 3) in mm along (I, P, L) on the other side."""
        normal = np.array(self.normal)
        return points - 2 * (points @ normal - self.offset)[..., None] * normal


def symmetry_plane(
    image: NDArray[Any], spacing: Spacing, brain: Mask | None = None
) -> SymmetryPlane:
    """The plane about which an image of the brain is most like its mirror image.

    From the centroid of the brain, leaning until the correlation of the image with its mirror
    image is highest (Ardekani et al., IEEE Trans. Med. Imaging 16:947, 1997). A tumour on one side
    changes the correlation everywhere alike and moves the plane little.

    Parameters
    ----------
    image
        Axes (I, P, L), in display orientation.
    brain
        Its brain; None for all that is not 0, as in images without a skull.
    """
    from scipy import ndimage, optimize

    inside = image != 0 if brain is None else brain
    if not inside.any():
        inside = np.ones(image.shape, dtype=bool)
    steps = [max(round(COARSE_MM / mm), 1) for mm in spacing]
    every = tuple(slice(None, None, n) for n in steps)
    edges = np.array([n * mm for n, mm in zip(steps, spacing, strict=True)])
    within = ndimage.uniform_filter(inside.astype(np.float32), steps)[every]
    values = ndimage.uniform_filter(np.where(inside, image, 0).astype(np.float32), steps)[every]
    points = np.argwhere(within > 0.5) * edges
    if not len(points):
        points = np.argwhere(within >= within.max()) * edges
    middle = points.mean(axis=0)
    own = _sampled(values, points / edges)

    def plane(lean: NDArray[np.float64]) -> SymmetryPlane:
        up, back = np.radians(np.clip(lean[:2], -LARGEST_LEAN_DEG, LARGEST_LEAN_DEG))
        normal = np.array([np.sin(up), np.sin(back), 1.0])
        normal /= np.linalg.norm(normal)
        return SymmetryPlane(
            (float(normal[0]), float(normal[1]), float(normal[2])),
            float(normal @ middle + lean[2]),
        )

    def unlike(lean: NDArray[np.float64]) -> float:
        other = _sampled(values, plane(lean).mirrored(points) / edges)
        a, b = own - own.mean(), other - other.mean()
        scale = float(np.sqrt((a @ a) * (b @ b)))
        return -float(a @ b) / scale if scale else 0.0

    simplex = np.vstack([np.zeros(3), np.diag(_FIRST_STEPS)])
    found = optimize.minimize(
        unlike,
        np.zeros(3),
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.05, "fatol": 1e-5, "maxiter": 150},
    )
    return plane(found.x)


def mirrored(mask: Mask, plane: SymmetryPlane, spacing: Spacing) -> Mask:
    """A mask (I, P, L) mirrored about a plane: voxels whose mirror image lies in it."""
    from scipy import ndimage

    where = np.argwhere(mask)
    result = np.zeros_like(mask)
    if not len(where):
        return result
    edges = np.array(spacing)
    corners = np.array([where.min(axis=0) - 1, where.max(axis=0) + 1])
    every = np.array(np.meshgrid(*corners.T, indexing="ij")).reshape(3, -1).T * edges
    reached = plane.mirrored(every) / edges
    low = np.clip(np.floor(reached.min(axis=0)).astype(int), 0, mask.shape)
    high = np.clip(np.ceil(reached.max(axis=0)).astype(int) + 1, 0, mask.shape)
    if (high <= low).any():
        return result
    size = high - low
    points = (np.indices(tuple(size)).reshape(3, -1).T + low) * edges
    share = ndimage.map_coordinates(
        mask.astype(np.float32), (plane.mirrored(points) / edges).T, order=1
    )
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    result[box] = (share >= 0.5).reshape(tuple(size))
    return result


def _sampled(values: NDArray[np.float32], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """An image at points (n, 3) given in voxels; 0 outside it."""
    from scipy import ndimage

    return np.asarray(ndimage.map_coordinates(values, at.T, order=1), dtype=np.float64)
