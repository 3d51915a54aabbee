"""The slice where a prediction and its reference differ most, as one SVG picture."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agreement.surfaces import Mask

REFERENCE_COLOUR = "#ff7f0e"
PREDICTION_COLOUR = "#00a3ff"

#: Grey values below and above these percentiles of what is not background are black and white.
WINDOW_PERCENT = (1.0, 99.5)

#: What is shown around the masks where there is no image (voxels).
MARGIN_VOXELS = 12

_WIDTH = 260.0
_PNG_GREY = 0


def worst_slice(prediction: Mask, reference: Mask) -> int:
    """The index along axis 0 (towards inferior) of the slice with the most differing voxels."""
    return int(np.argmax(np.count_nonzero(prediction ^ reference, axis=(1, 2))))


def picture(
    prediction: Mask,
    reference: Mask,
    spacing: tuple[float, float],
    image: NDArray[Any] | None = None,
) -> str:
    """Outlines of two masks of one axial slice, over the image where there is one.

    Parameters
    ----------
    prediction, reference
        Axes (P, L): radiological, the patient's right on the left.
    spacing
        Edges of a pixel along P and L, in mm.
    image
        Grey values of the same shape, 0 to 255 (see `windowed`).

    Returns
    -------
    str
        An `<svg>` element that needs no other file.
    """
    shown = (prediction | reference) if image is None else (prediction | reference | (image > 0))
    rows, columns = crop(shown, MARGIN_VOXELS if image is None else 2)
    first, second = prediction[rows, columns], reference[rows, columns]
    height, width = first.shape
    tall = _WIDTH * (height * spacing[0]) / (width * spacing[1])
    background = f'<rect width="{width}" height="{height}" fill="#f1f3f5"/>'
    if image is not None:
        data = base64.b64encode(png(image[rows, columns])).decode("ascii")
        background = (
            f'<image width="{width}" height="{height}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{data}"/>'
        )
    letters = "#fff" if image is not None else "#495057"
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {tall:.1f}" role="img" '
        f'aria-label="reference and prediction outlined" font-family="sans-serif" font-size="13">'
        f'<svg width="{_WIDTH:g}" height="{tall:.1f}" viewBox="0 0 {width} {height}" '
        f'preserveAspectRatio="none">{background}'
        f"{_outline(second, REFERENCE_COLOUR)}{_outline(first, PREDICTION_COLOUR, '5 2')}</svg>"
        f'<text x="6" y="{tall / 2:.1f}" fill="{letters}">R</text>'
        f'<text x="{_WIDTH - 15:g}" y="{tall / 2:.1f}" fill="{letters}">L</text></svg>'
    )


def windowed(volume: NDArray[Any], index: int) -> NDArray[np.uint8]:
    """One slice along axis 0 as grey values, its window taken from the whole volume."""
    background = volume.min()
    inside = volume[volume > background]
    if inside.size == 0:
        return np.zeros(volume.shape[1:], np.uint8)
    low, high = np.percentile(inside[:: max(1, inside.size // 200_000)], WINDOW_PERCENT)
    plane = volume[index].astype(np.float64)
    grey = np.clip((plane - low) / max(float(high - low), 1e-6), 0.0, 1.0) * 254.0 + 1.0
    return np.where(plane > background, grey, 0.0).astype(np.uint8)


def png(grey: NDArray[np.uint8]) -> bytes:
    """An 8-bit grey image as a PNG file (ISO/IEC 15948)."""
    height, width = grey.shape
    lines = np.zeros((height, width + 1), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = grey
    header = struct.pack(">IIBBBBB", width, height, 8, _PNG_GREY, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def outline(mask: Mask) -> str:
    """The edges between a two-dimensional mask and its outside, as the data of an SVG path."""
    padded = np.pad(mask, 1)
    moves: list[str] = []
    for axis, letter in ((0, "h"), (1, "v")):
        edges = padded[1:] ^ padded[:-1] if axis == 0 else (padded[:, 1:] ^ padded[:, :-1]).T
        for line, row in enumerate(edges):
            steps = np.flatnonzero(np.diff(row.astype(np.int8), prepend=0, append=0))
            for start, end in zip(steps[::2] - 1, steps[1::2] - 1, strict=True):
                x, y = (start, line) if axis == 0 else (line, start)
                moves.append(f"M{x} {y}{letter}{end - start}")
    return "".join(moves)


def _outline(mask: Mask, colour: str, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{outline(mask)}" fill="none" stroke="{colour}" stroke-width="1.6"{dashed} '
        f'vector-effect="non-scaling-stroke"/>'
    )


def crop(shown: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """The rows and columns of what is shown and so many pixels around it; all where nothing is."""
    if not shown.any():
        return slice(None), slice(None)
    ends = []
    for axis, size in enumerate(shown.shape):
        where = np.flatnonzero(shown.any(axis=1 - axis))
        low, high = int(where[0]) - margin, int(where[-1]) + 1 + margin
        ends.append(slice(max(low, 0), min(high, size)))
    return ends[0], ends[1]
