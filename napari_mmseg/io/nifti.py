"""NIfTI-1 and NIfTI-2, read from bytes: the header is believed only after it was checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GeometryError, InputError
from ..grid import Grid
from ..volume import SourceSpace
from .image import StoredImage, check_claim, check_kind, file_bytes, quoted

NIFTI1_HEADER_BYTES = 348
NIFTI2_HEADER_BYTES = 540

_GZIP_MAGIC = b"\x1f\x8b"
_MAGICS = {
    NIFTI1_HEADER_BYTES: (b"n+1\0", slice(344, 348)),
    NIFTI2_HEADER_BYTES: (b"n+2\0", slice(4, 8)),
}

#: Forms that put a corner further apart than this (in voxels) differ; less is rounding.
FORMS_DIFFER_ABOVE_VOXELS = 0.1


def read_nifti(path: Path) -> StoredImage:
    """Read .nii or .nii.gz, scaling not applied, geometry by nibabel's rules.

    The sform is preferred, then the qform; with neither, nibabel's base affine, and that is noted.
    A gzip stream is recognised by its first bytes, not by the name.

    Raises
    ------
    InputError, GeometryError
        See `image.read_image`.
    """
    data, sha256 = file_bytes(path)
    stream = _Stream(path, data)
    head = stream.read(NIFTI1_HEADER_BYTES)
    size = next((n for n in _MAGICS if _header_size(head) == n), None)
    if size is None:
        raise InputError(f"{quoted(path)} is not a NIfTI file{_looks_like(head)}")
    head += stream.read(size - len(head))
    magic, where = _MAGICS[size]
    if head[where] != magic:
        raise InputError(
            f"{quoted(path)} is only a NIfTI header, or damaged: save image and header as one file"
        )
    header = parse_header(head)
    shape = _shape(path, header)
    try:
        dtype = header.get_data_dtype()
    except Exception as error:  # nibabel has no single error for codes that it does not know
        raise InputError(f"{quoted(path)} has voxels of an unknown type") from error
    check_kind(path, dtype, shape)
    skip = int(header["vox_offset"]) - size
    if skip < 0:
        raise InputError(f"{quoted(path)} is damaged: its voxels would begin inside its header")
    claimed = check_claim(path, shape, dtype.itemsize, len(data) - size, stream.is_compressed)
    body = stream.read(skip + claimed)
    raw = np.frombuffer(body, dtype=dtype, offset=skip).reshape(shape, order="F")
    slope, inter = _scaling(path, header)
    grid, notes = _geometry(path, header, shape[:3])
    source = SourceSpace.of(grid, file_format="nifti", nifti_header=head)
    return StoredImage(path, raw, source, slope, inter, sha256, notes)


def parse_header(head: bytes) -> Any:
    """The nibabel header of 348 or 540 bytes."""
    import nibabel

    kind = nibabel.Nifti1Header if len(head) == NIFTI1_HEADER_BYTES else nibabel.Nifti2Header
    return kind(head, check=False)


class _Stream:
    """The file's bytes in order, decompressed only as far as they are asked for."""

    def __init__(self, path: Path, data: bytes) -> None:
        self._path = path
        self._data = data
        self._at = 0
        self.is_compressed = data[:2] == _GZIP_MAGIC
        self._members = 0
        self._open_member(data)

    def _open_member(self, data: bytes) -> None:
        from isal import isal_zlib

        self._left = data
        self._member = isal_zlib.decompressobj(wbits=31) if self.is_compressed else None

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes.

        Raises
        ------
        InputError
            When the file ends before.
        """
        if count <= 0:
            return b""
        if not self.is_compressed:
            piece = self._data[self._at : self._at + count]
            self._at += len(piece)
        else:
            piece = self._inflate(count)
        if len(piece) < count:
            raise InputError(
                f"{quoted(self._path)} was cut off: {count - len(piece)} bytes are missing, "
                "copy it again from its source"
            )
        return piece

    def _inflate(self, count: int) -> bytes:
        from isal import isal_zlib

        assert self._member is not None
        pieces: list[bytes] = []
        while count > 0:
            try:
                piece = self._member.decompress(self._left, count)
            except isal_zlib.error as error:
                raise InputError(
                    f"{quoted(self._path)} is damaged (its compression does not add up): "
                    "copy it again from its source"
                ) from error
            pieces.append(piece)
            count -= len(piece)
            self._left = self._member.unconsumed_tail
            if self._member.eof and self._member.unused_data[:2] == _GZIP_MAGIC:
                self._open_member(self._member.unused_data)  # gzip files may have many members
            elif not piece:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _header_size(head: bytes) -> int:
    little, big = int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big")
    return little if little in _MAGICS else big


def _looks_like(head: bytes) -> str:
    start = head.lstrip()[:15].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return ": it is a web page, probably an error page saved in place of a download"
    if start.startswith(b"version https:"):
        return ": it is a Git LFS pointer, fetch the file itself"
    return ": fetch it again, or name its true format by its suffix"


def _shape(path: Path, header: Any) -> tuple[int, ...]:
    """Sides of the array: trailing sides of one voxel beyond the third dropped."""
    rank = int(header["dim"][0])
    if not 1 <= rank <= 7:
        raise InputError(f"{quoted(path)} is damaged: its header claims {rank} dimensions")
    shape = tuple(int(n) for n in header["dim"][1 : rank + 1])
    if min(shape) < 1:
        raise InputError(f"{quoted(path)} is damaged: its header claims a side of {min(shape)}")
    return shape[:3] + tuple(n for n in shape[3:] if n > 1)


def _scaling(path: Path, header: Any) -> tuple[float, float]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):  # the standard: no scaling
        return 1.0, 0.0
    if not np.isfinite(inter):
        raise InputError(f"{quoted(path)} is damaged: its scaling intercept is not a number")
    return slope, inter


def _geometry(path: Path, header: Any, shape: tuple[int, ...]) -> tuple[Grid, tuple[str, ...]]:
    import nibabel

    damaged: type[Exception] = nibabel.spatialimages.HeaderDataError
    sides = (shape[0], shape[1], shape[2])
    sform, qform = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    try:
        grid = Grid(sides, header.get_best_affine())
    except damaged as error:
        raise GeometryError(f"{quoted(path)}: its qform is damaged ({error})") from error
    if not sform and not qform:
        return grid, (
            f"{quoted(path)} says nothing about its position in space: orientation and left/right "
            "are assumed (RAS order of the file's axes after the NIfTI-1 rule), check them",
        )
    if sform and qform:
        try:
            other = Grid(sides, header.get_qform())
        except (damaged, GeometryError):
            return grid, (
                f"{quoted(path)} has a damaged qform beside its sform: the sform is used",
            )
        if not grid.same_as(other, FORMS_DIFFER_ABOVE_VOXELS):
            return grid, (
                f"{quoted(path)} has an sform and a qform that differ: the sform is used, "
                "and both return as they were on export",
            )
    return grid, ()
