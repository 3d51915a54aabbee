"""Opening four .nii.gz files as a case, against nibabel reading the same arrays.

nibabel's side is `np.asarray(nib.load(file).dataobj)` for each file in turn: arrays in their own
type, no display orientation. Ours is the whole of `open_case`: recognition, hashes, display
orientation, checks. Files are warm in the cache; runs alternate, the medians are compared.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import nibabel as nib
import numpy as np

from napari_mmseg.io import open_case

ROUNDS = 9
SHAPE = (240, 240, 155)
REAL_CASE = Path(__file__).parents[2] / "shared" / "data" / "brats2021" / "BraTS2021_01657"


def run() -> dict[str, Any]:
    """`ratio` (ours / nibabel), `seconds`, `nibabel_seconds`, `rounds`, `case`."""
    if REAL_CASE.is_dir():
        return _measured(REAL_CASE, "real: 240x240x155 int16, skull-stripped")
    with TemporaryDirectory() as folder:
        _write_head(Path(folder))
        return _measured(Path(folder), "made up: 240x240x155 int16, noise in a ball")


def _measured(folder: Path, title: str) -> dict[str, Any]:
    files = [p for p in sorted(folder.glob("*.nii.gz")) if "seg" not in p.name]
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS + 1):  # the first round warms caches and imports
        started = perf_counter()
        case = open_case(folder)
        ours.append(perf_counter() - started)
        started = perf_counter()
        arrays = [np.asarray(nib.load(file).dataobj) for file in files]
        theirs.append(perf_counter() - started)
    if len(case.volumes) != len(arrays):
        raise RuntimeError("the two sides did not read the same files")
    seconds, nibabel_seconds = median(ours[1:]), median(theirs[1:])
    return {
        "ratio": seconds / nibabel_seconds,
        "seconds": seconds,
        "nibabel_seconds": nibabel_seconds,
        "rounds": ROUNDS,
        "case": title,
    }


def _write_head(folder: Path) -> None:
    """Four images whose brain-sized ball holds noise, as hard to pack as a real one."""
    axes = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in SHAPE)]
    inside = sum(a**2 for a in axes) < 0.5
    rng = np.random.default_rng(0)
    for name in ("t1", "t1ce", "t2", "flair"):
        array = np.where(inside, rng.integers(200, 900, SHAPE), 0).astype(np.int16)
        nib.save(nib.Nifti1Image(array, np.diag([-1.0, -1, 1, 1])), folder / f"{name}.nii.gz")
