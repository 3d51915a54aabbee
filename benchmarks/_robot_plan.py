"""How a skilled user would draw what is missing of a region in a slice: the quickest of two ways.

To and fro with brushes, the wide ones first, each only where it fits; or around it with a narrow
brush and a click that fills the inside. Both are thought through piece by piece before the hand
moves, and cost what the model in `_robot_hand.py` says.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Path = list[tuple[float, float]]
Mask = NDArray[np.bool_]
Edges = tuple[float, float]

#: The model's operators (seconds): key of an average typist, pointing, pressing or releasing a
#: button, thinking, a straight segment and a centimetre of it drawn with the mouse.
KEY, POINT, BUTTON, THINK, SEGMENT, PER_CM = 0.28, 1.1, 0.1, 1.35, 0.9, 0.16

#: A head of 200 mm fills 40 cm of screen.
SCREEN_CM_PER_MM = 0.2

#: Diameters to choose from (mm), widest first.
BRUSHES_MM = (24.0, 12.0, 6.0, 2.0, 1.0)

#: Rows of a filled area are this share of the brush apart.
ROW_SHARE = 0.75

#: An outline is drawn with this brush, in straight segments: the longest of these (mm off the
#: curve at most) that get no more than this share of the area wrong.
OUTLINE_MM, STRAIGHT_MM, SLOPPY_SHARE = 2.0, (2.5, 1.5, 0.7), 0.03

#: A larger piece is outlined wherever it can be, without thinking of brushes (mm2).
CLEARLY_OUTLINED_MM2 = 300.0

#: A wider brush than the finest must put this share of its square right.
_WORTH = 0.3


#: Smaller places are not worth following around (voxels).
_FOLLOWED = 6

#: The quicker way may leave this share of what the other would put right to finer brushes.
_ENOUGH_SHARE = 0.6


class Draw(NamedTuple):
    """A path (P, L in voxels) of a brush of so many mm.

    `fills`: it is an outline to be filled; `back`: it does the opposite, where an outline took too
    much with it (paint for erase, erase for paint).
    """

    diameter: float
    path: Path
    fills: bool = False
    back: bool = False


def seconds_of(path: Path, edges: Edges) -> float:
    """Point, press, draw, release."""
    steps = np.linalg.norm(np.diff(np.array(path, dtype=float) * edges, axis=0), axis=1)
    drawn = len(steps) * SEGMENT + float(steps.sum()) * SCREEN_CM_PER_MM * PER_CM
    return POINT + 2 * BUTTON + drawn


def planned(wrong: Mask, may: Mask, edges: Edges, least_mm2: float) -> list[Draw]:
    """What to draw in a slice, wide brushes first, to cover `wrong` without leaving `may`.

    Each piece of at least `least_mm2` in the quicker of the two ways.
    """
    from scipy import ndimage

    pixel = edges[0] * edges[1]
    pieces, count = ndimage.label(wrong)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    draws: list[Draw] = []
    reach = int(np.ceil(BRUSHES_MM[0] / min(edges))) + 2
    for number, place in enumerate(ndimage.find_objects(pieces), start=1):
        if sizes[number] * pixel < least_mm2:
            continue
        box = tuple(
            slice(max(0, side.start - reach), min(size, side.stop + reach))
            for side, size in zip(place, wrong.shape, strict=True)
        )
        piece = pieces[box] == number
        best = _quickest(piece, may[box], edges, least_mm2)
        draws += [_moved(draw, box[0].start, box[1].start) for draw in best]
    return sorted(draws, key=lambda draw: (draw.back, -draw.diameter))


def _quickest(piece: Mask, may: Mask, edges: Edges, least_mm2: float) -> list[Draw]:
    ring = outlined(piece, may, edges, least_mm2)
    if ring and np.count_nonzero(piece) * edges[0] * edges[1] >= CLEARLY_OUTLINED_MM2:
        return ring
    ways = [way for way in (brushed(piece, may, edges, least_mm2), ring) if way]
    return min(ways, key=lambda way: cost(way, edges), default=[])


def cost(draws: list[Draw], edges: Edges) -> float:
    """Seconds: a key for each change of the brush, the strokes, and a click to fill an outline."""
    keys = len(list(groupby(draws, key=lambda draw: draw.diameter)))
    fills = sum(draw.fills for draw in draws)
    strokes = sum(seconds_of(draw.path, edges) for draw in draws)
    return keys * KEY + strokes + fills * (KEY + POINT + 2 * BUTTON)


def brushed(piece: Mask, may: Mask, edges: Edges, least_mm2: float) -> list[Draw]:
    """To and fro, each brush where it fits and is worth it."""
    from scipy import ndimage

    pixel = edges[0] * edges[1]
    room = _depth(may, edges)
    left = piece.copy()
    draws: list[Draw] = []
    for diameter in BRUSHES_MM:
        if np.count_nonzero(left) * pixel < least_mm2:
            break
        # Half a voxel is left to the border, since the hand misses both ways.
        fits = room >= diameter / 2 + 0.5 * min(edges)
        near = fits & (_depth(~left, edges) <= diameter / 2)
        if not near.any():
            continue
        places, count = ndimage.label(near, np.ones((3, 3)))
        for number in range(1, count + 1):
            worth = _WORTH * diameter**2 if diameter > BRUSHES_MM[-1] else 0.0
            best = _best_path(places == number, left, diameter, edges)
            if best is None or np.count_nonzero(best[1]) * pixel < max(least_mm2, worth):
                continue
            draws.append(Draw(diameter, best[0]))
            left &= ~best[1]
    return draws


def _best_path(place: Mask, left: Mask, diameter: float, edges: Edges) -> tuple[Path, Mask] | None:
    """The way over a place that puts the most right in a second, and what it puts right.

    To and fro, or once around: so a thin strip or a ring is followed, not hatched.
    """
    ways = [rows(place, max(1.0, ROW_SHARE * diameter / min(edges)))]
    if np.count_nonzero(place) >= _FOLLOWED:
        ways += [_straightened(curve, edges) for curve in _contours(place)[:1]]
    found = []
    for way in ways:
        covered = (_depth(~_line(way, place.shape), edges) <= diameter / 2) & left
        found.append((np.count_nonzero(covered), way, covered))
    most = max(gain for gain, _, _ in found)
    if not most:
        return None
    _, way, covered = max(
        (one for one in found if one[0] >= _ENOUGH_SHARE * most),
        key=lambda one: one[0] / seconds_of(one[1], edges),
    )
    return way, covered


def outlined(piece: Mask, may: Mask, edges: Edges, least_mm2: float) -> list[Draw]:
    """Around a piece, just inside its border, and its holes back; nothing where it is too thin."""
    from scipy import ndimage

    whole = ndimage.binary_fill_holes(piece)
    contours = _contours(_depth(whole, edges) > OUTLINE_MM / 2)
    if len(contours) != 1:
        return []
    path = _straightened(contours[0], edges, whole)
    taken = whole & ~may
    back = planned(taken, ~may, edges, least_mm2) if taken.any() else []
    return [Draw(OUTLINE_MM, path, fills=True), *(draw._replace(back=True) for draw in back)]


def _contours(mask: Mask) -> list[NDArray[np.float64]]:
    """Closed curves (points, P and L in voxels) around a mask, the longest first."""
    from skimage.measure import find_contours

    curves = [curve - 1.0 for curve in find_contours(np.pad(mask, 1).astype(float), 0.5)]
    return sorted(curves, key=len, reverse=True)


def _straightened(curve: NDArray[np.float64], edges: Edges, area: Mask | None = None) -> Path:
    """A curve in few segments; of an outline just inside an `area`, as few as keep its shape."""
    from skimage.draw import polygon2mask
    from skimage.measure import approximate_polygon

    inner = None if area is None else polygon2mask(area.shape, curve)
    points = curve
    for off_mm in STRAIGHT_MM if area is not None else STRAIGHT_MM[-1:]:
        points = approximate_polygon(curve, off_mm / min(edges))
        if inner is None or len(points) < 4:
            continue
        wrong = np.count_nonzero(polygon2mask(inner.shape, points) != inner)
        if wrong <= SLOPPY_SHARE * np.count_nonzero(area):
            break
    return [(float(p), float(left)) for p, left in points]


def _line(path: Path, shape: tuple[int, ...]) -> Mask:
    """The voxels under a path."""
    mask = np.zeros(shape, dtype=bool)
    points = np.array(path if len(path) > 1 else path * 2)
    for start, end in pairwise(points):
        count = int(np.ceil(np.abs(end - start).max())) + 1
        where = np.rint(np.linspace(start, end, count + 1)).astype(int)
        where = np.clip(where, 0, np.array(shape) - 1)
        mask[where[:, 0], where[:, 1]] = True
    return mask


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


def _depth(mask: Mask, edges: Edges) -> NDArray[np.float32]:
    """Distance of each voxel of a mask to the nearest outside it (mm); the slice's end is none."""
    import edt

    found: NDArray[np.float32] = edt.edt(
        np.ascontiguousarray(mask), anisotropy=edges, black_border=False, parallel=1
    )
    return found


def _moved(draw: Draw, down: int, right: int) -> Draw:
    return draw._replace(path=[(p + down, left + right) for p, left in draw.path])
