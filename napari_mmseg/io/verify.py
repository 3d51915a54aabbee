"""Read a written file back by another path than it was written, and compare everything."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..grid import Grid
from ..volume import SourceSpace
from .formats import nifti_header_of
from .image import suffix_of
from .nifti import mended_header

#: Millimetres between the corners of a grid and of what was read back: decimal text in headers.
CORNER_TOLERANCE_MM = 1e-4

#: Header fields that say where voxels lie: they return bit for bit.
GEOMETRY_FIELDS = (
    "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units",
)  # fmt: skip


def check_file(path: Path, target: Path, array: NDArray[Any], source: SourceSpace) -> None:
    """Compare a file just written with what it should hold.

    NIfTI is read with nibabel, NRRD and MHA with SimpleITK; neither wrote the file.

    Parameters
    ----------
    path
        The file under its temporary name.
    target
        The name it will have, for sentences.
    array
        Voxels in the file's axis order.
    source
        The space they should lie in.

    Raises
    ------
    ExportError
        Naming what differs.
    """
    from nibabel.filebasedimages import ImageFileError

    name = f'"{target.name}"'
    unreadable = (OSError, EOFError, ValueError, RuntimeError, zlib.error, ImageFileError)
    try:
        if suffix_of(target) in (".nii", ".nii.gz"):
            differs = _nifti_differs(path, array, source)
        else:
            differs = _itk_differs(path, array, source.grid)
    except unreadable as error:
        raise ExportError(
            f"{name} was not written: it could not be read back, try another folder or format"
        ) from error
    if differs:
        raise ExportError(
            f"{name} was not written: {differs} did not read back as written, "
            "try another folder or format, and report this"
        )


def _nifti_differs(path: Path, array: NDArray[Any], source: SourceSpace) -> str:
    import nibabel

    # A mapped file could not be renamed on Windows.
    image: Any = nibabel.load(path, mmap=False)
    expected = mended_header(source.nifti_header or nifti_header_of(source.grid))
    for field in GEOMETRY_FIELDS:
        if not np.array_equal(image.header[field], expected[field]):
            return f"the header field {field}"
    if not np.array_equal(image.header["pixdim"][:4], expected["pixdim"][:4]):
        return "the voxel size"
    if image.shape != array.shape or not np.allclose(
        image.affine, source.grid.affine, rtol=0, atol=CORNER_TOLERANCE_MM
    ):
        return "the grid"
    return _voxels_differ(np.asarray(image.dataobj), array)


def _itk_differs(path: Path, array: NDArray[Any], grid: Grid) -> str:
    import SimpleITK as sitk

    from .itk import affine_of, image_io

    image = sitk.ReadImage(str(path), imageIO=image_io(path))
    back = Grid(image.GetSize(), affine_of(image))
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in grid.shape])).reshape(3, -1).T
    apart = np.abs(grid.to_world(corners) - back.to_world(corners)).max()
    if back.shape != grid.shape or apart > CORNER_TOLERANCE_MM:
        return "the grid"
    return _voxels_differ(sitk.GetArrayViewFromImage(image).transpose(2, 1, 0), array)


def _voxels_differ(back: NDArray[Any], array: NDArray[Any]) -> str:
    if back.dtype.kind != array.dtype.kind:
        return "the number type"
    if not np.array_equal(back, array):
        return "the voxels"
    return ""
