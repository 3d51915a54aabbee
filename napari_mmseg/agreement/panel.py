"""What several raters said of one case: their codes side by side, cut to where anybody marked.

Outside the box all raters agree that there is nothing, so whatever is counted over voxels is
counted inside it: a tumour's box is a twentieth of a BraTS image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from ..errors import InputError
from ..grid import Grid
from ..protocol import Protocol
from ..volume import SourceSpace
from .comparable import check_comparable
from .surfaces import Box, Mask, bounding_box, distance_to

#: How far around what anybody marked voxels count as background that a rater left out (mm): the
#: prior of STAPLE and every specificity rest on it. Over the whole image both would say how much
#: air there is around the head; over the marks alone nobody could be right to leave a voxel out.
NEIGHBOURHOOD_MM = 5.0

#: Votes are counted in a byte.
MOST_RATERS = 255

#: Distances come as float32: what is this share above the margin is within it.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Panel:
    """Several raters of one case.

    Parameters
    ----------
    names
        The raters, in the order given.
    codes
        Axes (rater, I, P, L): each rater's codes inside `box`.
    box
        Slices of the whole image that hold every mark and `NEIGHBOURHOOD_MM` around it.
    grid, protocol, source
        Of the first rater; the others lie on the same voxels and name the same regions.
    """

    names: tuple[str, ...]
    codes: NDArray[np.uint8]
    box: Box
    grid: Grid
    protocol: Protocol
    source: SourceSpace

    def says(self, region: str) -> NDArray[np.bool_]:
        """Who says that a voxel lies inside the region; axes (rater, I, P, L), inside the box."""
        return _inside(self.codes, self.protocol, region)

    def votes(self, region: str) -> NDArray[np.uint8]:
        """How many raters say that a voxel lies inside the region; axes (I, P, L), in the box."""
        found = np.zeros(self.codes.shape[1:], dtype=np.uint8)
        for codes in self.codes:
            found += _inside(codes, self.protocol, region).view(np.uint8)
        return found

    def whole(self, part: NDArray[Any]) -> NDArray[Any]:
        """An array of the whole image that is `part` in the box and 0 elsewhere."""
        found = np.zeros(self.grid.shape, dtype=part.dtype)
        found[self.box] = part
        return found

    def neighbourhood(self, marked: Mask) -> Mask:
        """What anybody marked and all voxels up to `NEIGHBOURHOOD_MM` around it, in the box."""
        if not marked.any():
            return np.zeros_like(marked)
        return distance_to(marked, self.grid.spacing) <= NEIGHBOURHOOD_MM * (1 + _ROUNDING)


def panel_of(annotations: Mapping[str, Annotation]) -> Panel:
    """The annotations of one case by rater, put side by side.

    Raises
    ------
    InputError
        When there is none or too many, or they follow different protocols.
    GeometryError
        When their voxels do not lie in the same places.
    """
    if not annotations:
        raise InputError("there is no annotation to compare: name at least one")
    if len(annotations) > MOST_RATERS:
        raise InputError(
            f"{len(annotations)} annotations are more than the {MOST_RATERS} that can be compared "
            "at once: leave some out"
        )
    names = tuple(annotations)
    first = annotations[names[0]]
    for name in names[1:]:
        check_comparable(annotations[name], first, (name, names[0]))
    marked = np.zeros(first.grid.shape, dtype=np.uint8)
    for annotation in annotations.values():
        marked |= annotation.codes
    box = _box(marked.astype(bool), first.grid.spacing)
    return Panel(
        names=names,
        codes=np.stack([annotation.codes[box] for annotation in annotations.values()]),
        box=box,
        grid=first.grid,
        protocol=first.protocol,
        source=first.source,
    )


def codes_sha256(annotation: Annotation) -> str:
    """SHA-256 of an annotation's codes, axes (I, P, L) in C order: which voxels were meant."""
    return hashlib.sha256(np.ascontiguousarray(annotation.codes).data).hexdigest()


def sources_of(annotations: Mapping[str, Annotation]) -> dict[str, str]:
    """Rater to the SHA-256 of their codes, as a provenance names its sources."""
    return {name: codes_sha256(annotation) for name, annotation in annotations.items()}


def check_made_from(annotations: Mapping[str, Annotation], consensus: Annotation) -> None:
    """Refuse the consensus of another case, or of other labels of this one.

    Raises
    ------
    InputError, GeometryError
        When it does not belong to the annotations.
    """
    name, first = next(iter(annotations.items()))
    check_comparable(consensus, first, ("the consensus", name))
    told = consensus.provenance.sources
    if told and dict(told) != sources_of(annotations):
        raise InputError("the consensus was made from other labels than these: make it again")


def _inside(codes: NDArray[np.uint8], protocol: Protocol, region: str) -> NDArray[np.bool_]:
    # Comparisons are ten times as fast as looking each voxel up in the table.
    found = np.zeros(codes.shape, dtype=np.bool_)
    for code in np.flatnonzero(protocol.inside_table(region)):
        found |= codes == code
    return found


def _box(marked: Mask, spacing: tuple[float, float, float]) -> Box:
    if not marked.any():
        return slice(0, 1), slice(0, 1), slice(0, 1)
    tight = bounding_box(marked)
    margins = [int(np.ceil(NEIGHBOURHOOD_MM / mm)) for mm in spacing]
    grown = [
        slice(max(side.start - margin, 0), min(side.stop + margin, size))
        for side, margin, size in zip(tight, margins, marked.shape, strict=True)
    ]
    return grown[0], grown[1], grown[2]
