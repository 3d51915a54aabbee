"""A simulated hand: what its acts cost, and where they land.

Time is the keystroke-level model's (Card, Moran & Newell, Communications of the ACM 23, 1980),
drawing included. The hand misses by a share of the brush's width, as effective widths do in
Fitts's law (4.13 standard deviations), here half of the brush: 0.3 mm with the finest brushes on an
enlarged slice, 2 mm with the widest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from benchmarks._robot_plan import (
    BUTTON,
    KEY,
    PER_CM,
    POINT,
    SCREEN_CM_PER_MM,
    SEGMENT,
    THINK,
    Draw,
    Mask,
    Path,
    cost,
    planned,
)
from napari_mmseg.editing import AdaptiveBrush, EditSession, Footprint, Mode, Stroke, sweep

#: What a refinement, and carrying what was corrected to other slices, make the user wait for
#: (seconds): the limits that they are held to, not measurements.
WAIT_REFINE, WAIT_CARRY = 0.5, 2.0

MISS_SHARE, MISS_MM = 1 / (2 * 4.133), (0.3, 2.0)

#: The hand misses anew so often (mm).
WOBBLE_MM = 6.0

_OPPOSITE = {Mode.PAINT: Mode.ERASE, Mode.ERASE: Mode.PAINT}

#: What was missed is gone over once more in the same slice.
GOES = 2


@dataclass
class Clock:
    """Adds up acts by kind and by the tool in use; `seconds` is the simulated time."""

    by_kind: dict[str, float] = field(default_factory=dict)
    by_tool: dict[str, float] = field(default_factory=dict)
    tool: str = "brush"
    strokes: int = 0
    keys: int = 0

    @property
    def seconds(self) -> float:
        return sum(self.by_kind.values())

    @contextmanager
    def using(self, tool: str) -> Iterator[None]:
        """What is done within is done with this tool."""
        before, self.tool = self.tool, tool
        try:
            yield
        finally:
            self.tool = before

    def think(self) -> None:
        self._add("think", THINK)

    def key(self, times: int = 1) -> None:
        self.keys += times
        self._add("keys", times * KEY)

    def wait(self, seconds: float) -> None:
        self._add("wait", seconds)

    def stroke(self, segments: int, mm: float) -> None:
        """Point, press, draw, release."""
        self.strokes += 1
        self._add("point", POINT + 2 * BUTTON)
        self._add("draw", segments * SEGMENT + mm * SCREEN_CM_PER_MM * PER_CM)

    def point(self) -> None:
        """Point, press, release, without a stroke."""
        self._add("point", POINT + 2 * BUTTON)

    def draw_one(self) -> None:
        """One straight segment with the button held, such as a slider's move."""
        self._add("draw", SEGMENT)

    def _add(self, kind: str, seconds: float) -> None:
        self.by_kind[kind] = self.by_kind.get(kind, 0.0) + seconds
        self.by_tool[self.tool] = self.by_tool.get(self.tool, 0.0) + seconds


class Hand:
    """Draws in one axial slice at a time, through the session's public methods."""

    def __init__(self, session: EditSession, clock: Clock, seed: int) -> None:
        self.session, self.clock = session, clock
        self._rng = np.random.default_rng(seed)
        self._held: tuple[str, Mode, float] | None = None  # region, mode, diameter

    def draw(self, path: Path, index: int, diameter: float) -> Footprint:
        """What the brush covers along `path` (P, L in voxels) in slice `index`; counts the time."""
        spacing = self.session.grid.spacing
        scale = np.array(spacing[1:])
        corners = np.array(path, dtype=float) * scale
        steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        self.clock.stroke(len(steps), float(steps.sum()))
        where = [corners[0]]
        for start, end, length in zip(corners[:-1], corners[1:], steps, strict=True):
            count = max(1, int(np.ceil(length / WOBBLE_MM)))
            where += [start + (end - start) * (n + 1) / count for n in range(count)]
        miss = float(np.clip(diameter * MISS_SHARE, *MISS_MM))
        missed = np.array(where) + self._rng.normal(0.0, miss, (len(where), 2))
        voxels = np.rint(missed / scale).astype(int)
        size = self.session.codes.shape[1:]
        covered = np.zeros((1, *size), dtype=bool)
        if len(voxels) == 1:  # a dab
            voxels = np.repeat(voxels, 2, axis=0)
        for start, end in pairwise(voxels):
            a, b = (0, int(start[0]), int(start[1])), (0, int(end[0]), int(end[1]))
            clipped = sweep(a, b, diameter, spacing, 0).clipped(covered.shape)
            if clipped is not None:
                covered[clipped[0]] |= clipped[1]
        within = Footprint.of_mask(covered)
        return Footprint((index, within.corner[1], within.corner[2]), within.mask)

    def touch(
        self, brush: AdaptiveBrush, place: tuple[float, float], index: int, diameter: float
    ) -> Footprint:
        """What the adaptive brush covers at a place (P, L in voxels); counts the time."""
        self.clock.stroke(0, 0.0)
        scale = np.array(self.session.grid.spacing[1:])
        # The middle of a wide circle is aimed at as finely as the tip of a narrow one.
        at = np.array(place) + self._rng.normal(0.0, MISS_MM[0], 2) / scale
        p, left = np.rint(at).astype(int).tolist()
        return brush.stamp((index, p, left), diameter, 0)

    def seconds_to_paint(self, wrong: Mask, may: Mask) -> float:
        """What painting a piece of a slice (P, L) takes."""
        edges = self._edges()
        return cost(planned(wrong, may, edges, 0.0), edges)

    def correct(self, region: str, mode: Mode, index: int, wanted: Mask, least_mm2: float) -> None:
        """Paint what is missing of the region in a slice, or erase what is too much.

        `wanted` (P, L) is where the user sees the region; nothing is done about less than
        `least_mm2` in one piece. What the hand missed is gone over once more.
        """
        from scipy import ndimage

        may = wanted if mode is Mode.PAINT else ~wanted
        for _ in range(GOES):
            wrong = self._wrong(region, mode, index, wanted)
            draws = self._plan(wrong, may, least_mm2)
            for draw in draws:
                now = _OPPOSITE[mode] if draw.back else mode
                self._take(region, now, draw.diameter)
                drawn = self.draw(draw.path, index, draw.diameter)
                if draw.fills:
                    self.clock.key()
                    self.clock.stroke(0, 0.0)
                    filled = ndimage.binary_fill_holes(drawn.mask[0])
                    drawn = Footprint(drawn.corner, filled[None])
                self.session.apply(Stroke(region, now, drawn))
            if not draws:
                return

    def _plan(self, wrong: Mask, may: Mask, least_mm2: float) -> list[Draw]:
        """What is wrong piece by piece; or all that may be covered afresh, if that is quicker."""
        edges = self._edges()
        draws = planned(wrong, may, edges, least_mm2)
        if len(draws) < 2 or np.count_nonzero(may) > np.count_nonzero(~may):
            return draws
        afresh = planned(may, may, edges, least_mm2)
        return afresh if cost(afresh, edges) < cost(draws, edges) else draws

    def take(self) -> None:
        """Something else was taken in hand: the brush has to be chosen again."""
        self._held = None

    def _take(self, region: str, mode: Mode, diameter: float) -> None:
        """A key for each of region, mode and size that is not yet in the hand."""
        wanted = (region, mode, diameter)
        before = self._held or (None, None, None)
        self.clock.key(sum(a != b for a, b in zip(wanted, before, strict=True)))
        self._held = wanted

    def _edges(self) -> tuple[float, float]:
        return self.session.grid.spacing[1], self.session.grid.spacing[2]

    def _wrong(self, region: str, mode: Mode, index: int, wanted: Mask) -> Mask:
        now = self.session.protocol.inside(self.session.codes[index], region)
        return wanted & ~now if mode is Mode.PAINT else now & ~wanted


def large_parts(mask: Mask, least: float) -> Mask:
    """The pieces of a slice's mask with at least so many voxels."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    if not count:
        return mask
    keep = np.bincount(labels.ravel()) >= least
    keep[0] = False
    kept: Mask = keep[labels]
    return kept


def largest_part(mask: Mask, least: float) -> Mask | None:
    """The largest piece of a slice's mask; None when none has at least so many voxels."""
    from scipy import ndimage

    labels, count = ndimage.label(large_parts(mask, least))
    if not count:
        return None
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == int(np.argmax(sizes)))


def middle_line(wrong: Mask, least: float) -> list[tuple[float, float]]:
    """Three points along the middle of the largest piece of error in a slice, or none."""
    from scipy import ndimage

    piece = largest_part(wrong, least)
    if piece is None:
        return []
    deep = ndimage.distance_transform_edt(np.pad(piece, 1))[1:-1, 1:-1]
    core = np.argwhere(deep >= max(1.0, 0.5 * float(deep.max())))
    spread = core - core.mean(axis=0)
    direction = np.linalg.svd(spread, full_matrices=False)[2][0]
    along = spread @ direction
    points = [core[np.argmin(np.abs(along - q))] for q in np.quantile(along, (0.1, 0.5, 0.9))]
    path = [(float(p), float(left)) for p, left in points]
    return [path[0], *(b for a, b in pairwise(path) if a != b)]
