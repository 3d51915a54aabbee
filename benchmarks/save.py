"""Exporting labels as .nii.gz, verified, against nibabel's plain save of the same array.

Ours includes encoding, the sidecar, fsync, reading back through nibabel and comparing. nibabel's
side is `nib.save` of the ready file values, neither synced nor read back.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import nibabel as nib
import numpy as np

from napari_mmseg.annotation import Annotation
from napari_mmseg.grid import Grid
from napari_mmseg.io import export
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

ROUNDS = 9
SHAPE = (240, 240, 155)


def run() -> dict[str, Any]:
    """`ratio` (ours / nibabel), `seconds`, `nibabel_seconds`, `rounds`."""
    annotation = _annotation()
    values = annotation.protocol.encoding("brats2023").encode(annotation.codes)
    stored = np.asfortranarray(annotation.source.to_display.invert(values))
    ours: list[float] = []
    theirs: list[float] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(ROUNDS + 1):  # the first round warms caches and imports
            started = perf_counter()
            export(annotation, folder / f"ours-{number}.nii.gz")
            ours.append(perf_counter() - started)
            started = perf_counter()
            image = nib.Nifti1Image(stored, annotation.source.grid.affine)
            nib.save(image, folder / f"nibabel-{number}.nii.gz")
            theirs.append(perf_counter() - started)
    seconds, nibabel_seconds = median(ours[1:]), median(theirs[1:])
    return {
        "ratio": seconds / nibabel_seconds,
        "seconds": seconds,
        "nibabel_seconds": nibabel_seconds,
        "rounds": ROUNDS,
    }


def _annotation() -> Annotation:
    """A tumour of three uneven nested shells on the grid of a BraTS case."""
    grid = Grid(SHAPE, np.diag([-1.0, -1.0, 1.0, 1.0]))
    axes = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in SHAPE)]
    ripple = 0.03 * np.sin(40 * axes[0]) * np.cos(35 * axes[1]) * np.sin(30 * axes[2])
    distance = np.sqrt(sum((a - 0.2) ** 2 for a in axes)) + ripple
    codes = sum((distance < edge).astype(np.uint8) for edge in (0.35, 0.2, 0.15))
    source = SourceSpace.of(grid)
    upright = np.ascontiguousarray(source.to_display.apply(codes))
    return Annotation(upright, source.display_grid, load_protocol(), source)
