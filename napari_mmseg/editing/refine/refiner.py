"""From scribbles to strokes: features, trees, walker, and the strokes that bring the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import GeometryError
from ...grid import Grid
from ...protocol import Protocol, Region
from ..session import EditSession
from ..stroke import Box, Footprint, Mode, Stroke
from .features import feature_bank
from .samples import Evidence, draw
from .scribble import BOX_SIDES, Scribble, box_around, marked
from .trees import grow
from .walker import Links, links, walk

#: The trees are believed near the scribbles and the labels far off: by 1/e at this distance (mm).
REACH_MM = 30.0

#: How much a voxel's own belief counts beside one link of full weight: at least, and when sure.
CONFIDENCE = (0.02, 0.3)

#: The same scribbles give the same result every time.
SEED = 0


@dataclass(frozen=True, eq=False)
class Refinement:
    """What refining would change.

    Parameters
    ----------
    box
        Where it was solved; nothing outside changes, nor the outermost voxels.
    strokes
        What brings the annotation there, parents first; empty when nothing changes.
    probabilities
        By region that was solved: of being inside, (I, P, L) of the box.
    """

    box: Box
    strokes: tuple[Stroke, ...]
    probabilities: Mapping[str, NDArray[np.float32]]


class Refiner:
    """Solves regions again near scribbles; keeps the features of the box that it saw last.

    Parameters
    ----------
    grid
        The case's grid.
    protocol
        Which regions there are and how they nest.
    images
        The case's contrasts, axes (I, P, L), any scale.
    maps
        What a network says of every voxel: probabilities, feature maps; may be none.

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

    def solve(
        self, codes: NDArray[np.uint8], scribbles: Sequence[Scribble], side: int = BOX_SIDES[0]
    ) -> Refinement:
        """What the scribbles' regions would be near them; changes nothing.

        Scribbles are obeyed exactly (the later where two disagree), with what nesting makes of
        them: in ET is in TC and WT too, not in WT is not in TC either. Regions nobody scribbled on
        stay, except where nesting demands. A region grows beyond its parent only under a scribble.

        Parameters
        ----------
        codes
            The annotation as it is, axes (I, P, L).
        scribbles
            All that count, in the order in which they were drawn.
        side
            Longest side of the box, in voxels.

        Raises
        ------
        InputError
            When the scribbles lie outside, too far apart for the box, or name an unknown region.
        """
        for scribble in scribbles:
            self._protocol[scribble.region]  # raises with the names
        box = box_around(scribbles, self._grid.shape, side)
        local = codes[box]
        strokes: list[Stroke] = []
        probabilities: dict[str, NDArray[np.float32]] = {}
        solved: dict[str, NDArray[np.bool_]] = {}
        named = {scribble.region for scribble in scribbles}
        for region in self._protocol.regions:  # parents come before children
            present = self._protocol.inside(local, region.name)
            yes, no = self._said(region, scribbles, box)
            wanted = present
            if region.name in named or (yes & ~present).any():
                evidence = Evidence(yes, no, present, self._grid.spacing)
                probability = self._probability(evidence, box, codes.shape)
                probabilities[region.name] = probability
                wanted = probability >= 0.5
            if region.parent is not None:
                wanted = wanted & solved[region.parent]
            solved[region.name] = wanted
            strokes += strokes_between(region, present, wanted, box)
        return Refinement(box, tuple(strokes), probabilities)

    def _said(
        self, region: Region, scribbles: Sequence[Scribble], box: Box
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Voxels of the box that are scribbled to be in the region, and not to be."""
        above = {a.name for a in self._protocol.ancestors(region.name)}
        shape = tuple(side.stop - side.start for side in box)
        yes, no = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for scribble in scribbles:
            below = {a.name for a in self._protocol.ancestors(scribble.region)}
            if scribble.inside and region.name in below | {scribble.region}:
                here = marked([scribble], box)
                yes |= here
                no &= ~here
            # A voxel of one region is none of its siblings'.
            elif (scribble.region in above | {region.name}) != scribble.inside:
                here = marked([scribble], box)
                no |= here
                yes &= ~here
        return yes, no

    def _probability(
        self, evidence: Evidence, box: Box, shape: tuple[int, ...]
    ) -> NDArray[np.float32]:
        bank, weights = self._features(box)
        samples, inside, voices = draw(evidence, bank, np.random.default_rng(SEED))
        if inside.all() or not inside.any():
            seen = np.full(evidence.yes.shape, float(inside.all()), dtype=np.float32)
        else:
            seen = grow(samples, inside, voices * np.float32(inside.size), SEED).probability(bank)
        trust = np.exp(-((evidence.nearest() / REACH_MM) ** 2))
        prior = trust * seen + (1 - trust) * evidence.present
        known = evidence.yes | evidence.no | _rim(box, shape)
        prior = np.where(known, evidence.present, prior)
        prior[evidence.yes], prior[evidence.no] = 1.0, 0.0
        least, most = CONFIDENCE
        confidence = least + (most - least) * (2 * prior - 1) ** 2
        return walk(prior.astype(np.float32), confidence.astype(np.float32), weights, known)

    def _features(self, box: Box) -> tuple[NDArray[np.float32], Links]:
        if self._seen is None or self._seen[0] != box:
            bank = feature_bank(self._images, self._maps, box, self._grid.spacing)
            intensities = [np.asarray(image[box], dtype=np.float32) for image in self._images]
            self._seen = box, bank, links(intensities, self._grid.spacing)
        return self._seen[1], self._seen[2]


def refine(
    session: EditSession,
    refiner: Refiner,
    scribbles: Sequence[Scribble],
    side: int = BOX_SIDES[0],
) -> Refinement:
    """Solve again near the scribbles and apply it as one step of undo.

    Raises
    ------
    InputError
        As `Refiner.solve`; nothing has changed then.
    """
    result = refiner.solve(session.codes, scribbles, side)
    named = dict.fromkeys(scribble.region for scribble in scribbles)
    session.begin(f"refine {', '.join(named)}")
    for stroke in result.strokes:
        session.extend(stroke)
    session.end()
    return result


def check_images(
    grid: Grid, images: Sequence[NDArray[np.generic]], maps: Sequence[NDArray[np.generic]]
) -> None:
    """Raise a `GeometryError` when there is no image, or one that does not fit the grid."""
    if not images:
        raise GeometryError("refining needs at least one image: open the case's images")
    for one in (*images, *maps):
        if one.shape != grid.shape:
            raise GeometryError(
                f"an image of {one.shape} voxels does not fit a grid of {grid.shape}"
            )


def strokes_between(
    region: Region, present: NDArray[np.bool_], wanted: NDArray[np.bool_], box: Box
) -> list[Stroke]:
    """Erase what is too much, paint what is missing; both masks are the box's."""
    found = []
    for mode, mask in (
        (Mode.ERASE, present & ~wanted),
        (Mode.PAINT, wanted & ~present),
    ):
        if mask.any():
            corner = (box[0].start, box[1].start, box[2].start)
            found.append(Stroke(region.name, mode, Footprint(corner, mask)))
    return found


def _rim(box: Box, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The outermost voxels of the box, except where the volume itself ends."""
    rim = np.zeros([side.stop - side.start for side in box], dtype=bool)
    for axis, (side, length) in enumerate(zip(box, shape, strict=True)):
        across = np.moveaxis(rim, axis, 0)
        if side.start > 0:
            across[0] = True
        if side.stop < length:
            across[-1] = True
    return rim
