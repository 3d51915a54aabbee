"""Users with different tools: each corrects an annotation until it agrees with the target.

An expert is simulated: shown a slice, they see where the true boundary runs, and nothing of the
other slices. The target serves that sight and the decision to stop, no tool reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._robot_hand import WAIT_REFINE, Clock, Hand, large_parts
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.editing.interpolate import interpolate
from napari_mmseg.editing.queue import ReviewQueue
from napari_mmseg.editing.refine import Refiner, Scribble, refine
from napari_mmseg.editing.stroke import bounding_box
from napari_mmseg.errors import InputError

TARGET_DICE = 0.95

#: Pieces of error in a slice that are corrected (mm2), finer in each round over the slices.
SEEN_MM2 = (12.0, 6.0, 3.0, 2.0, 1.0)

#: From this on an error is scribbled on rather than painted over (mm2).
SCRIBBLED_MM2 = 40.0

#: A component of which less than this is right is removed whole, if it is this large (mm3).
FALSE_SHARE, FALSE_MM3 = 0.1, 30.0

#: Places of the queue that are looked at before the slices are gone through.
MOST_PLACES = 40

#: Earlier scribbles count again when they fit into a box of this side with the new ones.
TOGETHER_VOXELS = 48

#: So far apart are the slices between which corrections are interpolated (mm).
KEY_SLICE_MM = 3.0

#: The width of a scribble (mm).
SCRIBBLE_MM = 3.0

Codes = NDArray[np.uint8]


class User:
    """Corrects a session towards `target` (codes, (I, P, L)); the clock counts what it costs."""

    def __init__(self, session: EditSession, target: Codes, seed: int = 0) -> None:
        self.session, self.target = session, target
        self.clock = Clock()
        self.hand = Hand(session, self.clock, seed)
        self.regions = [region.name for region in session.protocol.regions]
        self.voxels = 0
        session.on_change.append(self._count)

    def dice(self) -> dict[str, float | None]:
        """By region; None where neither has it."""
        box = bounding_box((self.session.codes > 0) | (self.target > 0))
        if box is None:
            return dict.fromkeys(self.regions)
        found: dict[str, float | None] = {}
        for region in self.regions:
            mine, right = (
                self.session.protocol.inside(codes[box], region)
                for codes in (self.session.codes, self.target)
            )
            total = int(np.count_nonzero(mine)) + int(np.count_nonzero(right))
            found[region] = 2 * float(np.count_nonzero(mine & right)) / total if total else None
        return found

    @property
    def has_finished(self) -> bool:
        return all(value is None or value >= TARGET_DICE for value in self.dice().values())

    def work(self) -> dict[str, Any]:
        """Correct until the Dice of all regions is reached, or nothing more can be seen; a row."""
        start = self.dice()
        steps = self.steps() if not self.has_finished else iter(())
        for _ in steps:
            if self.has_finished:
                break
        return {
            "minutes": round(self.clock.seconds / 60, 2),
            "strokes": self.clock.strokes,
            "keys": self.clock.keys,
            "voxels": self.voxels,
            "reached": self.has_finished,
            "dice_before": _rounded(start),
            "dice": _rounded(self.dice()),
            "seconds": {k: round(v, 1) for k, v in self.clock.by_kind.items()},
        }

    def steps(self) -> Iterator[None]:
        """The work, piece by piece: here all slices with the plain brush."""
        for least_mm2 in SEEN_MM2:
            yield from self.go_through_slices(least_mm2)

    def go_through_slices(self, least_mm2: float) -> Iterator[None]:
        """Every slice that shows a label or tumour, from the top down."""
        shown = ((self.session.codes > 0) | (self.target > 0)).any(axis=(1, 2))
        for index in np.flatnonzero(shown):
            self.correct_slice(int(index), least_mm2)
            yield

    def correct_slice(self, index: int, least_mm2: float) -> set[str]:
        """One look at a slice with the brush in hand; the regions that were changed."""
        self.clock.key()
        self.clock.think()
        changed = set()
        for region in self.regions:
            strokes = self.clock.strokes
            wanted = self.sees(region, index)
            for mode in (Mode.PAINT, Mode.ERASE):
                self.hand.correct(region, mode, index, wanted, least_mm2)
            if self.clock.strokes > strokes:
                changed.add(region)
        return changed

    def sees(self, region: str, index: int) -> NDArray[np.bool_]:
        """Where the region truly is in a slice (P, L)."""
        return self.session.protocol.inside(self.target[index], region)

    def _count(self, change: Any) -> None:
        self.voxels += int(np.count_nonzero(change.mask))


class ToolUser(User):
    """Removes false components by a click, scribbles and refines where the queue leads, and only
    then goes through the slices with the brush.
    """

    def __init__(
        self,
        session: EditSession,
        target: Codes,
        images: list[NDArray[np.generic]],
        probabilities: dict[str, NDArray[np.generic]],
        seed: int = 0,
    ) -> None:
        super().__init__(session, target, seed)
        self.refiner = Refiner(session.grid, session.protocol, images, list(probabilities.values()))
        self.queue = ReviewQueue(session, probabilities)
        self.said: list[Scribble] = []

    def steps(self) -> Iterator[None]:
        yield from self.remove_false_components()
        yield from self.follow_queue()
        yield from self.correct_key_slices()
        yield from super().steps()

    def remove_false_components(self) -> Iterator[None]:
        """One look at each component in the list; a click on those that are nothing."""
        import cc3d

        voxel_mm3 = 1000 * self.session.grid.voxel_volume_ml
        for region in self.regions:
            mask = self.session.protocol.inside(self.session.codes, region)
            right = self.session.protocol.inside(self.target, region)
            pieces = cc3d.connected_components(mask, connectivity=26)
            counts = np.bincount(pieces.ravel())
            good = np.bincount(pieces[right], minlength=counts.size)
            for number in range(1, counts.size):
                if counts[number] * voxel_mm3 < FALSE_MM3:
                    continue
                self.clock.key()
                self.clock.think()
                if good[number] < FALSE_SHARE * counts[number]:
                    self.clock.stroke(0, 0.0)
                    self.session.apply(_whole(region, pieces == number), "remove component")
                    yield

    def follow_queue(self) -> Iterator[None]:
        """Go where the queue leads; scribble on what is wrong in the slice that it shows."""
        for _ in range(MOST_PLACES):
            place = self.queue.next()
            if place is None:
                return
            self.clock.key()
            self.clock.think()
            self.refine_in(place.centre[0], place.region)
            yield

    def correct_key_slices(self) -> Iterator[None]:
        """Correct a slice every few mm, and let interpolation carry it to those between."""
        step = max(1, round(KEY_SLICE_MM / self.session.grid.spacing[0]))
        shown = np.flatnonzero(((self.session.codes > 0) | (self.target > 0)).any(axis=(1, 2)))
        if step < 2 or shown.size <= step:
            return
        keys = [*range(int(shown[0]), int(shown[-1]), step), int(shown[-1])]
        before: set[str] = set()
        for number, index in enumerate(keys):
            changed = self.correct_slice(index, SEEN_MM2[1])
            if number and index - keys[number - 1] > 1:
                for region in self.regions:
                    if region in before | changed:
                        self._interpolate(region, keys[number - 1], index)
            before = changed
            yield

    def _interpolate(self, region: str, first: int, last: int) -> None:
        """Between two corrected slices; undone if the slice in the middle got worse."""
        middle = (first + last) // 2
        wanted = self.sees(region, middle)
        before = self._errors(region, middle, wanted)
        self.clock.key(2)
        self.clock.think()
        try:
            interpolate(self.session, region, 0, (first, last), replace=True)
        except InputError:  # the region is in neither slice
            return
        self.clock.think()
        if self._errors(region, middle, wanted) > before:
            self.clock.key()
            self.session.undo()

    def refine_in(self, index: int, region: str) -> bool:
        """Scribble on the region's large errors in a slice and refine; undone if it got worse."""
        wanted = self.sees(region, index)
        before = self._errors(region, index, wanted)
        mine: list[Scribble] = []
        for inside, wrong in (
            (True, wanted & ~self._now(region, index)),
            (False, self._now(region, index) & ~wanted),
        ):
            path = middle_line(wrong, SCRIBBLED_MM2 / self._pixel_mm2())
            if path:
                self.clock.key(2)
                drawn = self.hand.draw(path, index, SCRIBBLE_MM)
                mine.append(Scribble(region, inside, drawn))
        if not mine:
            return False
        self.clock.key()
        self.clock.wait(WAIT_REFINE)
        try:
            refine(self.session, self.refiner, [*self._near(mine), *mine])
        except InputError:  # an error too wide for one box: left to the brush
            return False
        self.clock.think()
        if self._errors(region, index, wanted) >= before:
            self.clock.key()
            self.session.undo()
            return False
        self.said += mine
        return True

    def _near(self, scribbles: list[Scribble]) -> list[Scribble]:
        """Earlier scribbles that still fit into a box with the new ones."""
        low, high = _extent(scribbles)
        near: list[Scribble] = []
        for scribble in reversed(self.said):
            corner, far = _extent([scribble])
            corner, far = np.minimum(low, corner), np.maximum(high, far)
            if (far - corner <= TOGETHER_VOXELS).all():
                near.insert(0, scribble)
                low, high = corner, far
        return near

    def _now(self, region: str, index: int) -> NDArray[np.bool_]:
        return self.session.protocol.inside(self.session.codes[index], region)

    def _errors(self, region: str, index: int, wanted: NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(self._now(region, index) != wanted))

    def _pixel_mm2(self) -> float:
        return self.session.grid.spacing[1] * self.session.grid.spacing[2]


def middle_line(wrong: NDArray[np.bool_], least: float) -> list[tuple[float, float]]:
    """Three points along the middle of the largest piece of error in a slice, or none."""
    from scipy import ndimage

    labels, count = ndimage.label(large_parts(wrong, least))
    if not count:
        return []
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    piece = labels == int(np.argmax(sizes))
    deep = ndimage.distance_transform_edt(np.pad(piece, 1))[1:-1, 1:-1]
    core = np.argwhere(deep >= max(1.0, 0.5 * float(deep.max())))
    spread = core - core.mean(axis=0)
    direction = np.linalg.svd(spread, full_matrices=False)[2][0]
    along = spread @ direction
    points = [core[np.argmin(np.abs(along - q))] for q in np.quantile(along, (0.1, 0.5, 0.9))]
    path = [(float(p), float(left)) for p, left in points]
    return [path[0], *(b for a, b in pairwise(path) if a != b)]


def _extent(scribbles: list[Scribble]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last corner of the box around scribbles."""
    corners = np.array([scribble.footprint.corner for scribble in scribbles])
    sizes = np.array([scribble.footprint.mask.shape for scribble in scribbles])
    return corners.min(axis=0), (corners + sizes).max(axis=0)


def _whole(region: str, mask: NDArray[np.bool_]) -> Stroke:
    return Stroke(region, Mode.ERASE, Footprint.of_mask(mask))


def _rounded(values: dict[str, float | None]) -> dict[str, float | None]:
    return {k: None if v is None else round(float(v), 3) for k, v in values.items()}
