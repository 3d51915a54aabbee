"""How an annotation came about, as a film of the slice where most was changed."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..editing.plane import PLANES
from ..errors import ExportError, InputError
from ..protocol import Protocol
from .replay import Work, apply_entry

#: At most so many pictures: of longer histories several steps go into one.
MOST_FRAMES = 240

FRAME_MS = 80
LAST_FRAME_MS = 1500

#: A picture's shorter side is at least so many pixels.
SMALLEST_SIDE_PX = 240

_GROUND = (0.08, 0.08, 0.1)
_PROPOSED = (0.35, 0.35, 0.4)  # where the proposal had labels and there are none now


def frames_of(work: Work, axis: int = 0) -> tuple[NDArray[np.uint8], int]:
    """Pictures of one slice from the beginning to the end, and the slice's index.

    Parameters
    ----------
    axis
        The array axis (I, P, L) across the slice.

    Returns
    -------
    uint8 RGB, axes (picture, row, column, channel); neighbours differ.
    """
    protocol = work.header.load_protocol()
    index = busiest_slice(work, axis)
    codes, proposal = work.first_volumes()
    palette = _palette(protocol)
    every = max(1, -(-len(work.entries) // MOST_FRAMES))
    pictures = [_picture(codes, proposal, axis, index, palette)]
    for number, entry in enumerate(work.entries, start=1):
        apply_entry(entry, codes, proposal)
        if number % every == 0 or number == len(work.entries):
            picture = _picture(codes, proposal, axis, index, palette)
            if not np.array_equal(picture, pictures[-1]):
                pictures.append(picture)
    return np.stack(pictures), index


def write_film(work: Work, path: Path, axis: int = 0) -> int:
    """Write the film as a GIF; returns the slice's index.

    Raises
    ------
    InputError
        When there is no step to show, or the name does not end in .gif.
    ExportError
        When the file cannot be written.
    """
    if path.suffix.lower() != ".gif":
        raise InputError(f'a film is a GIF: end "{path.name}" in .gif')
    if not work.entries:
        raise InputError("there is no step to show: nothing was drawn in this work file")
    if path.exists():
        raise InputError(f'"{path.name}" is there already: choose another name')
    from PIL import Image

    pictures, index = frames_of(work, axis)
    spacing = [mm for i, mm in enumerate(work.header.grid.spacing) if i != axis]
    images = [Image.fromarray(_upright(picture, spacing)) for picture in pictures]
    durations = [FRAME_MS] * (len(images) - 1) + [LAST_FRAME_MS]
    aside = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
    try:
        images[0].save(
            aside, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0
        )
        aside.replace(path)
    except OSError as error:
        raise ExportError(f'"{path.name}" was not written: {error.strerror or error}') from error
    finally:
        aside.unlink(missing_ok=True)
    return index


def plane_axis(plane: str) -> int:
    """The array axis across a plane."""
    return PLANES.index(plane)


def busiest_slice(work: Work, axis: int) -> int:
    """The slice in which most voxels were changed, summed over all acts."""
    others = tuple(i for i in range(3) if i != axis)
    counts = np.zeros(work.header.grid.shape[axis], dtype=np.int64)
    for entry in work.entries:
        if entry.step is not None and entry.step.codes is not None:
            patch = entry.step.codes.patch()
            counts[patch.box[axis]] += patch.mask.sum(axis=others)
    return int(counts.argmax())


def _palette(protocol: Protocol) -> NDArray[np.uint8]:
    colours = np.zeros((256, 3))
    colours[0] = _GROUND
    for region in protocol.regions:
        colours[region.code] = region.colour
    return (255 * colours).round().astype(np.uint8)


def _picture(
    codes: NDArray[np.uint8],
    proposal: NDArray[np.uint8],
    axis: int,
    index: int,
    palette: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    now, proposed = codes.take(index, axis), proposal.take(index, axis)
    picture = palette[now]
    ghost = (now == 0) & (proposed > 0)
    picture[ghost] = np.round(255 * np.array(_PROPOSED)).astype(np.uint8)
    return picture


def _upright(picture: NDArray[np.uint8], spacing: list[float]) -> NDArray[np.uint8]:
    """Square pixels, large enough to see; rows and columns repeated, nothing interpolated."""
    finest = min(spacing)
    sizes = [round(n * mm / finest) for n, mm in zip(picture.shape, spacing, strict=False)]
    enlarge = max(1, -(-SMALLEST_SIDE_PX // min(sizes)))
    rows, columns = (
        (np.arange(size * enlarge) * n) // (size * enlarge)
        for size, n in zip(sizes, picture.shape, strict=False)
    )
    return picture[np.ix_(rows, columns)]
