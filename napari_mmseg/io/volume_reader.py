"""One image file as a volume in display orientation, whatever it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..volume import Volume
from .image import StoredImage, quoted, read_image


def read_volume(path: str | Path) -> tuple[Volume, tuple[str, ...]]:
    """The image in a NIfTI, NRRD or MHA file, and sentences about what was odd in it.

    Raises
    ------
    InputError
        When the file cannot be read, has several channels or shows nothing.
    GeometryError
        When its affine is impossible.
    """
    image = read_image(Path(path))
    if image.channels > 1:
        raise InputError(
            f"{quoted(image.path)} has {image.channels} channels: give a file with one image"
        )
    array, notes = upright(image, 0)
    if array is None:
        raise InputError(f"{quoted(image.path)} shows nothing: {notes[-1].partition(',')[0]}")
    space = image.source
    volume = Volume(array, space.display_grid, None, space, image.path, image.sha256)
    return volume, (*image.notes, *notes)


def upright(image: StoredImage, channel: int) -> tuple[NDArray[Any] | None, list[str]]:
    """One channel in display orientation, contiguous, finite; None when it is constant."""
    array = image.source.to_display.apply(image.channel(channel))
    if image.is_scaled or array.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):  # infinity is told below, in a sentence
            array = np.array(array, dtype=np.float32, order="C")
            if image.is_scaled:
                array *= np.float32(image.slope)
                array += np.float32(image.inter)
    else:
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    notes: list[str] = []
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = np.isfinite(array)
        if not finite.any():
            return None, ["it holds no number at all and was left out"]
        low, high = array[finite].min(), array[finite].max()
        notes.append(
            f"{int((~finite).sum())} voxels were no finite numbers and got the lowest value "
            f"of the image ({low:g})"
        )
        array = np.where(finite, array, low)
    if low == high:
        return None, [*notes, f"all its voxels are {low:g}, so it was left out"]
    array.flags.writeable = False
    return array, notes
