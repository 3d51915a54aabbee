"""Which case a work file belongs to, whose it is, and where it lies."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..case import Case
from .schema import SUFFIX

#: Environment variables: the folder of the work files ("off": none are kept), and the pseudonym
#: of whoever works here.
FOLDER_VARIABLE = "NAPARI_MMSEG_WORK"
RATER_VARIABLE = "NAPARI_MMSEG_RATER"

DEFAULT_RATER = "rater"

_OFF = "off"
#: What comes between the name of a work file and the number of further labels.
_FURTHER = ".layer-"
_FURTHER_NAME = re.compile(rf"{re.escape(_FURTHER)}\d+{re.escape(SUFFIX)}$")

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_FINGERPRINT_DIGITS = 20

#: Positions are hashed to so many digits of a millimetre.
_AFFINE_DIGITS = 3


@dataclass(frozen=True)
class Place:
    """Where the work of a rater on a case is kept, and what it says of both."""

    file: Path
    fingerprint: str
    rater: str


def fingerprint_of(case: Case) -> str:
    """A hash of the reference image: its grid and its voxels.

    It is the same however the file is named, compressed or stored beside, and says nothing about
    the patient to whoever has not got the image. The other contrasts do not count: work goes on
    when one is added later.
    """
    volume = case.volumes[case.reference]
    found = hashlib.blake2b(digest_size=_FINGERPRINT_DIGITS // 2)
    affine = np.round(volume.grid.affine, _AFFINE_DIGITS) + 0.0  # no negative zero
    found.update(repr((volume.grid.shape, affine.tolist(), str(volume.array.dtype))).encode())
    found.update(np.ascontiguousarray(volume.array).data)
    return found.hexdigest()


def work_folder() -> Path | None:
    """Where work files lie; None when the user wants none."""
    named = os.environ.get(FOLDER_VARIABLE, "")
    if named.lower() == _OFF:
        return None
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("napari-mmseg", appauthor=False) / "work"


def rater_name() -> str:
    """The pseudonym of whoever works here."""
    return os.environ.get(RATER_VARIABLE, "").strip() or DEFAULT_RATER


def work_path(folder: Path, fingerprint: str, rater: str) -> Path:
    """Where the work of a rater on a case lies."""
    return folder / f"{fingerprint}-{_NOT_IN_NAMES.sub('_', rater)}{SUFFIX}"


def further_path(path: Path, number: int) -> Path:
    """Where further labels of the same case lie, beside the work file of the first."""
    return path.with_name(f"{_stem(path)}{_FURTHER}{number}{SUFFIX}")


def further_paths(path: Path) -> list[Path]:
    """The work files of further labels that are there, in the order they were begun in."""
    found: list[tuple[int, Path]] = []
    begin = f"{_stem(path)}{_FURTHER}"
    for file in path.parent.glob(f"{glob.escape(begin)}*{SUFFIX}"):
        number = file.name[len(begin) : -len(SUFFIX)]
        if number.isdecimal():
            found.append((int(number), file))
    return [file for _, file in sorted(found)]


def first_name(name: str) -> str:
    """The name of the work file beside which a file of further labels lies; its own for others."""
    return _FURTHER_NAME.sub(SUFFIX, name)


def _stem(path: Path) -> str:
    return path.name.removesuffix(SUFFIX)


def own_place(case: Case) -> Place | None:
    """Where whoever works here keeps the work on a case; None when no work files are wanted."""
    folder = work_folder()
    if folder is None:
        return None
    fingerprint, rater = fingerprint_of(case), rater_name()
    return Place(work_path(folder, fingerprint, rater), fingerprint, rater)
