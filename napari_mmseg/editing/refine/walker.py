"""A random walker with priors: the boundary follows the images' edges.

Grady, "Multilabel random walker image segmentation using prior models" (CVPR 2005): the unique
minimum of

    sum over neighbours w_ij (x_i - x_j)^2  +  sum over voxels c_i (x_i - p_i)^2

with x held at 0 or 1 where it is known. The prior's weight c keeps the system well conditioned, so
some tens of steps of conjugate gradients suffice where the plain walker needs hundreds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: The weight of a link across a strong edge, beside 1 within a tissue: no voxel stands alone.
WEAKEST_LINK = 0.02

#: Steps of conjugate gradients at most, and the residual (relative) at which they stop earlier.
MOST_STEPS = 40
RESIDUAL = 1e-3

Links = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def links(channels: Sequence[NDArray[np.float32]], spacing: tuple[float, float, float]) -> Links:
    """Weights between face neighbours along each axis, from differences of `channels` (I, P, L).

    exp(-d^2 / 2 of its mean), averaged over the channels, less across thick slices; the arrays are
    one shorter along their own axis.
    """
    finest = min(spacing)
    found = []
    for axis in range(3):
        shape = list(channels[0].shape)
        shape[axis] -= 1
        squared = np.zeros(shape, dtype=np.float32)
        for channel in channels:
            step = np.diff(channel, axis=axis)
            step *= step
            squared += step / max(float(step.mean()), 1e-12) if step.size else step
        weight = np.exp(squared * np.float32(-0.5 / max(len(channels), 1)))
        np.maximum(weight, np.float32(WEAKEST_LINK), out=weight)
        weight *= np.float32((finest / spacing[axis]) ** 2)
        found.append(weight)
    return found[0], found[1], found[2]


def walk(
    prior: NDArray[np.float32],
    confidence: NDArray[np.float32],
    weights: Links,
    known: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """The probability of being inside; all arrays (I, P, L).

    Parameters
    ----------
    prior
        What is believed of each voxel alone, 0 to 1; where `known` it is the truth.
    confidence
        How much that counts beside the links to neighbours (0: not at all).
    weights
        From `links`.
    known
        Voxels whose `prior` is kept.
    """
    free = ~known
    diagonal = confidence + _degrees(weights, prior.shape)
    x = prior.copy()
    residual = confidence * prior - _apply(x, confidence, weights)
    residual *= free
    scale = max(float(np.linalg.norm(residual)), 1e-12)
    preconditioned = residual / diagonal
    direction = preconditioned.copy()
    energy = float(np.vdot(residual, preconditioned))
    for _ in range(MOST_STEPS):
        if float(np.linalg.norm(residual)) <= RESIDUAL * scale:
            break
        turned = _apply(direction, confidence, weights)
        turned *= free
        length = energy / max(float(np.vdot(direction, turned)), 1e-30)
        x += np.float32(length) * direction
        residual -= np.float32(length) * turned
        np.divide(residual, diagonal, out=preconditioned)
        before, energy = energy, float(np.vdot(residual, preconditioned))
        direction *= np.float32(energy / max(before, 1e-30))
        direction += preconditioned
    return np.clip(x, 0.0, 1.0, out=x)


def _apply(
    x: NDArray[np.float32], confidence: NDArray[np.float32], weights: Links
) -> NDArray[np.float32]:
    """(Laplacian + confidence) x."""
    result = confidence * x
    for axis, weight in enumerate(weights):
        later, earlier = _halves(axis)
        flow = np.diff(x, axis=axis)
        flow *= weight
        result[later] += flow
        result[earlier] -= flow
    return result


def _degrees(weights: Links, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The sum of each voxel's links."""
    total = np.zeros(shape, dtype=np.float32)
    for axis, weight in enumerate(weights):
        later, earlier = _halves(axis)
        total[later] += weight
        total[earlier] += weight
    return total


def _halves(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    later = tuple(slice(1, None) if i == axis else slice(None) for i in range(3))
    earlier = tuple(slice(None, -1) if i == axis else slice(None) for i in range(3))
    return later, earlier
