"""What raters have to settle: the connected pieces of voxels where they differ, region by region.

- A piece is connected through faces, edges and corners (26 neighbours). With a tolerance in mm it
  is a place where raters differ by more than that: see `pieces`.
- It is a dispute about a *boundary* when it touches (26 neighbours) what all raters count in, and
  about *presence* when it does not: an island that only some have marked.
- A boundary belongs to the agreed lesion, a connected component of what all count in, that it
  touches with most voxels. Agreed lesions are numbered from 1, the largest first.
- Pieces come in order of volume, the largest first; of equal ones the first in the array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from .metrics import MM3_PER_ML
from .panel import Panel, panel_of
from .pieces import components, pieces
from .surfaces import Box, Mask

Kind = Literal["boundary", "presence"]

_NEIGHBOURS = [step for step in product((-1, 0, 1), repeat=3) if any(step)]


@dataclass(frozen=True)
class Dispute:
    """One connected piece where raters differ about one region.

    Parameters
    ----------
    key
        Names it among the case's disputes: "WT-1" is the largest of WT.
    region
        What the raters differ about.
    kind
        "boundary" or "presence".
    lesion
        Number of the agreed lesion that a boundary belongs to; None for presence.
    voxels, volume_mm3
        Its size.
    box
        Slices of the whole image that hold it.
    centre
        Index (I, P, L) of the piece's own voxel that lies nearest to its centre of mass.
    share
        Rater to the share of the piece that they count in.
    mask
        The piece inside `box`.
    """

    key: str
    region: str
    kind: Kind
    lesion: int | None
    voxels: int
    volume_mm3: float
    box: Box
    centre: tuple[int, int, int]
    share: Mapping[str, float]
    mask: Mask = field(repr=False, compare=False)

    @property
    def yes(self) -> tuple[str, ...]:
        """Raters who count any of it in."""
        return tuple(name for name, share in self.share.items() if share > 0)

    @property
    def no(self) -> tuple[str, ...]:
        """Raters who count none of it in."""
        return tuple(name for name, share in self.share.items() if share == 0)

    def facts(self) -> dict[str, Any]:
        """Everything but the voxels, as plain values for JSON."""
        return {
            "key": self.key,
            "region": self.region,
            "kind": self.kind,
            "lesion": self.lesion,
            "voxels": self.voxels,
            "volume_mm3": round(self.volume_mm3, 3),
            "box": [[side.start, side.stop] for side in self.box],
            "centre": list(self.centre),
            "share": {name: round(share, 4) for name, share in self.share.items()},
        }


def disputes(
    annotations: Mapping[str, Annotation], *, tolerance_mm: float = 0.0
) -> tuple[Dispute, ...]:
    """All pieces where raters differ, of all regions, the largest first.

    `tolerance_mm` leaves out what differs by no more from the majority's outline; with 0 the rim
    around a tumour is one piece.

    Raises
    ------
    InputError, GeometryError
        As `panel.panel_of`.
    """
    return disputes_of(panel_of(annotations), tolerance_mm)


def disputes_of(panel: Panel, tolerance_mm: float = 0.0) -> tuple[Dispute, ...]:
    """`disputes` of a panel."""
    found = [
        piece
        for region in panel.protocol.regions
        for piece in _in_region(panel, region.name, tolerance_mm)
    ]
    return tuple(sorted(found, key=lambda piece: -piece.voxels))


def _in_region(panel: Panel, region: str, tolerance_mm: float) -> list[Dispute]:
    votes = panel.votes(region)
    everybody = votes == len(panel.names)
    majority = votes > len(panel.names) // 2
    labels, count = pieces((votes > 0) & ~everybody, majority, panel.grid.spacing, tolerance_mm)
    if not count:
        return []
    agreed = _largest_first(everybody)
    # From here on the disputed voxels alone, sorted by piece: they are few.
    flat = np.flatnonzero(labels)
    flat = flat[np.argsort(labels.ravel()[flat], kind="stable")]
    piece = labels.ravel()[flat].astype(np.int64) - 1
    sizes = np.bincount(piece, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    index = np.stack(np.unravel_index(flat, labels.shape))  # (3, voxel)
    low = np.minimum.reduceat(index, starts, axis=1)
    high = np.maximum.reduceat(index, starts, axis=1) + 1
    middle = flat[_nearest_to_mean(index, piece, sizes, starts, panel.grid.spacing)]
    centres = np.stack(np.unravel_index(middle, labels.shape))
    lesions = _lesions(index, piece, count, agreed)
    inside = panel.protocol.inside_table(region)
    shares = np.stack(
        [
            np.bincount(piece, weights=inside[codes.ravel()[flat]], minlength=count) / sizes
            for codes in panel.codes
        ]
    )
    offset = np.array([side.start for side in panel.box])
    mm3 = panel.grid.voxel_volume_ml * MM3_PER_ML
    found: list[Dispute] = []
    for number, n in enumerate(np.lexsort((flat[starts], -sizes)), start=1):
        within = tuple(slice(int(a), int(b)) for a, b in zip(low[:, n], high[:, n], strict=True))
        found.append(
            Dispute(
                key=f"{region}-{number}",
                region=region,
                kind="boundary" if lesions[n] else "presence",
                lesion=int(lesions[n]) or None,
                voxels=int(sizes[n]),
                volume_mm3=float(sizes[n] * mm3),
                box=_shifted(within, offset),
                centre=_triple(centres[:, n] + offset),
                share=dict(zip(panel.names, shares[:, n].tolist(), strict=True)),
                mask=labels[within] == n + 1,
            )
        )
    return found


def _largest_first(mask: Mask) -> NDArray[np.int64]:
    """Connected components numbered from 1 by size, with a border of one empty voxel."""
    labels, count = components(mask)
    flat = np.flatnonzero(labels)
    component = labels.ravel()[flat].astype(np.int64) - 1
    sizes = np.bincount(component, minlength=count)
    first = np.zeros(count, dtype=np.int64)
    first[component[::-1]] = flat[::-1]  # the last that is written is the first in the array
    renumbered = np.zeros(count + 1, dtype=np.int64)
    renumbered[1 + np.lexsort((first, -sizes))] = np.arange(1, count + 1)
    return np.pad(renumbered[labels], 1)


def _nearest_to_mean(
    index: NDArray[np.int64],
    piece: NDArray[np.int64],
    sizes: NDArray[np.int64],
    starts: NDArray[np.int64],
    spacing: tuple[float, float, float],
) -> NDArray[np.int64]:
    """For each piece the place in `piece` of its voxel nearest (in mm) to its centre of mass."""
    mean = np.add.reduceat(index, starts, axis=1) / sizes
    apart = (index - mean[:, piece]) * np.reshape(spacing, (3, 1))
    order = np.lexsort(((apart**2).sum(axis=0), piece))
    return order[starts]


def _lesions(
    index: NDArray[np.int64], piece: NDArray[np.int64], count: int, agreed: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each piece the agreed lesion that most of its voxels touch; 0 where none does.

    `agreed` has a border of one voxel, so that every voxel has all its neighbours.
    """
    if not agreed.any():
        return np.zeros(count, dtype=np.int64)
    flat = np.ravel_multi_index(tuple(index + 1), agreed.shape)
    strides = np.array([agreed.shape[1] * agreed.shape[2], agreed.shape[2], 1])
    lesions = agreed.ravel()
    many = int(agreed.max()) + 1
    touched: list[NDArray[np.int64]] = []
    for step in _NEIGHBOURS:
        near = lesions[flat + int(strides @ step)]
        at = np.flatnonzero(near)
        touched.append(at * many + near[at])
    # A voxel counts once for each lesion that it touches, however many neighbours it has there.
    voxel, lesion = np.divmod(np.unique(np.concatenate(touched)), many)
    contacts, times = np.unique(piece[voxel] * many + lesion, return_counts=True)
    pieces, touching = np.divmod(contacts, many)
    found = np.zeros(count, dtype=np.int64)
    for n in np.lexsort((-touching, times)):  # the most touched last; of equals the larger lesion
        found[pieces[n]] = touching[n]
    return found


def _shifted(within: tuple[slice, ...], offset: NDArray[np.int64]) -> Box:
    a, b, c = (
        slice(side.start + int(o), side.stop + int(o))
        for side, o in zip(within, offset, strict=True)
    )
    return a, b, c


def _triple(index: NDArray[np.int64]) -> tuple[int, int, int]:
    return int(index[0]), int(index[1]), int(index[2])
