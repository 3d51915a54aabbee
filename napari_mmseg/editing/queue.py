"""Where to look next: a queue of places by expected gain, or every k-th slice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import GeometryError, InputError
from .places import (
    CELL_MM,
    SMOOTH_MM,
    UNSURE_FROM,
    Place,
    Reason,
    Voxel,
    doubts,
    gathered,
    islands,
)
from .session import EditSession
from .stroke import Box, Change, bounding_box

#: A place that was looked at comes back when its gain has grown by this factor: edits made it.
COMES_BACK_AT = 1.5

#: uint8 probabilities are in 255ths.
STEPS = 255


class Queue(ABC):
    """Places still to be looked at, best first, and how many have been.

    `next` moves on: the place that it gave before counts as looked at.
    """

    def __init__(self) -> None:
        self._done: dict[Hashable, float] = {}
        self._current: tuple[Hashable, Place] | None = None

    @abstractmethod
    def _found(self) -> Mapping[Hashable, Place]:
        """All places, looked at or not, by what stays the same while they change a little."""

    def places(self) -> tuple[Place, ...]:
        """Those left, the one with the most to gain first."""
        return tuple(place for _, place in self._left())

    def next(self) -> Place | None:
        """The place to look at now, or None when nothing is left."""
        if self._current is not None:
            key, place = self._current
            now = self._found().get(key)
            self._done[key] = now.gain_mm3 if now is not None else place.gain_mm3
        left = self._left()
        self._current = left[0] if left else None
        return left[0][1] if left else None

    @property
    def current(self) -> Place | None:
        """What `next` gave last."""
        return self._current[1] if self._current is not None else None

    @property
    def done(self) -> int:
        """Places looked at."""
        return len(self._done)

    @property
    def left(self) -> int:
        """Places not yet looked at, the current one included."""
        return len(self._left())

    @property
    def left_ml(self) -> float:
        """The volume that looking at what is left is expected to put right."""
        return sum(place.gain_mm3 for _, place in self._left()) / 1000

    def _left(self) -> list[tuple[Hashable, Place]]:
        waiting = [
            (key, place)
            for key, place in self._found().items()
            if key not in self._done or place.gain_mm3 > COMES_BACK_AT * self._done[key]
        ]
        return sorted(waiting, key=lambda one: (-one[1].gain_mm3, one[1].centre, one[1].region))


class ReviewQueue(Queue):
    """Places by expected gain; follows the session and recomputes only around what was edited.

    Parameters
    ----------
    session
        What is being edited.
    probabilities
        By region, on the session's grid: 0 to 1, or uint8 in 255ths. Regions that it lacks are
        judged by their shape alone.

    Raises
    ------
    GeometryError
        When probabilities do not fit the grid.
    """

    def __init__(
        self, session: EditSession, probabilities: Mapping[str, NDArray[np.generic]] | None = None
    ) -> None:
        super().__init__()
        self._session = session
        self._probabilities = dict(probabilities or {})
        for region, array in self._probabilities.items():
            session.protocol[region]  # raises with the names
            if array.shape != session.codes.shape:
                raise GeometryError(
                    f"the probabilities of {region} do not fit the case: predict it again"
                )
        self._spacing = session.grid.spacing
        self._voxel_mm3 = 1000 * session.grid.voxel_volume_ml
        a, b, c = (max(1, round(CELL_MM / edge)) for edge in self._spacing)
        self._cell: Voxel = (a, b, c)
        self._in_cells: dict[Hashable, Place] = {}
        self._pieces: dict[Hashable, Place] = {}
        self._dirty: list[Box] = [self._worth_seeing()]
        session.on_change.append(self._note)

    def close(self) -> None:
        """Stop following the session."""
        if self._note in self._session.on_change:
            self._session.on_change.remove(self._note)

    def _note(self, change: Change) -> None:
        self._dirty.append(change.box)

    def _found(self) -> Mapping[Hashable, Place]:
        if self._dirty:
            boxes, self._dirty = self._dirty, []
            self._look_into_cells(_around(boxes))
            self._look_for_pieces()
        return {**self._in_cells, **self._pieces}

    def _worth_seeing(self) -> Box:
        """Where any region is labelled or at least a little probable."""
        seen = self._session.codes > 0
        for array in self._probabilities.values():
            least = UNSURE_FROM * STEPS if array.dtype == np.uint8 else UNSURE_FROM
            seen |= np.greater_equal(array, least)
        return bounding_box(seen) or (slice(0, 0), slice(0, 0), slice(0, 0))

    def _look_into_cells(self, box: Box) -> None:
        """Find the places anew of all cells that lie in `box` or near it."""
        shape = self._session.codes.shape
        if any(side.stop <= side.start for side in box):
            return
        cells, seen, inner = [], [], []
        for side, size, edge, length in zip(box, self._cell, self._spacing, shape, strict=True):
            halo = int(np.ceil(2 * SMOOTH_MM / edge)) + 1
            low = max(0, side.start - halo) // size * size
            high = min(length, -(-min(length, side.stop + halo) // size) * size)
            cells.append(slice(low, high))
            seen.append(slice(max(0, low - halo), min(length, high + halo)))
            inner.append(slice(low - seen[-1].start, high - seen[-1].start))
        self._forget(cells)
        outer = (seen[0], seen[1], seen[2])
        here = (inner[0], inner[1], inner[2])
        corner = (cells[0].start, cells[1].start, cells[2].start)
        for region in self._session.protocol.regions:
            mask = self._session.protocol.inside(self._session.codes[outer], region.name)
            before = self._session.protocol.inside(self._session.proposal[outer], region.name)
            wrong = self._wrong(region.name, mask, outer)
            if wrong is None and not mask.any():
                continue
            for reason, gain in doubts(mask, mask != before, wrong, self._spacing).items():
                for number, centre, where, mm3 in gathered(
                    gain[here], self._cell, corner, self._voxel_mm3
                ):
                    place = Place(centre, where, region.name, reason, mm3)
                    self._in_cells[region.name, reason, number] = place

    def _forget(self, cells: list[slice]) -> None:
        gone = [
            key
            for key, place in self._in_cells.items()
            if all(s.start <= at < s.stop for s, at in zip(cells, place.centre, strict=True))
        ]
        for key in gone:
            del self._in_cells[key]

    def _look_for_pieces(self) -> None:
        self._pieces = {}
        protocol, codes = self._session.protocol, self._session.codes
        box = bounding_box(codes > 0)
        if box is None:
            return
        start = [side.start for side in box]
        for region in protocol.regions:
            mask = protocol.inside(codes[box], region.name)
            if not mask.any():
                continue
            wrong = self._wrong(region.name, mask, box)
            for reason, centre, where, mm3 in islands(mask, wrong, self._voxel_mm3):
                at = (centre[0] + start[0], centre[1] + start[1], centre[2] + start[2])
                a, b, c = (
                    slice(s.start + n, s.stop + n) for s, n in zip(where, start, strict=True)
                )
                self._pieces[region.name, reason, at] = Place(
                    at, (a, b, c), region.name, reason, mm3
                )

    def _wrong(self, region: str, mask: NDArray[np.bool_], box: Box) -> NDArray[np.float32] | None:
        """The model's probability that the labels in `box` are wrong."""
        if region not in self._probabilities:
            return None
        array = self._probabilities[region][box]
        probability = array.astype(np.float32)
        if array.dtype == np.uint8:
            probability /= STEPS
        return np.where(mask, 1 - probability, probability)


class SliceQueue(Queue):
    """Every k-th slice that shows a label, from the first to the last.

    Parameters
    ----------
    axis
        The axis across the slices: 0 axial, 1 coronal, 2 sagittal.
    every
        How many slices on the next one is.

    Raises
    ------
    InputError
        When `every` is not at least 1.
    """

    def __init__(self, session: EditSession, axis: int, every: int) -> None:
        super().__init__()
        if every < 1:
            raise InputError(f"every {every} slices is no distance: choose 1 or more")
        self._session, self._axis, self._every = session, axis, every

    def _found(self) -> Mapping[Hashable, Place]:
        session, axis = self._session, self._axis
        region = next(r.name for r in session.protocol.regions if r.parent is None)
        shown = session.codes > 0
        box = bounding_box(shown)
        if box is None:
            return {}
        mm3 = 1000 * session.grid.voxel_volume_ml * self._every
        found: dict[Hashable, Place] = {}
        for index in range(box[axis].start, box[axis].stop, self._every):
            area = np.take(shown, index, axis=axis)
            if not area.any():
                continue
            sides = list(box)
            sides[axis] = slice(index, index + 1)
            middle = [round(float(at.mean())) for at in np.nonzero(area)]
            middle.insert(axis, index)
            found[index] = Place(
                (middle[0], middle[1], middle[2]),
                (sides[0], sides[1], sides[2]),
                region,
                Reason.SLICE,
                float(area.sum()) * mm3,
            )
        return found

    def _left(self) -> list[tuple[Hashable, Place]]:
        """In the order of the slices; one that was looked at never comes back."""
        waiting = [(key, p) for key, p in self._found().items() if key not in self._done]
        return sorted(waiting, key=lambda one: one[1].centre[self._axis])


def _around(boxes: list[Box]) -> Box:
    """The smallest box with all of them; empty ones do not count."""
    some = [box for box in boxes if all(side.stop > side.start for side in box)]
    if not some:
        return slice(0, 0), slice(0, 0), slice(0, 0)
    a, b, c = (
        slice(min(box[i].start for box in some), max(box[i].stop for box in some)) for i in range(3)
    )
    return a, b, c
