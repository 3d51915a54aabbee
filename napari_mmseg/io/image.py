"""An image as its file stores it, whatever the format: one reader for all of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import GeometryError, InputError
from ..volume import SourceSpace

#: What the program reads and writes, longest suffix first.
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")

#: gzip cannot pack tighter than this (RFC 1951: 258 bytes from two bits).
MAX_COMPRESSION = 1032

#: No MRI comes near this many bytes of voxels; what claims more is refused before allocation.
MAX_BYTES = 16 * 2**30

_NO_FILE = "there is no file {}: check its name and folder"
_A_FOLDER = "{} is a folder, not an image file: name a file in it"

_UNUSABLE_KINDS = {"c": "complex numbers", "V": "colours"}


@dataclass(frozen=True, eq=False)
class StoredImage:
    """One file's voxels, in the file's own axis order.

    Parameters
    ----------
    path
        The file.
    raw
        Voxels as stored, scaling not applied; 3D, or 4D with the channels last. Read-only.
    source
        Where they lie.
    slope, inter
        Stored value * slope + inter is the value meant.
    sha256
        Hash of the file's bytes.
    notes
        Sentences for the user about what was odd.
    """

    path: Path
    raw: NDArray[Any]
    source: SourceSpace
    slope: float = 1.0
    inter: float = 0.0
    sha256: str = ""
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        return 1 if self.raw.ndim == 3 else int(self.raw.shape[3])

    @property
    def is_scaled(self) -> bool:
        return (self.slope, self.inter) != (1.0, 0.0)

    def channel(self, number: int) -> NDArray[Any]:
        """Stored voxels of one channel, 3D.

        Raises
        ------
        InputError
            When there is no such channel.
        """
        if not 0 <= number < self.channels:
            raise InputError(
                f"{quoted(self.path)} has no channel {number}: its channels are "
                f"0 to {self.channels - 1}"
            )
        return self.raw if self.raw.ndim == 3 else self.raw[..., number]


def quoted(path: Path) -> str:
    """A file's name for a sentence; the quotes let provenance leave names out again."""
    return f'"{path.name or path}"'  # the folder "." and the root have no name


def suffix_of(path: Path) -> str | None:
    """Which of `SUFFIXES` the name ends with, or None."""
    name = path.name.lower()
    return next((s for s in SUFFIXES if name.endswith(s) and len(name) > len(s)), None)


def stem_of(path: Path) -> str:
    """The name without the suffix of its format."""
    suffix = suffix_of(path)
    return path.name[: -len(suffix)] if suffix else path.stem


def read_image(path: Path) -> StoredImage:
    """Read a NIfTI, NRRD or MHA file.

    Raises
    ------
    InputError
        When the file is missing, damaged, of another format, or holds colours, complex numbers or
        a single slice.
    GeometryError
        When its affine is impossible.
    """
    suffix = suffix_of(path)
    if suffix is None:
        if not path.exists():
            raise InputError(_NO_FILE.format(quoted(path)))
        if path.is_dir():
            raise InputError(_A_FOLDER.format(quoted(path)))
        raise InputError(
            f"{quoted(path)} is of no known format: use NIfTI (.nii, .nii.gz), NRRD or MHA"
        )
    if suffix in (".nii", ".nii.gz"):
        from .nifti import read_nifti as read
    else:
        from .itk import read_itk as read
    try:
        return read(path)
    except MemoryError as error:
        raise InputError(f"{quoted(path)} is larger than this machine's free memory") from error
    except GeometryError as error:
        said = str(error)
        raise GeometryError(said if path.name in said else f"{quoted(path)}: {said}") from error


def file_bytes(path: Path) -> tuple[bytes, str]:
    """A file's bytes and their SHA-256.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        if not path.is_file() and path.exists() and not path.is_dir():
            raise InputError(f"{quoted(path)} is a device or a pipe: name a file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(_NO_FILE.format(quoted(path))) from None
    except IsADirectoryError:
        raise InputError(_A_FOLDER.format(quoted(path))) from None
    except OSError as error:
        raise InputError(f"{quoted(path)} cannot be read: {error.strerror}") from error
    if not data:
        raise InputError(f"{quoted(path)} is empty: copy it again from its source")
    return data, hashlib.sha256(data).hexdigest()


def check_claim(
    path: Path, shape: tuple[int, ...], itemsize: int, stored: int, compressed: bool
) -> int:
    """The number of bytes that a header claims, refused where the file cannot hold them.

    Parameters
    ----------
    shape, itemsize
        What the header says.
    stored
        Bytes that the file has for voxels.
    compressed
        Whether those are compressed.

    Raises
    ------
    InputError
        Before anything is allocated.
    """
    claimed = prod(shape) * itemsize
    sides = " x ".join(str(n) for n in shape)
    if claimed > MAX_BYTES or claimed > stored * (MAX_COMPRESSION if compressed else 1):
        raise InputError(
            f"{quoted(path)} claims {sides} voxels, more than its {stored} bytes can hold: "
            "the file is damaged or was cut off, copy it again from its source"
        )
    return claimed


def check_kind(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Refuse what is no volume of grey values.

    Raises
    ------
    InputError
        For colours, complex numbers and single slices.
    """
    if dtype.kind in _UNUSABLE_KINDS:
        raise InputError(
            f"{quoted(path)} holds {_UNUSABLE_KINDS[dtype.kind]}, not grey values: "
            "leave it out or convert it"
        )
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise InputError(
            f"{quoted(path)} is a single slice ({' x '.join(map(str, shape))}): a volume is needed"
        )
    if len(shape) > 4:
        raise InputError(
            f"{quoted(path)} has {len(shape)} dimensions: a volume or a volume with channels "
            "is needed"
        )
