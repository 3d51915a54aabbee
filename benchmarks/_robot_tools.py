"""A user with our tools, who takes the one that is quickest for what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks._robot_hand import (
    WAIT_REFINE,
    largest_part,
    middle_line,
)
from benchmarks._robot_plan import BRUSHES_MM, BUTTON, KEY, POINT, SEGMENT, THINK
from benchmarks._robot_shaping import shape_regions
from benchmarks._robot_slices import correct_and_carry
from benchmarks._robot_sliders import move_sliders
from benchmarks._robot_user import Codes, User
from napari_mmseg.editing import (
    AdaptiveBrush,
    Carrier,
    EditSession,
    Footprint,
    Mode,
    Stroke,
    flood,
)
from napari_mmseg.editing.queue import ReviewQueue
from napari_mmseg.editing.refine import Refiner, Scribble, refine, together
from napari_mmseg.errors import InputError

#: From this on an error is scribbled on rather than painted over (mm2).
SCRIBBLED_MM2 = 40.0

#: A component of which less than this is right is removed whole, if it is this large (mm3).
FALSE_SHARE, FALSE_MM3 = 0.1, 30.0

#: Places of the queue that are looked at before the slices are gone through.
MOST_PLACES = 40

#: Earlier scribbles count again when they fit into a box of this side with the new ones.
TOGETHER_VOXELS = 48

#: The width of a scribble (mm).
SCRIBBLE_MM = 3.0

#: From this on an error is touched with the adaptive brush (mm2), unless painting is quicker than
#: the touch: keys for tool, mode and size, pointing, a click, and a look at what came of it.
TOUCHED_MM2 = 30.0
TOUCH_SECONDS = 3 * KEY + POINT + 2 * BUTTON + THINK

#: Something is left to paint after most touches, so painting must take this much longer.
WORTH_A_TOUCH = 2.0

#: A region of this size or larger is corrected as finely as is said, a smaller one more finely, to
#: pieces of so many mm2.
REFERENCE_MM2, FINEST_MM2 = 250.0, 1.5

#: A piece of one colour is wiped with the fill from so many mm2 on, if no more than this share of
#: it is right.
WIPED_MM2, WIPED_RIGHT = 6.0, 0.05

#: After so many touches it is known whether they mostly put half of an error right.
TRIES = 3


class ToolUser(User):
    """Removes false components by a click, moves the model's sliders, corrects slices where most
    is wrong and carries them to those between; where that is not enough, scribbles and refines
    where the queue leads, shapes whole regions, and goes through the slices. What is wrong
    altogether in a slice goes by a click of the fill; the adaptive brush is taken where a touch of
    it is quicker than painting.

    Parameters
    ----------
    thresholds, at_thresholds
        The model's by region, and the codes (I, P, L) that others would give; none: no sliders.
    """

    def __init__(
        self,
        session: EditSession,
        target: Codes,
        images: list[NDArray[np.generic]],
        probabilities: dict[str, NDArray[np.generic]],
        seed: int = 0,
        *,
        thresholds: Mapping[str, float] | None = None,
        at_thresholds: Callable[[Mapping[str, float]], Codes] | None = None,
    ) -> None:
        super().__init__(session, target, seed)
        maps = list(probabilities.values())
        self.refiner = Refiner(session.grid, session.protocol, images, maps)
        self.carrier = Carrier(session.grid, session.protocol, images, maps)
        self.thresholds = dict(thresholds or {}) if at_thresholds is not None else {}
        self.at_thresholds = at_thresholds or (lambda _: self.session.codes)
        self.queue = ReviewQueue(session, probabilities)
        self.said: list[Scribble] = []
        self.at = 0  # the slice on screen
        self.adaptive = AdaptiveBrush(images, session.grid.spacing)
        self.luck: dict[tuple[str, Mode], list[bool]] = {}

    def steps(self) -> Iterator[None]:
        with self.clock.using("components"):
            yield from self.remove_false_components()
        yield from move_sliders(self, self.thresholds, self.at_thresholds)
        yield from correct_and_carry(self)
        with self.clock.using("refine"):
            yield from self.follow_queue()
        with self.clock.using("shape"):
            yield from shape_regions(self)
        yield from super().steps()

    def look_through(self, slices: int) -> None:
        """Scroll through some slices, to see where most is wrong."""
        with self.clock.using("looking"):
            self.clock.key(slices)
            self.clock.think()

    def go_to(self, index: int) -> None:
        """To a slice somewhere else: by keys, or with the slider where that is quicker.

        The last key is counted by whoever corrects the slice.
        """
        away = abs(index - self.at) - 1
        with self.clock.using("looking"):
            if away * KEY < POINT + 2 * BUTTON + SEGMENT:
                self.clock.key(max(0, away))
            else:
                self.clock.point()
                self.clock.draw_one()
        self.at = index

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

    def correct(
        self, region: str, mode: Mode, index: int, wanted: NDArray[np.bool_], least_mm2: float
    ) -> None:
        """Clicks on pieces of which nothing is right, a touch of the adaptive brush, the brush."""
        if mode is Mode.ERASE:
            with self.clock.using("fill"):
                self.wipe(region, index, wanted)
        with self.clock.using("adaptive brush"):
            self.touch(region, mode, index)
        super().correct(region, mode, index, wanted, self.least_mm2(wanted, least_mm2))

    def wipe(self, region: str, index: int, wanted: NDArray[np.bool_]) -> None:
        """Erase with the fill what is one colour in a slice and not in the region at all."""
        from scipy import ndimage

        chosen = False
        for code in np.unique(self.session.codes[index][self.now(region, index)]).tolist():
            pieces, count = ndimage.label(self.session.codes[index] == code)
            for number in range(1, count + 1):
                piece = pieces == number
                size = np.count_nonzero(piece)
                right = np.count_nonzero(piece & wanted)
                if size * self.pixel_mm2 < WIPED_MM2 or right > WIPED_RIGHT * size:
                    continue
                if not chosen:
                    self.clock.key(3)  # tool, region, mode
                    self.hand.take()
                    chosen = True
                self.clock.stroke(0, 0.0)
                (p, left), _ = self._aim(piece)
                area = flood(self.session.codes, (index, int(p), int(left)), 0)
                self.session.apply(Stroke(region, Mode.ERASE, area))

    def least_mm2(self, wanted: NDArray[np.bool_], least_mm2: float) -> float:
        """The pieces worth correcting in a region (P, L) where `least_mm2` is for a middling one.

        What is nothing to a large region is much to a small one.
        """
        share = np.count_nonzero(wanted) * self.pixel_mm2 / REFERENCE_MM2
        finest = min(FINEST_MM2, least_mm2)
        return float(np.clip(least_mm2 * share, finest, least_mm2))

    def touch(self, region: str, mode: Mode, index: int) -> bool:
        """The adaptive brush on the largest error in a slice; undone when it made it no better.

        Only where painting the piece would take longer, and not any more where it mostly failed.
        """
        luck = self.luck.setdefault((region, mode), [])
        if len(luck) >= TRIES and sum(luck) < len(luck) / 2:
            return False
        now, wanted = self.now(region, index), self.sees(region, index)
        wrong = wanted & ~now if mode is Mode.PAINT else now & ~wanted
        piece = largest_part(wrong, TOUCHED_MM2 / self.pixel_mm2)
        if piece is None:
            return False
        may = wanted if mode is Mode.PAINT else ~wanted
        if self.hand.seconds_to_paint(piece, may) <= WORTH_A_TOUCH * TOUCH_SECONDS:
            return False
        place, diameter = self._aim(piece)
        before = self.errors(region, index)
        self.clock.key(3)  # tool, region or mode, size
        self.hand.take()
        self.session.apply(
            Stroke(region, mode, self.hand.touch(self.adaptive, place, index, diameter))
        )
        self.clock.think()
        after = self.errors(region, index)
        luck.append(after <= before - np.count_nonzero(piece) / 2)
        if after >= before:
            self.clock.key()
            self.session.undo()
        return after < before

    def _aim(self, piece: NDArray[np.bool_]) -> tuple[tuple[float, float], float]:
        """Where a piece of a slice is widest, and the brush that reaches all of it from there."""
        from scipy import ndimage

        edges = np.array(self.session.grid.spacing[1:])
        deep = ndimage.distance_transform_edt(np.pad(piece, 1), edges)[1:-1, 1:-1]
        p, left = np.unravel_index(int(deep.argmax()), deep.shape)
        far = np.linalg.norm((np.argwhere(piece) - (p, left)) * edges, axis=1).max()
        wide = [mm for mm in BRUSHES_MM if mm >= 2 * far] or [BRUSHES_MM[0]]
        return (float(p), float(left)), wide[-1]

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

    def refine_in(self, index: int, region: str) -> bool:
        """Scribble on the region's large errors in a slice and refine; undone if it got worse."""
        wanted = self.sees(region, index)
        before = self.errors(region, index)
        mine: list[Scribble] = []
        for inside, wrong in (
            (True, wanted & ~self.now(region, index)),
            (False, self.now(region, index) & ~wanted),
        ):
            path = middle_line(wrong, SCRIBBLED_MM2 / self.pixel_mm2)
            if path:
                self.clock.key(2)
                self.hand.take()
                drawn = self.hand.draw(path, index, SCRIBBLE_MM)
                mine.append(Scribble(region, inside, drawn))
        if not mine:
            return False
        self.clock.key()
        self.clock.wait(WAIT_REFINE)
        try:
            refine(
                self.session,
                self.refiner,
                together([*self.said, *mine], len(mine), TOGETHER_VOXELS),
            )
        except InputError:  # an error too wide for one box: left to the brush
            return False
        self.clock.think()
        if self.errors(region, index) >= before:
            self.clock.key()
            self.session.undo()
            return False
        self.said += mine
        return True

    @property
    def pixel_mm2(self) -> float:
        return self.session.grid.spacing[1] * self.session.grid.spacing[2]


def _whole(region: str, mask: NDArray[np.bool_]) -> Stroke:
    return Stroke(region, Mode.ERASE, Footprint.of_mask(mask))
