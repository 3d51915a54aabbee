"""Brain extraction on label maps kept out of training, in contrasts no scanner makes.

Keys: `dice` (mean over `cases`), `lowest`, `baseline_dice` (Otsu's threshold, opening, largest
piece, holes filled: what one does without a network), `seconds` per case. Needs the label maps of
../shared/data, which are never part of this repository, and a model named `strip` in the user's
models folder (docs/training.md, "Brain extraction").
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.errors import InputError

ANATOMY = Path(__file__).parents[2] / "shared" / "data" / "brain_label_maps"
CASES = 24
MODEL = "strip"
SPACING_MM = 2.0


def run() -> dict[str, Any]:
    """Extract, compare with the label map, beside the baseline."""
    if not ANATOMY.is_dir():
        raise InputError("the label maps of ../shared/data are not here: nothing to measure")
    from napari_mmseg.grid import Grid
    from napari_mmseg.inference.brain import extract_brain
    from napari_mmseg.training.strip import held_out_cases
    from napari_mmseg.volume import SourceSpace, Volume

    ours, baseline, seconds = [], [], []
    for image, brain in held_out_cases(ANATOMY, CASES):
        array, truth = image[0].numpy(), brain.numpy() > 0
        # Axes (I, P, L) in a world whose axes point to R, A, S.
        affine = np.zeros((4, 4))
        affine[2, 0] = affine[1, 1] = affine[0, 2] = -SPACING_MM
        affine[3, 3] = 1.0
        source = SourceSpace.of(Grid(array.shape, affine))
        volume = Volume(array, source.display_grid, None, source)
        started = time.perf_counter()
        found = extract_brain(volume, MODEL)
        seconds.append(time.perf_counter() - started)
        ours.append(_dice(found, truth))
        baseline.append(_dice(_by_threshold(array), truth))
    return {
        "dice": round(float(np.mean(ours)), 4),
        "lowest": round(min(ours), 4),
        "baseline_dice": round(float(np.mean(baseline)), 4),
        "seconds": round(float(np.median(seconds)), 3),
        "cases": CASES,
    }


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float(2 * (first & second).sum() / max(1, int(first.sum()) + int(second.sum())))


def _by_threshold(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    import cc3d
    import fill_voids
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    ball = ndimage.generate_binary_structure(3, 1)
    opened = ndimage.binary_opening(image > threshold_otsu(image), ball, iterations=3)
    if not opened.any():
        return opened
    piece = cc3d.largest_k(opened, k=1, connectivity=6) > 0
    filled: NDArray[np.bool_] = fill_voids.fill(piece).astype(bool)
    return filled
