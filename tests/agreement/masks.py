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
