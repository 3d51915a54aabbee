"""A user with the plain brush, who corrects an annotation until it agrees with the target.

An expert is simulated: shown a slice, they see where the true boundary runs, and nothing of the
other slices. The target serves that sight and the decision to stop, no tool reads it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._robot_hand import Clock, Hand
from napari_mmseg.editing import EditSession, Mode

TARGET_DICE = 0.95

#: Pieces of error in a slice that are corrected (mm2), finer in each round over the slices.
SEEN_MM2 = (12.0, 6.0, 3.0, 2.0, 1.0)

Codes = NDArray[np.uint8]


class User:
    """Corrects a session towards `target` (codes, (I, P, L)); the clock counts what it costs."""

    def __init__(self, session: EditSession, target: Codes, seed: int = 0) -> None:
        self.session, self.target = session, target
        self.clock = Clock()
        self.hand = Hand(session, self.clock, seed)
        self.regions = [region.name for region in session.protocol.regions]
        self.voxels = 0
        self._stale = np.ones(len(target), dtype=bool)  # slices whose counts have to be made anew
        self._counts = np.zeros((len(target), len(self.regions), 2), dtype=np.int64)
        session.on_change.append(self._count)

    def dice(self) -> dict[str, float | None]:
        """By region; None where neither has it."""
        for index in np.flatnonzero(self._stale):
            now, right = self.session.codes[index], self.target[index]
            for number, region in enumerate(self.regions):
                mine, wanted = (self.session.protocol.inside(one, region) for one in (now, right))
                self._counts[index, number] = (
                    np.count_nonzero(mine & wanted),
                    np.count_nonzero(mine) + np.count_nonzero(wanted),
                )
        self._stale[:] = False
        sums = self._counts.sum(axis=0).tolist()
        return {
            region: 2 * both / total if total else None
            for region, (both, total) in zip(self.regions, sums, strict=True)
        }

    @property
    def open_regions(self) -> list[str]:
        """Those that are not yet right enough; nobody works on the others."""
        return [name for name, value in self.dice().items() if not _is_enough(value)]

    @property
    def has_finished(self) -> bool:
        return not self.open_regions

    def work(self, wall_s: float = math.inf) -> dict[str, Any]:
        """Correct until the Dice of all regions is reached, or nothing more can be seen; a row.

        Given up after `wall_s` seconds of this machine's time.
        """
        start, end = self.dice(), time.monotonic() + wall_s
        steps = self.steps() if not self.has_finished else iter(())
        for _ in steps:
            if self.has_finished or time.monotonic() > end:
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
            "seconds_by_tool": {k: round(v, 1) for k, v in self.clock.by_tool.items()},
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

    def correct_slice(
        self, index: int, least_mm2: float, regions: Sequence[str] | None = None
    ) -> None:
        """One look at a slice with the brush in hand; the open regions unless others are named."""
        self.clock.key()
        self.clock.think()
        for region in self.open_regions if regions is None else regions:
            wanted = self.sees(region, index)
            for mode in (Mode.PAINT, Mode.ERASE):
                self.correct(region, mode, index, wanted, least_mm2)

    def correct(
        self, region: str, mode: Mode, index: int, wanted: NDArray[np.bool_], least_mm2: float
    ) -> None:
        """Put right what is missing of a region in a slice, or too much: here with the brush."""
        self.hand.correct(region, mode, index, wanted, least_mm2)

    def now(self, region: str, index: int) -> NDArray[np.bool_]:
        """Where the region is labelled in a slice (P, L)."""
        return self.session.protocol.inside(self.session.codes[index], region)

    def errors(self, region: str, index: int) -> int:
        """Voxels of a slice that are wrong, as the user sees it."""
        return int(np.count_nonzero(self.now(region, index) != self.sees(region, index)))

    def areas(self, region: str) -> NDArray[np.intp]:
        """How large the region truly is, slice by slice (voxels)."""
        inside = self.session.protocol.inside(self.target, region)
        return np.asarray(np.count_nonzero(inside, axis=(1, 2)))

    def sees(self, region: str, index: int) -> NDArray[np.bool_]:
        """Where the region truly is in a slice (P, L)."""
        return self.session.protocol.inside(self.target[index], region)

    def _count(self, change: Any) -> None:
        self.voxels += int(np.count_nonzero(change.mask))
        self._stale[change.box[0]] = True


def _is_enough(dice: float | None) -> bool:
    return dice is None or dice >= TARGET_DICE


def _rounded(values: dict[str, float | None]) -> dict[str, float | None]:
    return {k: None if v is None else round(float(v), 3) for k, v in values.items()}
