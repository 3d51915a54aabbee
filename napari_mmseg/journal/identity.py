"""Which case a work file belongs to, whose it is, and where it lies."""

from __future__ import annotations

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


def own_place(case: Case) -> Place | None:
    """Where whoever works here keeps the work on a case; None when no work files are wanted."""
    folder = work_folder()
    if folder is None:
        return None
    fingerprint, rater = fingerprint_of(case), rater_name()
    return Place(work_path(folder, fingerprint, rater), fingerprint, rater)
