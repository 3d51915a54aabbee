"""Where an annotation is worth a look: the expected gain, voxel by voxel, gathered into places.

Three kinds of gain live in cells of `CELL_MM` (so that an edit only changes the cells around it):
what the model is unsure of, what it sees otherwise, and jagged surface. Islands and holes are
places of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from .stroke import Box, bounding_box

Voxel = tuple[int, int, int]
Spacing = tuple[float, float, float]
Mask = NDArray[np.bool_]

#: Edge of a cell (mm): about what one look takes in.
CELL_MM = 20.0

#: A voxel is unsure from this probability of being wrong; from one half on the model disagrees.
UNSURE_FROM = 0.2

#: Where somebody edited, the model's doubt no longer counts; only if it is as sure as this, at
#: this share of the gain, since whoever edited saw it.
SURE, SHARE_OF_EDITED = 0.9, 0.25

#: Surface is jagged where smoothing by so much would change it (mm), at this share of the volume.
SMOOTH_MM, SHARE_OF_JAGGED = 1.5, 0.3

#: Islands and holes up to these volumes are doubted (mm3): a larger one is a lesion, or necrosis.
ISLAND_MM3, HOLE_MM3 = 1000.0, 200.0

#: How likely an island or hole is wrong where no model says so.
WRONG_UNKNOWN = 0.5

#: Smaller gains are not worth a look (mm3).
LEAST_GAIN_MM3 = 10.0


class Reason(StrEnum):
    """Why a place is worth a look."""

    UNSURE = "unsure"
    DISAGREES = "disagrees"
    JAGGED = "jagged"
    ISLAND = "island"
    HOLE = "hole"
    SLICE = "slice"


_SENTENCES = {
    Reason.UNSURE: "the model is unsure of {region} here",
    Reason.DISAGREES: "the model sees {region} otherwise here",
    Reason.JAGGED: "the surface of {region} is jagged",
    Reason.ISLAND: "a small island of {region}",
    Reason.HOLE: "a small hole in {region}",
    Reason.SLICE: "a slice with {region}",
}


@dataclass(frozen=True)
class Place:
    """One place to look at.

    Parameters
    ----------
    centre, box
        Where to go, and what to show; array indices (I, P, L).
    region
        What is doubted there.
    gain_mm3
        The volume that a look is expected to put right.
    """

    centre: Voxel
    box: Box
    region: str
    reason: Reason
    gain_mm3: float

    @property
    def text(self) -> str:
        """The reason in plain words, with the volume."""
        said = _SENTENCES[self.reason].format(region=self.region)
        return f"{said} ({self.gain_mm3 / 1000:.2f} ml)"


def doubts(
    mask: Mask, edited: Mask, wrong: NDArray[np.float32] | None, spacing: Spacing
) -> dict[Reason, NDArray[np.float32]]:
    """Expected share of each voxel that a look would change, by reason; all (I, P, L).

    Parameters
    ----------
    mask
        The region now.
    edited
        Where that is not what was proposed.
    wrong
        The model's probability that the label is wrong, or None.
    """
    from scipy import ndimage

    found: dict[Reason, NDArray[np.float32]] = {}
    if wrong is not None:
        found[Reason.UNSURE] = np.where(
            ~edited & (wrong >= UNSURE_FROM) & (wrong <= 0.5), wrong, np.float32(0)
        )
        against = np.where(edited, SHARE_OF_EDITED * wrong * (wrong >= SURE), wrong)
        found[Reason.DISAGREES] = np.where(wrong > 0.5, against, 0).astype(np.float32)
    soft = ndimage.gaussian_filter(
        mask.astype(np.float32), [SMOOTH_MM / edge for edge in spacing], truncate=2.0
    )
    found[Reason.JAGGED] = ((soft > 0.5) != mask) * np.float32(SHARE_OF_JAGGED)
    return found


def gathered(
    gain: NDArray[np.float32], cell: Voxel, corner: Voxel, voxel_mm3: float
) -> Iterator[tuple[Voxel, Voxel, Box, float]]:
    """The cells worth a look: (number, centre, box, gain in mm3).

    `gain` (I, P, L) begins at the voxel `corner`, which begins a cell of `cell` voxels.
    """
    padded = np.pad(gain, [(0, -n % size) for n, size in zip(gain.shape, cell, strict=True)])
    counts = [n // size for n, size in zip(padded.shape, cell, strict=True)]
    blocks = padded.reshape(counts[0], cell[0], counts[1], cell[1], counts[2], cell[2])
    sums = blocks.sum(axis=(1, 3, 5), dtype=np.float64) * voxel_mm3
    for at in np.argwhere(sums >= LEAST_GAIN_MM3):
        block = blocks[at[0], :, at[1], :, at[2], :]
        start = np.array(corner) + at * np.array(cell)
        number = start // np.array(cell)
        yield (
            _voxel(number),
            _voxel(start + _middle(block)),
            _box(block > 0, start),
            float(sums[tuple(at)]),
        )


def islands(
    mask: Mask, wrong: NDArray[np.float32] | None, voxel_mm3: float
) -> Iterator[tuple[Reason, Voxel, Box, float]]:
    """Small components beside the largest, and small holes: (reason, centre, box, gain in mm3)."""
    import cc3d

    pieces = cc3d.connected_components(mask, connectivity=26)
    yield from _small(pieces, Reason.ISLAND, ISLAND_MM3, wrong, voxel_mm3)
    empty = cc3d.connected_components(~np.pad(mask, 1), connectivity=6)
    yield from _small(empty[1:-1, 1:-1, 1:-1], Reason.HOLE, HOLE_MM3, wrong, voxel_mm3)


def _small(
    labels: NDArray[np.generic],
    reason: Reason,
    largest_mm3: float,
    wrong: NDArray[np.float32] | None,
    voxel_mm3: float,
) -> Iterator[tuple[Reason, Voxel, Box, float]]:
    import cc3d

    told = cc3d.statistics(labels)
    counts = told["voxel_counts"].astype(np.int64)
    counts[0] = 0
    biggest = int(np.argmax(counts)) if reason is Reason.ISLAND else -1
    for number in np.flatnonzero(counts):
        volume = float(counts[number]) * voxel_mm3
        if number == biggest or volume > largest_mm3:
            continue
        box = told["bounding_boxes"][number]
        here = labels[box] == number
        share = WRONG_UNKNOWN if wrong is None else float(wrong[box][here].mean())
        if volume * share >= LEAST_GAIN_MM3:
            start = np.array([side.start for side in box])
            sides = tuple(slice(int(side.start), int(side.stop)) for side in box)
            yield (
                reason,
                _voxel(start + _middle(here)),
                (sides[0], sides[1], sides[2]),
                volume * share,
            )


def _middle(weights: NDArray[np.generic]) -> NDArray[np.intp]:
    """The voxel with weight that is nearest to the weights' centre."""
    where = np.argwhere(weights)
    mass = weights[tuple(where.T)].astype(np.float64)
    centre = (where * mass[:, None]).sum(axis=0) / mass.sum()
    nearest: NDArray[np.intp] = where[np.argmin(((where - centre) ** 2).sum(axis=1))]
    return nearest


def _box(mask: Mask, start: NDArray[np.intp]) -> Box:
    box = bounding_box(mask)
    assert box is not None  # cells without gain are left out
    a, b, c = (
        slice(int(at + side.start), int(at + side.stop))
        for side, at in zip(box, start, strict=True)
    )
    return a, b, c


def _voxel(values: NDArray[np.intp]) -> Voxel:
    a, b, c = (int(n) for n in values)
    return a, b, c
