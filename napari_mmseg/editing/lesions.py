"""The lesions of a region: its connected components, measured, and named the same across edits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..grid import Grid
from ..protocol import Protocol
from .reshape import apply_all
from .session import EditSession
from .stroke import Box, Footprint, Mode, Stroke, bounding_box

Mask = NDArray[np.bool_]

#: The axis across axial slices, in which extents are measured.
AXIAL = 0

#: Lines are equally long when they differ by no more: then the first slice counts.
_SAME_LENGTH_MM = 1e-6


@dataclass(frozen=True, eq=False)
class Lesion:
    """One connected component (26 neighbours) of a region.

    Parameters
    ----------
    id
        Stays the same while the lesion is edited.
    footprint
        Its voxels.
    volume_ml
        In millilitres.
    centroid
        Mean array index along (I, P, L).
    centroid_mm
        The same in patient space, RAS+ mm.
    longest_mm
        The longest straight line within one axial slice, from edge to edge.
    longest_slice
        The axial slice of that line.
    uncertainty
        Mean entropy of its voxels' probabilities, 0 (sure) to 1 (even), or None.
    """

    id: int
    footprint: Footprint
    volume_ml: float
    centroid: tuple[float, float, float]
    centroid_mm: tuple[float, float, float]
    longest_mm: float
    longest_slice: int
    uncertainty: float | None


@dataclass(frozen=True, eq=False)
class Lesions:
    """The lesions of a region, largest first, and what is needed to know them again.

    `present` are the voxels of the region now; `ids` is the id of the lesion that each voxel of
    the volume last belonged to (0: none ever), so that one that undo brings back is known too.
    """

    items: tuple[Lesion, ...]
    present: Mask
    ids: NDArray[np.uint32]
    next_id: int

    def __getitem__(self, id_: int) -> Lesion:
        for lesion in self.items:
            if lesion.id == id_:
                return lesion
        raise InputError("that lesion is no longer there: choose another from the list")

    def at(self, voxel: tuple[int, int, int]) -> Lesion | None:
        """The lesion at an array index, if any."""
        inside = all(0 <= i < n for i, n in zip(voxel, self.present.shape, strict=True))
        return self[int(self.ids[voxel])] if inside and self.present[voxel] else None


def find_lesions(
    codes: NDArray[np.uint8],
    protocol: Protocol,
    region: str,
    grid: Grid,
    probability: NDArray[np.uint8] | None = None,
    before: Lesions | None = None,
) -> Lesions:
    """The lesions of a region.

    Parameters
    ----------
    codes
        The annotation, axes (I, P, L).
    probability
        Of the region, in 255ths, of the same shape, for the uncertainty.
    before
        The lesions before the last edits: a component keeps the id that most of its voxels had;
        each id is given once, and an id that is gone is never given to another lesion.
    """
    import cc3d

    present = protocol.inside(codes, region)
    # All that costs time happens in the box of the region, most often a small part of the volume.
    area = bounding_box(present) or (slice(0, 1), slice(0, 1), slice(0, 1))
    start = (area[0].start, area[1].start, area[2].start)
    here = np.ascontiguousarray(present[area])
    labels, count = cc3d.connected_components(here, connectivity=26, return_N=True)
    names, next_id = _names(labels, count, before, area)
    ids = np.zeros(present.shape, dtype=np.uint32) if before is None else before.ids.copy()
    np.copyto(ids[area], names[labels], where=here)
    items = []
    boxes: Any = cc3d.statistics(labels)["bounding_boxes"] if count else []
    for number in range(1, count + 1):
        box: Box = boxes[number]
        part = labels[box] == number
        items.append(_measured(int(names[number]), part, _moved(box, start), grid, probability))
    items.sort(key=lambda lesion: (-lesion.volume_ml, lesion.id))
    return Lesions(tuple(items), present, ids, next_id)


def remove(session: EditSession, region: str, lesion: Lesion) -> None:
    """Erase a whole lesion from a region, as one step of undo."""
    apply_all(session, [Stroke(region, Mode.ERASE, lesion.footprint)], f"remove lesion of {region}")


def keep_only(session: EditSession, region: str, lesion: Lesion) -> None:
    """Erase every other lesion of a region, as one step of undo."""
    others = session.protocol.inside(session.codes, region)
    if clipped := lesion.footprint.clipped(others.shape):
        others[clipped[0]] &= ~clipped[1]
    strokes = [Stroke(region, Mode.ERASE, Footprint.of_mask(others))]
    apply_all(session, strokes, f"keep one lesion of {region}")


def relabel(
    session: EditSession, region: str, lesion: Lesion, to: str, *, exact: bool = False
) -> None:
    """Make a whole lesion of one region one of another, as one step of undo.

    To a region that holds this one: what is inside `to` only stays (ET to WT takes the voxels out
    of TC). To any other: painted, children of `to` kept. `exact` makes every voxel exactly the
    compartment of `to`.

    Raises
    ------
    InputError
        When the protocol has no such region.
    """
    protocol = session.protocol
    line = [region, *(ancestor.name for ancestor in protocol.ancestors(region))]
    if exact:
        stroke = Stroke(protocol[to].name, Mode.SET, lesion.footprint)
    elif to in line[1:]:
        stroke = Stroke(line[line.index(to) - 1], Mode.ERASE, lesion.footprint)
    else:
        stroke = Stroke(protocol[to].name, Mode.PAINT, lesion.footprint)
    apply_all(session, [stroke], f"lesion of {region} to {to}")


def _names(
    labels: NDArray[np.integer], count: int, before: Lesions | None, area: Box
) -> tuple[NDArray[np.uint32], int]:
    """The id of each label (0 for background) of an area, and the next one that is free."""
    names = np.zeros(count + 1, dtype=np.uint32)
    next_id = 1
    if before is not None and count:
        next_id = before.next_id
        ids, known = before.ids[area], labels > 0
        # First those that were there just now, then those that were there once.
        _give(names, labels, ids, known & before.present[area])
        if not names[1:].all():
            _give(names, labels, ids, known & (ids > 0))
    elif before is not None:
        next_id = before.next_id
    for number in range(1, count + 1):
        if not names[number]:
            names[number], next_id = next_id, next_id + 1
    return names, next_id


def _give(
    names: NDArray[np.uint32], labels: NDArray[np.integer], ids: NDArray[np.uint32], where: Mask
) -> None:
    """Give labels without a name the id they overlap most, the largest overlap first."""
    new, old = labels[where].astype(np.int64), ids[where].astype(np.int64)
    if not new.size:
        return
    kinds = int(old.max()) + 1
    pairs, counts = _counted(new * kinds + old)
    taken = {int(name) for name in names if name}
    for at in np.argsort(-counts, kind="stable"):
        number, name = divmod(int(pairs[at]), kinds)
        if not names[number] and name not in taken:
            names[number] = name
            taken.add(name)


def _counted(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The values that there are, in order, and how often; quick where they come in runs."""
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    lengths = np.diff(ends, prepend=-1)
    found, back = np.unique(values[ends], return_inverse=True)
    return found, np.bincount(back, weights=lengths).astype(np.int64)


def _moved(box: Box, by: tuple[int, int, int]) -> Box:
    a, b, c = (slice(side.start + n, side.stop + n) for side, n in zip(box, by, strict=True))
    return a, b, c


def _measured(
    id_: int, part: Mask, box: Box, grid: Grid, probability: NDArray[np.uint8] | None
) -> Lesion:
    voxels = np.argwhere(part)
    low = (box[0].start, box[1].start, box[2].start)
    i, j, k = (voxels.mean(axis=0) + low).tolist()
    right, anterior, superior = np.asarray(grid.to_world(np.array([[i, j, k]])))[0].tolist()
    longest, index = _longest(part, grid.spacing)
    doubt = None
    if probability is not None:
        doubt = float(_entropy()[probability[box][part]].mean())
    return Lesion(
        id=id_,
        footprint=Footprint(low, part),
        volume_ml=len(voxels) * grid.voxel_volume_ml,
        centroid=(i, j, k),
        centroid_mm=(right, anterior, superior),
        longest_mm=longest,
        longest_slice=index + low[AXIAL],
        uncertainty=doubt,
    )


def _longest(part: Mask, spacing: tuple[float, float, float]) -> tuple[float, int]:
    """The longest line in an axial slice, in mm between the middles of pixel edges, and where."""
    half = np.array([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])
    best, place = 0.0, 0
    for index, plane in enumerate(part):
        rows = np.flatnonzero(plane.any(axis=1))
        if not rows.size:
            continue
        first = plane[rows].argmax(axis=1)
        last = plane.shape[1] - 1 - plane[rows, ::-1].argmax(axis=1)
        sides = rows[-1] - rows[0] + 1, int(last.max() - first.min()) + 1
        if np.hypot(sides[0] * spacing[1], sides[1] * spacing[2]) <= best:
            continue  # no line in this slice can be longer
        # The ends of its rows hold every corner of its hull.
        ends = np.concatenate([np.stack([rows, first], 1), np.stack([rows, last], 1)])
        points = (ends[:, None] + half).reshape(-1, 2) * spacing[1:]
        points -= points.mean(axis=0)
        length2 = (points**2).sum(axis=1)
        apart2 = length2[:, None] + length2 - 2 * (points @ points.T)
        far = float(np.sqrt(max(0.0, apart2.max())))
        if far > best + _SAME_LENGTH_MM:
            best, place = far, index
    return best, place


def _entropy() -> NDArray[np.float64]:
    """Binary entropy in bits of a probability in 255ths."""
    p = np.arange(256) / 255
    q = 1 - p
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = -(p * np.log2(p) + q * np.log2(q))
    bits[[0, 255]] = 0.0
    return np.asarray(bits)
