"""Masks that several tests compare."""

from __future__ import annotations

import numpy as np


def blobs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping noisy balls, one of which reaches the array's border."""
    random = np.random.default_rng(seed)
    index = np.indices((24, 30, 26))
    pair = []
    for _ in range(2):
        centre = random.uniform(2, 22, 3)[:, None, None, None]
        radius = random.uniform(3, 9)
        noise = random.normal(0, 0.7, index.shape[1:])
        pair.append(np.sqrt(((index - centre) ** 2).sum(0)) + noise < radius)
    return pair[0], pair[1]


def degenerate() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pairs at the edge of what a definition covers."""
    empty = np.zeros((9, 8, 7), bool)
    full = ~empty
    voxel, other, plane, hollow = (empty.copy() for _ in range(4))
    voxel[4, 4, 3] = True
    other[0, 0, 0] = True
    plane[:, 0] = True
    hollow[1:8, 1:7, 1:6] = True
    hollow[2:7, 2:6, 2:5] = False
    return {
        "one voxel each": (voxel, other),
        "a voxel and everything": (voxel, full),
        "everything twice": (full, full),
        "a plane at the border": (plane, voxel),
        "a shell and its inside": (hollow, voxel),
        "nothing predicted": (empty, voxel),
        "nothing there": (other, empty),
        "nothing at all": (empty, empty),
    }
