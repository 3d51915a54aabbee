"""NIfTI-1 and NIfTI-2, read from bytes: the header is believed only after it was checked."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GeometryError, InputError
from ..grid import Grid
from ..volume import SourceSpace
from .image import StoredImage, check_claim, check_kind, file_bytes, quoted

NIFTI1_HEADER_BYTES = 348
NIFTI2_HEADER_BYTES = 540

#: Between header and voxels a file may keep extensions; no real one keeps as much as this.
MAX_EXTENSION_BYTES = 2**28

_GZIP_MAGIC = b"\x1f\x8b"
_MAGICS = {
    NIFTI1_HEADER_BYTES: (b"n+1\0", slice(344, 348)),
    NIFTI2_HEADER_BYTES: (b"n+2\0", slice(4, 8)),
}

#: Forms that put a corner further apart than this (in voxels) differ; less is rounding.
FORMS_DIFFER_ABOVE_VOXELS = 0.1

_SPACE_UNITS = 0b111
_COPY_AGAIN = "copy it again from its source"
_OTHER_UNITS = {1: "metres", 3: "micrometres"}


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
    if _is_web_page(data):
        raise InputError(
            f"{quoted(path)} is a web page, not an image (probably an error page saved in place "
            "of a download): fetch it again"
        )
    head = stream.read(NIFTI1_HEADER_BYTES)
    size = next((n for n in _MAGICS if _header_size(head) == n), None)
    if size is None:
        raise InputError(
            f"{quoted(path)} is not a NIfTI file: fetch it again, or name its "
            "true format by its suffix"
        )
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
    except KeyError:
        raise InputError(
            f"{quoted(path)} has voxels of an unknown type ({int(header['datatype'])}): "
            "convert it to int16 or float32"
        ) from None
    check_kind(path, dtype, shape)
    offset = float(header["vox_offset"])
    if not size <= offset <= size + MAX_EXTENSION_BYTES:
        raise InputError(
            f"{quoted(path)} is damaged (its voxels would begin at byte {offset:g}): {_COPY_AGAIN}"
        )
    skip = int(offset) - size
    stored = len(data) if stream.is_compressed else len(data) - size
    claimed = check_claim(path, shape, dtype.itemsize, stored, stream.is_compressed)
    body = stream.read(skip + claimed)
    stream.check_sum()
    raw = np.frombuffer(body, dtype=dtype, offset=skip).reshape(shape, order="F")
    slope, inter = _scaling(path, header)
    grid, notes = _geometry(path, mended_header(head), shape[:3])
    source = SourceSpace.of(grid, file_format="nifti", nifti_header=head)
    return StoredImage(path, raw, source, slope, inter, sha256, notes)


def parse_header(head: bytes) -> Any:
    """The nibabel header of 348 or 540 bytes."""
    import nibabel

    kind = nibabel.Nifti1Header if len(head) == NIFTI1_HEADER_BYTES else nibabel.Nifti2Header
    return kind(head, check=False)


def mended_header(head: bytes) -> Any:
    """The header as nibabel reads it: voxel sizes positive, the handedness of the qform 1 or -1.

    For reading geometry only; exports keep the bytes as they were.
    """
    header = parse_header(head)
    header.check_fix(logger=_silent, error_level=_NEVER)
    return header


_silent = logging.Logger("nifti header", level=logging.CRITICAL)
_NEVER = 1000


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

    def check_sum(self) -> None:
        """Refuse a gzip stream whose checksum does not fit, once all that is needed was read."""
        if self.is_compressed:
            self._inflate(1)

    def _inflate(self, count: int) -> bytes:
        from isal import isal_zlib

        assert self._member is not None
        pieces: list[bytes] = []
        while count > 0:
            try:
                piece = self._member.decompress(self._left, count)
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub knows no error
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


def _is_web_page(data: bytes) -> bool:
    return data[:200].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head"))


def _shape(path: Path, header: Any) -> tuple[int, ...]:
    """Sides of the array: trailing sides of one voxel beyond the third dropped."""
    rank = int(header["dim"][0])
    if not 1 <= rank <= 7:
        raise InputError(
            f"{quoted(path)} is damaged (its header claims {rank} dimensions): {_COPY_AGAIN}"
        )
    shape = tuple(int(n) for n in header["dim"][1 : rank + 1])
    if min(shape) < 1:
        raise InputError(
            f"{quoted(path)} is damaged (its header claims a side of {min(shape)}): {_COPY_AGAIN}"
        )
    return shape[:3] + tuple(n for n in shape[3:] if n > 1)


def _scaling(path: Path, header: Any) -> tuple[float, float]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):  # the standard: no scaling
        return 1.0, 0.0
    if not np.isfinite(inter):
        raise InputError(
            f"{quoted(path)} is damaged (its scaling intercept is not a number): {_COPY_AGAIN}"
        )
    return slope, inter


def _geometry(path: Path, header: Any, shape: tuple[int, ...]) -> tuple[Grid, tuple[str, ...]]:
    from nibabel.spatialimages import HeaderDataError

    sides = (shape[0], shape[1], shape[2])
    unit = int(header["xyzt_units"]) & _SPACE_UNITS
    notes: tuple[str, ...] = ()
    if unit in _OTHER_UNITS:
        notes = (
            f"{quoted(path)} says that its voxels are measured in {_OTHER_UNITS[unit]}: taken as "
            "millimetres, as all common programs do",
        )
    sform, qform = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    try:
        grid = Grid(sides, header.get_best_affine())
    except HeaderDataError as error:
        raise GeometryError(f"{quoted(path)}: its qform is damaged ({error})") from error
    if not sform and not qform:
        notes += (
            f"{quoted(path)} says nothing about its position in space: orientation and left/right "
            "are assumed (axes towards left, anterior, superior, as nibabel does), check them",
        )
    if sform and qform:
        try:
            other = Grid(sides, header.get_qform())
        except (HeaderDataError, GeometryError):
            notes += (f"{quoted(path)} has a damaged qform beside its sform: the sform is used",)
            return grid, notes
        if not grid.same_as(other, FORMS_DIFFER_ABOVE_VOXELS):
            notes += (
                f"{quoted(path)} has an sform and a qform that differ: the sform is used, "
                "and both return as they were on export",
            )
    return grid, notes
