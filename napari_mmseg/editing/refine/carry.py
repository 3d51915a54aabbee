"""From slices that somebody has gone over to those between them: learnt from them, not only drawn.

Each region's border between two such slices is looked for near the shape interpolated from them
(signed distances: Raya and Udupa, IEEE Trans. Med. Imaging 9:32, 1990). Where exactly, trees say
that have seen in the slices gone over what the images show on both sides of the border, and how
far it lay from the shape interpolated from the *neighbouring* ones; a random walker makes their
answers hang together. So an outline is followed that no shape tells, such as a ragged rim.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...grid import Grid
from ...protocol import Protocol, Region
from ..reshape import apply_all
from ..session import EditSession
from ..stroke import Box, Stroke, bounding_box
from .boosted import boost
from .features import feature_bank
from .refiner import Refinement, check_images, strokes_between
from .shapes import Shapes, shapes_of
from .walker import Links, links, walk

#: The border lies within this distance of the interpolated shape (mm), in the plane.
BAND_MM = 8.0

#: Examples at most, drawn from the slices gone over.
EXAMPLES = 20000

#: Of the features, the last three are the position, which the shape tells better.
_POSITIONS = 3

#: How much a voxel's own belief counts beside one link of full weight: at least, and when sure.
CONFIDENCE = (0.8, 4.0)

#: The box's sides in the plane are multiples of this, so that it seldom changes (voxels).
_SIDE = 16

#: The same slices give the same result every time.
SEED = 0


class Carrier:
    """Solves all regions between slices that are right; keeps the features of its last box.

    Parameters
    ----------
    grid
        The case's grid.
    protocol
        Which regions there are and how they nest.
    images
        The case's contrasts, axes (I, P, L), any scale.
    maps
        What a network says of every voxel; may be none.

    Raises
    ------
    GeometryError
        When there is no image, or one that does not fit the grid.
    """

    def __init__(
        self,
        grid: Grid,
        protocol: Protocol,
        images: Sequence[NDArray[np.generic]],
        maps: Sequence[NDArray[np.generic]] = (),
    ) -> None:
        check_images(grid, images, maps)
        self._grid, self._protocol = grid, protocol
        self._images, self._maps = tuple(images), tuple(maps)
        self._seen: tuple[Box, NDArray[np.float32], Links] | None = None

    def solve(self, codes: NDArray[np.uint8], keys: Sequence[int], axis: int = 0) -> Refinement:
        """What lies between the slices `keys` across `axis`; changes nothing.

        All regions, nested. The slices named stay as they are, as does what lies before the first
        and after the last, and a piece of a region that lies wholly between two of them, away from
        what they show: nobody has judged it.

        Raises
        ------
        InputError
            When fewer than two slices are named, one is not in the image, or none lies between.
        """
        known = _checked(keys, codes.shape[axis])
        box = self._box(codes, known, axis)
        if box is None:
            return Refinement((slice(0, 0), slice(0, 0), slice(0, 0)), (), {})
        bank, weights = self._features(box)
        local = codes[box]
        given = np.zeros(local.shape, dtype=bool)
        np.moveaxis(given, axis, 0)[[key - box[axis].start for key in known]] = True
        strokes: list[Stroke] = []
        probabilities: dict[str, NDArray[np.float32]] = {}
        solved: dict[str, NDArray[np.bool_]] = {}
        for region in self._protocol.regions:  # parents come before children
            present = self._protocol.inside(local, region.name)
            room = self._room(region, solved, local.shape)
            shapes = shapes_of(present, known, box[axis].start, axis, self._grid.spacing)
            probability = _believed(present, shapes, given, room, bank, weights)
            wanted = np.where(given, present, probability >= 0.5)
            wanted |= shapes.unjudged(present, BAND_MM) & room
            probabilities[region.name], solved[region.name] = probability, wanted
            strokes += strokes_between(region, present, wanted, box)
        return Refinement(box, tuple(strokes), probabilities)

    def _room(
        self, region: Region, solved: dict[str, NDArray[np.bool_]], shape: tuple[int, ...]
    ) -> NDArray[np.bool_]:
        """Where a region may be: in its parent, and in none of its siblings."""
        room = np.ones(shape, dtype=bool) if region.parent is None else solved[region.parent].copy()
        for other in self._protocol.regions:
            if other.parent == region.parent and other.name in solved:
                room &= ~solved[other.name]
        return room

    def _box(self, codes: NDArray[np.uint8], keys: list[int], axis: int) -> Box | None:
        """The slices from the first key to the last, as wide as anything labelled and the band."""
        slab = [slice(None)] * 3
        slab[axis] = slice(keys[0], keys[-1] + 1)
        found = bounding_box(codes[tuple(slab)] > 0)
        if found is None:
            return None
        sides = []
        for i, (side, edge, length) in enumerate(
            zip(found, self._grid.spacing, codes.shape, strict=True)
        ):
            reach = int(np.ceil(BAND_MM / edge)) + 1
            low = max(0, side.start - reach) // _SIDE * _SIDE
            high = min(length, -(-(side.stop + reach) // _SIDE) * _SIDE)
            sides.append(slab[axis] if i == axis else slice(low, high))
        return sides[0], sides[1], sides[2]

    def _features(self, box: Box) -> tuple[NDArray[np.float32], Links]:
        if self._seen is None or self._seen[0] != box:
            bank = feature_bank(self._images, self._maps, box, self._grid.spacing)
            intensities = [np.asarray(image[box], dtype=np.float32) for image in self._images]
            self._seen = box, bank[:-_POSITIONS], links(intensities, self._grid.spacing)
        return self._seen[1], self._seen[2]


def carry(session: EditSession, carrier: Carrier, keys: Sequence[int], axis: int = 0) -> Refinement:
    """Solve between slices that are right and apply it as one step of undo.

    Raises
    ------
    InputError
        As `Carrier.solve`; nothing has changed then.
    """
    result = carrier.solve(session.codes, keys, axis)
    apply_all(session, result.strokes, "carry to the slices between")
    return result


def _believed(
    present: NDArray[np.bool_],
    shapes: Shapes,
    given: NDArray[np.bool_],
    room: NDArray[np.bool_],
    bank: NDArray[np.float32],
    weights: Links,
) -> NDArray[np.float32]:
    """The probability of being in a region; all arrays (I, P, L) but `bank` (features, I, P, L)."""
    prior = np.where(given, present, shapes.between > 0).astype(np.float32)
    prior[~room] = 0.0
    asked = (np.abs(shapes.between) < BAND_MM) & room & ~given
    examples = np.flatnonzero((np.abs(shapes.expected) < 2 * BAND_MM) & room & given)
    if examples.size > EXAMPLES:
        examples = np.random.default_rng(SEED).choice(examples, EXAMPLES, replace=False)
    inside = present.ravel()[examples]
    if not asked.any() or inside.all() or not inside.any():
        return prior
    flat = bank.reshape(len(bank), -1)
    trees = boost(_with_shape(flat[:, examples], shapes.expected.ravel()[examples]), inside, SEED)
    places = np.flatnonzero(asked)
    prior.ravel()[places] = trees.probability(
        _with_shape(flat[:, places], shapes.between.ravel()[places])
    )
    least, most = CONFIDENCE
    confidence = least + (most - least) * (2 * prior - 1) ** 2
    return walk(prior, confidence.astype(np.float32), weights, ~asked)


def _with_shape(features: NDArray[np.float32], depth: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([features, depth[None]])


def _checked(keys: Sequence[int], count: int) -> list[int]:
    known = sorted(set(keys))
    if len(known) < 2 or known[-1] - known[0] < len(known):
        raise InputError(
            "carrying on needs two slices that are right, with others between: correct another"
        )
    if known[0] < 0 or known[-1] >= count:
        raise InputError(f"slice {known[-1]} is not in the image, which has {count}: name others")
    return known
