"""Cases to read, and raters who read them."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.journal import Journal
from napari_mmseg.study import Reading, Sitting, Study, open_item

SHAPE = (9, 10, 6)  # in the file's axes: left, posterior, superior
AFFINE = np.array([[-2.0, 0, 0, 31], [0, -1, 0, 12], [0, 0, 3, -7], [0, 0, 0, 1]])

#: A word in every name of a file and folder of the cases: nothing that a rater sees may hold it.
SECRET = "Mueller"


def make_cases(folder: Path, count: int, first: int = 0) -> list[Path]:
    made = []
    for number in range(first, first + count):
        case = folder / f"{SECRET}{number}"
        case.mkdir(parents=True)
        random = np.random.default_rng(number)
        for name in ("flair", "t1ce"):
            array = random.integers(1, 900, SHAPE).astype(np.int16)
            nib.Nifti1Image(array, AFFINE).to_filename(case / f"{SECRET}{number}_{name}.nii.gz")
        made.append(case)
    return made


def sit(study: Study, rater: str, item: str | None = None) -> tuple[Sitting, EditSession, Journal]:
    """A rater at work: close the journal to get up again."""
    sitting = open_item(study, rater, item)
    edit = EditSession(sitting.start)
    place = sitting.place
    return sitting, edit, Journal(edit, place.file, place.fingerprint, place.rater)


def draw(edit: EditSession, corner: tuple[int, int, int] = (1, 2, 1), region: str = "WT") -> None:
    edit.apply(
        Stroke(region, Mode.PAINT, Footprint(corner, np.ones((2, 3, 2), bool))), "brush: add"
    )


def read(study: Study, rater: str, item: str, corner: tuple[int, int, int] = (1, 2, 1)) -> Reading:
    """Open a reading, draw a block and close it again."""
    _, edit, journal = sit(study, rater, item)
    draw(edit, corner)
    assert journal.close()
    return study.reading(rater, item)


def first_item(study: Study, rater: str = "ann") -> str:
    return study.worklist(rater)[0].item
