"""Another voxel size for the same box of space."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int, int]


def rescale(array: NDArray[np.float32], shape: Shape) -> NDArray[np.float32]:
    """`array` (I, P, L) on `shape` voxels that fill the same box, linearly interpolated.

    Where voxels get larger, each is the weighted mean under a triangle as wide as itself, so that
    nothing falls between the samples (the "bilinear, antialiased" of image libraries). Weights
    sum to one at the borders too. Separable: one small matrix product an axis where voxels get
    larger, the mean of two neighbours where they get smaller.
    """
    result = array
    for axis, length in enumerate(shape):
        if length > result.shape[axis]:
            result = _between_neighbours(result, axis, length)
        elif length < result.shape[axis]:
            weights = _weights(result.shape[axis], length)
            result = np.moveaxis(np.tensordot(weights, result, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(result, dtype=np.float32)


def rescale_all(arrays: NDArray[np.float32], shape: Shape) -> NDArray[np.float32]:
    """`rescale` of each of `arrays` (n, I, P, L), side by side."""
    with ThreadPoolExecutor() as threads:
        return np.stack(list(threads.map(lambda array: rescale(array, shape), arrays)))


def _between_neighbours(array: NDArray[np.float32], axis: int, length: int) -> NDArray[np.float32]:
    """`array` on more voxels along one axis; about half the time of a matrix product (measured)."""
    old = array.shape[axis]
    centres = np.clip((np.arange(length) + 0.5) * (old / length) - 0.5, 0, old - 1)
    lower = np.minimum(centres.astype(np.intp), max(old - 2, 0))
    upper = np.minimum(lower + 1, old - 1)
    share = np.asarray(centres - lower, dtype=np.float32)
    share = share.reshape([-1 if a == axis else 1 for a in range(3)])
    below = np.take(array, lower, axis)
    above = np.take(array, upper, axis)
    above -= below
    above *= share
    above += below
    return above


def _weights(old: int, new: int) -> NDArray[np.float32]:
    """(new, old) matrix of triangle weights between voxel centres of the same extent."""
    step = old / new
    centres = (np.arange(new) + 0.5) * step - 0.5
    # Samples beyond the first and last centres take the nearest voxel.
    centres = np.clip(centres, 0, old - 1)
    distance = np.abs(centres[:, None] - np.arange(old)[None, :])
    weights = np.maximum(0.0, 1.0 - distance / max(1.0, step))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
