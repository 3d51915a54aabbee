"""Voxels and their place in space as the bytes of a NIfTI, NRRD or MHA file."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..grid import Grid
from ..volume import SourceSpace
from .itk import LPS_TO_RAS
from .nifti import NIFTI2_HEADER_BYTES, parse_header

#: isal's levels go from 0 to 3; labels gain little beyond 1.
_ISAL_LEVEL = 1

_NIFTI_INTENT_LABEL = 1002
_NIFTI_SCANNER = 1
_XYZT_MM = 2
_NIFTI1_LARGEST_SIDE = 32767

_NRRD_TYPES = {
    "u1": "uint8",
    "i1": "int8",
    "u2": "uint16",
    "i2": "int16",
    "u4": "uint32",
    "i4": "int32",
    "f4": "float",
    "f8": "double",
}
_MHA_TYPES = {
    "u1": "MET_UCHAR",
    "i1": "MET_CHAR",
    "u2": "MET_USHORT",
    "i2": "MET_SHORT",
    "u4": "MET_UINT",
    "i4": "MET_INT",
    "f4": "MET_FLOAT",
    "f8": "MET_DOUBLE",
}


def to_bytes(
    array: NDArray[Any], source: SourceSpace, suffix: str, *, labels: bool, name: str = ""
) -> bytes:
    """The whole file.

    Parameters
    ----------
    array
        Voxels in the file's axis order, shape `source.grid.shape`.
    source
        Where they lie; a NIfTI header in it gives forms, codes and units.
    suffix
        One of `image.SUFFIXES`.
    labels
        Whether voxels are labels (said in NIfTI's intent).
    name
        What the labels mean, for NIfTI's intent_name (at most 15 letters).

    Raises
    ------
    ExportError
        When the format has no such numbers.
    """
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    voxels = array.tobytes(order="F")
    if suffix == ".nii":
        return _nifti_header(array, source, labels, name) + voxels
    if suffix == ".nii.gz":
        from isal import igzip

        head = _nifti_header(array, source, labels, name)
        return igzip.compress(head + voxels, _ISAL_LEVEL, mtime=0)
    key = f"{array.dtype.kind}{array.dtype.itemsize}"
    if key not in _NRRD_TYPES:
        raise ExportError(
            f"voxels of type {array.dtype} cannot be written as {suffix}: use .nii.gz"
        )
    if suffix == ".nrrd":
        from isal import igzip

        return _nrrd_header(array, source.grid, _NRRD_TYPES[key]) + igzip.compress(
            voxels, _ISAL_LEVEL, mtime=0
        )
    packed = zlib.compress(voxels, 1)
    return _mha_header(array, source.grid, _MHA_TYPES[key], len(packed)) + packed


def nifti_header_of(grid: Grid) -> bytes:
    """A fresh NIfTI-1 header for a grid that comes from no NIfTI file: both forms, scanner."""
    import nibabel

    header = nibabel.Nifti1Header()
    header.set_data_shape(grid.shape)
    header.set_sform(grid.affine, _NIFTI_SCANNER)
    header.set_qform(grid.affine, _NIFTI_SCANNER, strip_shears=True)
    header["xyzt_units"] = _XYZT_MM
    return bytes(header.binaryblock)


def _nifti_header(array: NDArray[Any], source: SourceSpace, labels: bool, name: str) -> bytes:
    """Header and four bytes that say "no extension": forms, codes and units as the source's.

    All free text is cleared: it may name a patient.
    """
    head = source.nifti_header or nifti_header_of(source.grid)
    header = parse_header(head)
    if header.endianness != "<":
        header = header.as_byteswapped("<")
    if len(head) < NIFTI2_HEADER_BYTES and max(array.shape) > _NIFTI1_LARGEST_SIDE:
        raise ExportError("a side has more voxels than NIfTI can hold: use .nrrd")
    for field in ("descrip", "aux_file", "intent_name"):
        header[field] = b""
    for field in ("data_type", "db_name"):  # NIfTI-1 only
        if field in header.keys():  # noqa: SIM118  (nibabel's headers have no __contains__ of fields)
            header[field] = b""
    for field in ("extents", "session_error", "regular", "glmax", "glmin"):
        if field in header.keys():  # noqa: SIM118
            header[field] = b"r" if field == "regular" else 0
    for field in (
        "cal_max", "cal_min", "slice_duration", "toffset", "slice_start", "slice_end",
        "slice_code", "intent_p1", "intent_p2", "intent_p3",
    ):  # fmt: skip
        header[field] = 0
    header["dim"] = [3, *array.shape, 1, 1, 1, 1]
    header["pixdim"][4:] = 0
    header["intent_code"] = _NIFTI_INTENT_LABEL if labels else 0
    header["intent_name"] = name.encode()[:15]
    header["scl_slope"], header["scl_inter"] = 1, 0
    header.set_data_dtype(array.dtype)
    header["magic"] = b"n+1" if len(head) < NIFTI2_HEADER_BYTES else header["magic"]
    header["vox_offset"] = len(head) + 4
    return bytes(header.binaryblock) + bytes(4)


def _nrrd_header(array: NDArray[Any], grid: Grid, kind: str) -> bytes:
    affine = LPS_TO_RAS @ grid.affine
    lines = [
        "NRRD0004",
        f"type: {kind}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(str(n) for n in array.shape)}",
        f"space directions: {' '.join(_vector(affine[:3, i]) for i in range(3))}",
        "kinds: domain domain domain",
        *(["endian: little"] if array.dtype.itemsize > 1 else []),
        "encoding: gzip",
        f"space origin: {_vector(affine[:3, 3])}",
    ]
    return ("\n".join(lines) + "\n\n").encode()


def _mha_header(array: NDArray[Any], grid: Grid, kind: str, packed: int) -> bytes:
    affine = LPS_TO_RAS @ grid.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {packed}",
        f"TransformMatrix = {_numbers((affine[:3, :3] / spacing).T)}",
        f"Offset = {_numbers(affine[:3, 3])}",
        "CenterOfRotation = 0 0 0",
        f"ElementSpacing = {_numbers(spacing)}",
        f"DimSize = {' '.join(str(n) for n in array.shape)}",
        f"ElementType = {kind}",
        "ElementDataFile = LOCAL",
    ]
    return ("\n".join(lines) + "\n").encode()


def _numbers(values: NDArray[np.float64]) -> str:
    return " ".join(repr(float(v)) for v in values.ravel())


def _vector(values: NDArray[np.float64]) -> str:
    return "(" + ",".join(repr(float(v)) for v in values) + ")"
