"""A bright ball in noise, and annotations of it that are wrong in known ways."""

from __future__ import annotations

import numpy as np

from napari_mmseg.editing import EditSession, Footprint, sweep

from ..volumes import annotation

SHAPE = (40, 48, 44)
CENTRE = (20, 24, 22)
RADIUS = 11.0


def ball(centre: tuple[int, int, int], radius: float, shape=SHAPE, spacing=(1.0, 1.0, 1.0)):
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    squares = ((a - c) * s for a, c, s in zip(axes, centre, spacing, strict=True))
    return sum(x**2 for x in squares) <= radius**2


def images(inside: np.ndarray, contrast: float = 4.0, seed: int = 0) -> list[np.ndarray]:
    """Two contrasts in noise of standard deviation 1; the second shows it half as bright."""
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=inside.shape) + share * contrast * inside).astype(np.float32)
        for share in (1.0, 0.5)
    ]


def session_of(inside: np.ndarray, code: int = 1, spacing=(1.0, 1.0, 1.0)) -> EditSession:
    return EditSession(annotation(inside.astype(np.uint8) * np.uint8(code), spacing=spacing))


def line(start: tuple[int, int, int], end: tuple[int, int, int], width: float = 1.0) -> Footprint:
    """A straight stroke in the slice of its first voxel."""
    return sweep(start, end, width, (1.0, 1.0, 1.0), 0)


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * int((first & second).sum()) / max(1, int(first.sum()) + int(second.sum()))
