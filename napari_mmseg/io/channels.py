"""How many channels an image file has, by its header alone."""

from __future__ import annotations

from pathlib import Path

from .image import suffix_of


def channel_count(path: Path) -> int:
    """Channels of a NIfTI, NRRD or MHA file; 1 where its header cannot be read.

    No voxel is read, and nothing is refused: whoever opens the file says what is wrong with it.
    """
    if suffix_of(path) in (".nii", ".nii.gz"):
        return _of_nifti(path)
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return 1
    sizes = reader.GetSize()
    return int(sizes[3]) if len(sizes) > 3 else int(reader.GetNumberOfComponents())


def _of_nifti(path: Path) -> int:
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        shape = nibabel.load(path).shape  # type: ignore[attr-defined]
    except (ImageFileError, HeaderDataError, OSError, EOFError, ValueError):
        return 1
    return int(shape[3]) if len(shape) > 3 else 1
