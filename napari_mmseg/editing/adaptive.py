"""A brush that grows from the cursor to the edges inside its circle or ball.

The value under the cursor and the noise around it come from the inner part of the circle. A voxel
is taken when it differs from that value by no more than the noise, or when it is nearer to it than
to what lies a few voxels further on (half-way up an edge, however high that edge is: so a faint
border and a strong one in the same circle are both found), and when it hangs together with the
voxel under the cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import GeometryError
from .brush import Spacing, Voxel
from .edges import HALF_WIDTH, SAME_TISSUE_SHARE, Edges, box_around, find_edges, looks
from .stroke import Box, Footprint
from .tip import PlacedTip, tip_of

#: A voxel may differ by so many deviations of the (smoothed) noise.
NOISE_DEVIATIONS = 3.0

#: Noise is never taken for less than this share of the image's range: images without any noise
#: have rounding.
LEAST_NOISE_SHARE = 0.005

#: In a plane the edges are found this far ahead of the brush, so that a drag finds them once.
AHEAD_VOXELS = 12

#: A drag is covered by brushes at most this share of the radius apart.
STEP_SHARE = 0.5

#: Every so manieth voxel along each axis tells the range of an image.
_SAMPLE_STEP = 4

_EMPTY = np.zeros((0, 0, 0), dtype=bool)


class AdaptiveBrush:
    """An adaptive brush over the images of a case.

    It only reads near the circle, and remembers what it last read.

    Parameters
    ----------
    images
        The contrasts that it looks at, each (I, P, L): one, or several, then an edge in any of
        them counts.
    spacing
        Voxel edges in mm along (I, P, L).

    Raises
    ------
    GeometryError
        When there is no image, or they are not of one shape.
    """

    def __init__(self, images: Sequence[NDArray[Any]], spacing: Spacing) -> None:
        if not images:
            raise GeometryError("the adaptive brush needs an image: open one")
        if any(image.shape != images[0].shape for image in images):
            raise GeometryError("the adaptive brush needs images on one grid: align them first")
        self._images = tuple(images)
        self._shape: tuple[int, ...] = images[0].shape
        self._spacing = spacing
        self._window: _Window | None = None

    def stamp(self, centre: Voxel, diameter: float, axis: int | None) -> Footprint:
        """The brush at one voxel, cut to what hangs together with it.

        Parameters
        ----------
        centre
            Array index of the voxel under the cursor, axes (I, P, L). Outside the image the
            footprint is empty.
        diameter
            In mm.
        axis
            The axis across the plane that is painted, or None for a ball.
        """
        if any(not 0 <= i < n for i, n in zip(centre, self._shape, strict=True)):
            return Footprint(centre, _EMPTY)
        tip = tip_of(float(diameter), self._spacing, axis).at(centre, self._shape)
        taken = self._like_the_centre(tip, axis)
        taken &= tip.ball
        taken[tip.seed] = True
        if tip.is_cut or np.count_nonzero(taken) < tip.voxels:
            import cc3d

            labels = cc3d.connected_components(taken, connectivity=6)
            taken = labels == labels[tip.seed]
        return Footprint((tip.box[0].start, tip.box[1].start, tip.box[2].start), taken)

    def sweep(self, start: Voxel, end: Voxel, diameter: float, axis: int | None) -> Footprint:
        """What the brush adds on its straight way from `start`, where it has been, to `end`.

        It is put down at most half its radius apart, and looks around anew each time.
        """
        if start == end:
            return self.stamp(end, diameter, axis)
        way = [b - a for a, b in zip(start, end, strict=True)]
        length = sum((n * mm) ** 2 for n, mm in zip(way, self._spacing, strict=True)) ** 0.5
        stops = int(length / max(STEP_SHARE * diameter / 2, min(self._spacing))) + 1
        if stops == 1:
            return self.stamp(end, diameter, axis)
        places = np.rint(np.linspace(start, end, stops + 1)).astype(int).tolist()
        return _union([self.stamp((i, j, k), diameter, axis) for i, j, k in places[1:]])

    def _like_the_centre(self, tip: PlacedTip, axis: int | None) -> NDArray[np.bool_]:
        """Which voxels of a tip's box are like its centre in every image."""
        box = tip.box
        window = self._window
        if window is None or not window.holds(box, axis):
            window = self._window = self._read(box, axis)
        at = window.within(box)
        like: NDArray[np.bool_] | None = None
        for image, least in zip(window.images, self._least_noise, strict=True):
            values = image.smooth[at]
            level, noise = _mode(np.sort(values.ravel()[tip.inner]), values[tip.seed])
            band = np.float32(NOISE_DEVIATIONS * max(noise, image.noise, least))
            level32 = np.float32(level)
            not_above = values <= level32 + band
            not_above |= image.from_below[at] <= level32
            not_below = values >= level32 - band
            not_below |= image.from_above[at] >= level32
            not_above &= not_below
            if like is None:
                like = not_above
            else:
                like &= not_above
        assert like is not None  # there is an image
        return like

    def _read(self, box: Box, axis: int | None) -> _Window:
        """Smooth the images and find their edges in a box and somewhat ahead of it."""
        ahead = [0 if axis is None or i == axis else AHEAD_VOXELS for i in range(3)]
        low = [max(side.start - n, 0) for side, n in zip(box, ahead, strict=True)]
        high = [
            min(side.stop + n, size) for side, n, size in zip(box, ahead, self._shape, strict=True)
        ]
        smooth, look = looks(self._spacing, axis)
        margin = [n + (i in smooth) for i, n in enumerate(look)]
        around = box_around(
            [a - n for a, n in zip(low, margin, strict=True)],
            [b + n for b, n in zip(high, margin, strict=True)],
            self._shape,
        )
        images = [
            find_edges(image[around].astype(np.float32), smooth, look) for image in self._images
        ]
        return _Window((low[0], low[1], low[2]), (high[0], high[1], high[2]), axis, images)

    @cached_property
    def _least_noise(self) -> list[float]:
        """The noise that each image has at least, in its own units."""
        sample = (slice(None, None, _SAMPLE_STEP),) * 3
        ranges = [float(np.ptp(np.percentile(im[sample], [1.0, 99.0]))) for im in self._images]
        return [LEAST_NOISE_SHARE * width for width in ranges]


class _Window(NamedTuple):
    """What was read last: a box of the images, from `low` up to but without `high`."""

    low: Voxel
    high: Voxel
    axis: int | None
    images: list[Edges]

    def holds(self, box: Box, axis: int | None) -> bool:
        (a, b, c), (d, e, f) = self.low, self.high
        i, j, k = box
        return (
            self.axis == axis
            and (a <= i.start and b <= j.start and c <= k.start)
            and (i.stop <= d and j.stop <= e and k.stop <= f)
        )

    def within(self, box: Box) -> Box:
        (a, b, c), (i, j, k) = self.low, box
        return (
            slice(i.start - a, i.stop - a),
            slice(j.start - b, j.stop - b),
            slice(k.start - c, k.stop - c),
        )


def _mode(values: NDArray[np.float32], value: float) -> tuple[float, float]:
    """Level and deviation of the tissue that `value` belongs to, from sorted values around it.

    The shortest interval that holds `value` and a share of all values: half of them may be of
    another tissue (as the shortest half of Rousseeuw, J. Am. Stat. Assoc. 79:871, 1984, tied to
    the cursor).
    """
    count = len(values)
    span = int(count * SAME_TISSUE_SHARE)
    place = int(values.searchsorted(value))
    first, last = max(place - span, 0), min(place, count - 1 - span)
    widths = values[first + span : last + span + 1] - values[first : last + 1]
    at = first + int(widths.argmin())
    low, high = float(values[at]), float(values[at + span])
    return (low + high) / 2, (high - low) / 2 / HALF_WIDTH


def _union(stamps: list[Footprint]) -> Footprint:
    """All voxels of some footprints; those outside the image have none."""
    stamps = [stamp for stamp in stamps if stamp.mask.size]
    if not stamps:
        return Footprint((0, 0, 0), _EMPTY)
    low = np.min([stamp.corner for stamp in stamps], axis=0)
    high = np.max([np.add(stamp.corner, stamp.mask.shape) for stamp in stamps], axis=0)
    mask = np.zeros(high - low, dtype=bool)
    for corner, part in stamps:
        i, j, k = np.subtract(corner, low)
        height, width, depth = part.shape
        mask[i : i + height, j : j + width, k : k + depth] |= part
    return Footprint((int(low[0]), int(low[1]), int(low[2])), mask)
