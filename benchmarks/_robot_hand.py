"""A simulated hand: what its acts cost, and where they land.

Time is the keystroke-level model's (Card, Moran & Newell, Communications of the ACM 23, 1980),
drawing included. The hand misses by a share of the brush's width, as effective widths do in
Fitts's law (4.13 standard deviations), here half of the brush: 0.3 mm with the finest brushes on an
enlarged slice, 2 mm with the widest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.editing import AdaptiveBrush, EditSession, Footprint, Mode, Stroke, sweep

#: The model's operators (seconds): key of an average typist, pointing, pressing or releasing a
#: button, thinking, a straight segment and a centimetre of it drawn with the mouse.
KEY, POINT, BUTTON, THINK, SEGMENT, PER_CM = 0.28, 1.1, 0.1, 1.35, 0.9, 0.16

#: What a refinement makes the user wait for (seconds): the limit it is held to, not a measurement.
WAIT_REFINE = 0.5

#: A head of 200 mm fills 40 cm of screen.
SCREEN_CM_PER_MM = 0.2

#: Diameters to choose from (mm), widest first.
BRUSHES_MM = (24.0, 12.0, 6.0, 2.0, 1.0)

MISS_SHARE, MISS_MM = 1 / (2 * 4.133), (0.3, 2.0)

#: Rows of a filled area are this share of the brush apart; the hand misses anew so often (mm).
ROW_SHARE, WOBBLE_MM = 0.75, 6.0

Path = list[tuple[float, float]]
Mask = NDArray[np.bool_]


@dataclass
class Clock:
    """Adds up acts by kind; `seconds` is the simulated time."""

    by_kind: dict[str, float] = field(default_factory=dict)
    strokes: int = 0
    keys: int = 0

    @property
    def seconds(self) -> float:
        return sum(self.by_kind.values())

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

    def _add(self, kind: str, seconds: float) -> None:
        self.by_kind[kind] = self.by_kind.get(kind, 0.0) + seconds


class Hand:
    """Draws in one axial slice at a time, through the session's public methods."""

    def __init__(self, session: EditSession, clock: Clock, seed: int) -> None:
        self.session, self.clock = session, clock
        self._rng = np.random.default_rng(seed)

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

    def seconds_to_paint(self, piece: Mask) -> float:
        """About what filling a piece of a slice (P, L) with the widest brush in it would take."""
        from scipy import ndimage

        spacing = self.session.grid.spacing[1:]
        deep = float(ndimage.distance_transform_edt(np.pad(piece, 1), spacing).max())
        diameter = next((mm for mm in BRUSHES_MM if mm <= 2 * deep), BRUSHES_MM[-1])
        way = np.array(rows(piece, max(1.0, ROW_SHARE * diameter / min(spacing)))) * spacing
        steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
        drawn = len(steps) * SEGMENT + float(steps.sum()) * SCREEN_CM_PER_MM * PER_CM
        return KEY + POINT + 2 * BUTTON + drawn

    def correct(self, region: str, mode: Mode, index: int, wanted: Mask, least_mm2: float) -> None:
        """Paint what is missing of the region in a slice, or erase what is too much.

        `wanted` (P, L) is where the user sees the region. Wide brushes first, each only where it
        fits; nothing is done about less than `least_mm2` in one piece.
        """
        from scipy import ndimage

        spacing = self.session.grid.spacing[1:]
        may = wanted if mode is Mode.PAINT else ~wanted
        room = ndimage.distance_transform_edt(np.pad(may, 1, mode="edge"), spacing)[1:-1, 1:-1]
        chosen = False
        for diameter in BRUSHES_MM:
            wrong = self._wrong(region, mode, index, wanted)
            wrong = large_parts(wrong, least_mm2 / (spacing[0] * spacing[1]))
            if not wrong.any():
                return
            # Half a voxel is left to the border, since the hand misses both ways.
            fits = room >= diameter / 2 + 0.5 * min(spacing)
            near = ndimage.distance_transform_edt(~wrong, spacing) <= diameter / 2
            pieces, count = ndimage.label(fits & near, np.ones((3, 3)))
            for number in range(1, count + 1):
                piece = pieces == number
                reach = ndimage.distance_transform_edt(~piece, spacing) <= diameter / 2
                gained = np.count_nonzero(reach & wrong) * spacing[0] * spacing[1]
                if gained < max(least_mm2, 0.3 * diameter**2 if diameter > BRUSHES_MM[-1] else 0):
                    continue
                if not chosen:
                    self.clock.key(2)  # the region and what to do with it
                    chosen = True
                self.clock.key()  # the brush's size
                path = rows(piece, max(1.0, ROW_SHARE * diameter / min(spacing)))
                stroke = Stroke(region, mode, self.draw(path, index, diameter))
                self.session.apply(stroke)

    def _wrong(self, region: str, mode: Mode, index: int, wanted: Mask) -> Mask:
        now = self.session.protocol.inside(self.session.codes[index], region)
        return wanted & ~now if mode is Mode.PAINT else now & ~wanted


def rows(piece: Mask, step: float) -> Path:
    """A way to and fro over a piece (P, L), along its longer side, with rows `step` apart."""
    where = np.argwhere(piece)
    turned = np.ptp(where[:, 1]) < np.ptp(where[:, 0])
    across, along = (where[:, 1], where[:, 0]) if turned else (where[:, 0], where[:, 1])
    low, high = int(across.min()), int(across.max())
    count = max(1, round((high - low) / step) + (high > low))
    path: Path = []
    for number, row in enumerate(np.rint(np.linspace(low, high, count)).astype(int)):
        if count == 1:
            row = round(float(np.median(across)))
        line = np.sort(along[across == row])
        if not line.size:
            continue
        ends = [float(line[0]), float(line[-1])][:: 1 if number % 2 == 0 else -1]
        for end in ends if ends[0] != ends[1] else ends[:1]:
            path.append((end, float(row)) if turned else (float(row), end))
    return path


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
