"""NRRD and MHA through SimpleITK: the one place where its LPS millimetres become RAS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..grid import Grid
from ..volume import SourceSpace
from .image import StoredImage, check_claim, check_kind, file_bytes, quoted
from .itk_payload import check_payload, check_start

#: ITK points to Left, Posterior, Superior; NIfTI and this program to Right, Anterior, Superior.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_itk(path: Path) -> StoredImage:
    """Read .nrrd or .mha.

    Raises
    ------
    InputError, GeometryError
        See `image.read_image`.
    """
    import SimpleITK as sitk

    data, sha256 = file_bytes(path)
    check_start(path, data)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(image_io(path))
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        components = reader.GetNumberOfComponents()
        shape = (*map(int, reader.GetSize()), components)
        itemsize = np.dtype(_numpy_type(path, reader.GetPixelID())).itemsize
        claimed = check_claim(path, shape, itemsize, len(data), compressed=True)
        check_payload(path, data, claimed)
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(
            f"{quoted(path)} is damaged or not of the format that its name says: "
            "copy it again from its source"
        ) from error
    raw: NDArray[Any] = _file_order(sitk.GetArrayFromImage(image), image.GetDimension())
    raw = raw.reshape(raw.shape[:3] + tuple(n for n in raw.shape[3:] if n > 1))
    check_kind(path, raw.dtype, raw.shape)
    grid = Grid(image.GetSize()[:3], affine_of(image))
    file_format = "nrrd" if path.suffix.lower() == ".nrrd" else "mha"
    notes: tuple[str, ...] = ()
    if file_format == "nrrd" and "NRRD_space" not in image.GetMetaDataKeys():
        notes = (
            f"{quoted(path)} says nothing about its position in space: orientation and left/right "
            "are assumed, check them",
        )
    raw.flags.writeable = False
    return StoredImage(
        path, raw, SourceSpace.of(grid, file_format=file_format), 1.0, 0.0, sha256, notes
    )


def image_io(path: Path) -> str:
    """ITK's reader for a name: by itself it does not know ".MHA" in capitals."""
    return "NrrdImageIO" if path.suffix.lower() == ".nrrd" else "MetaImageIO"


def affine_of(image: Any) -> NDArray[np.float64]:
    """RAS+ affine (4x4, mm) of a SimpleITK image's first three axes."""
    n = image.GetDimension()
    direction = np.array(image.GetDirection()).reshape(n, n)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(image.GetSpacing())[:3]
    affine[:3, 3] = np.array(image.GetOrigin())[:3]
    return LPS_TO_RAS @ affine


def to_itk(array: NDArray[Any], grid: Grid) -> Any:
    """A SimpleITK image of a 3D array (axes as in `grid`)."""
    import SimpleITK as sitk

    affine = LPS_TO_RAS @ grid.affine
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing([float(s) for s in spacing])
    image.SetDirection([float(d) for d in (affine[:3, :3] / spacing).ravel()])
    image.SetOrigin([float(o) for o in affine[:3, 3]])
    return image


def _file_order(array: NDArray[Any], rank: int) -> NDArray[Any]:
    """SimpleITK's (..., z, y, x[, component]) as (x, y, z, ...[, component])."""
    spatial = tuple(range(rank))[::-1]
    return array.transpose(spatial + tuple(range(rank, array.ndim)))


def _numpy_type(path: Path, pixel: int) -> Any:
    import SimpleITK as sitk

    name = sitk.GetPixelIDValueAsString(pixel)
    if "complex" in name:
        raise InputError(f"{quoted(path)} holds complex numbers, not grey values: leave it out")
    bits = next((b for b in (8, 16, 32, 64) if f"{b}-bit" in name), 64)
    return {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}[bits]
