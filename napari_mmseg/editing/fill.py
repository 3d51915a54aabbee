"""Filling the connected area under the cursor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .stroke import Box, Footprint, bounding_box

Voxel = tuple[int, int, int]


def flood(codes: NDArray[np.uint8], seed: Voxel, axis: int | None) -> Footprint:
    """The voxels that hang together with `seed` and have its code.

    Parameters
    ----------
    codes
        The annotation, axes (I, P, L).
    seed
        Array index of the voxel that was clicked.
    axis
        The axis across the plane that is filled (voxels touching along edges), or None to fill
        in 3D (voxels touching along faces).

    Raises
    ------
    InputError
        When the seed lies outside the volume, or on background that reaches the border: an area
        that is not enclosed.
    """
    if any(not 0 <= i < n for i, n in zip(seed, codes.shape, strict=True)):
        raise InputError("that point lies outside the image: click inside it")
    same = _plane(codes, seed, axis) == codes[seed]
    start = seed if axis is None else tuple(0 if i == axis else n for i, n in enumerate(seed))
    area = _component(same, (start[0], start[1], start[2]))
    box = bounding_box(area)
    assert box is not None  # the seed belongs to it
    if codes[seed] == 0 and _touches_border(box, area.shape, axis):
        where = "volume" if axis is None else "slice"
        raise InputError(
            f"the area is not enclosed, it reaches the border of the {where}: "
            "close its outline first"
        )
    corner = [side.start for side in box]
    if axis is not None:
        corner[axis] = seed[axis]
    return Footprint((corner[0], corner[1], corner[2]), area[box])


def _plane(codes: NDArray[np.uint8], seed: Voxel, axis: int | None) -> NDArray[np.uint8]:
    if axis is None:
        return codes
    return np.take(codes, [seed[axis]], axis=axis)


def _component(same: NDArray[np.bool_], start: Voxel) -> NDArray[np.bool_]:
    """The part of `same` that hangs together with `start` by faces."""
    import cc3d

    labels = cc3d.connected_components(np.ascontiguousarray(same), connectivity=6)
    return np.asarray(labels == labels[start])


def _touches_border(box: Box, shape: tuple[int, ...], axis: int | None) -> bool:
    return any(side.start == 0 or side.stop == shape[i] for i, side in enumerate(box) if i != axis)
