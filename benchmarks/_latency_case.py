"""A made-up case of BraTS size: a head with a nested tumour in four contrasts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks._robot_cases import case_of
from napari_mmseg.annotation import Annotation
from napari_mmseg.case import Case
from napari_mmseg.protocol import load_protocol

#: Axes (I, P, L), voxels of 1 mm.
SHAPE = (155, 240, 240)
CENTRE = (77, 100, 90)

#: Radii in mm of WT, TC and ET.
RADII = (32.0, 20.0, 12.0)

_NOISE = 15.0

#: What each depth adds to T1, T1ce, T2 and FLAIR.
_CONTRASTS = ((0, -30, -60, -60), (0, -20, -10, 180), (0, 80, 120, 110), (0, 140, 70, 80))


def target() -> NDArray[np.uint8]:
    """Depth of nesting: balls in each other."""
    axes = np.ogrid[tuple(slice(n) for n in SHAPE)]
    away2 = sum((axis - c) ** 2 for axis, c in zip(axes, CENTRE, strict=True))
    found = np.zeros(SHAPE, dtype=np.uint8)
    for radius in RADII:
        found += np.asarray(away2 <= radius**2)
    return found


def made_up_case() -> tuple[Case, Annotation]:
    """The case, and its tumour as somebody's annotation."""
    rng = np.random.default_rng(0)
    axes = np.ogrid[tuple(slice(-1.0, 1.0, n * 1j) for n in SHAPE)]
    head = sum(axis**2 for axis in axes) < 0.8
    depth = target()
    images = rng.normal(0, _NOISE, (4, *SHAPE)).astype(np.float32)
    for image, contrast in zip(images, _CONTRASTS, strict=True):
        image += 300 + np.array(contrast, dtype=np.float32)[depth]
        image *= head
    case = case_of("made up", images)
    return case, Annotation(depth, case.grid, load_protocol(), case.source)
