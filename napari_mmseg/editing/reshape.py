"""Bringing a region to a wanted shape by strokes.

A region only grows over background and over its parents' own compartments: never over a sibling.
Painting a child where its parent is not puts the parent there too, as nesting demands, unless it
is to stay `within_parent`. What is erased from a region is erased from its children.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..protocol import Protocol
from .session import EditSession
from .stroke import Footprint, Mode, Stroke


def open_codes(protocol: Protocol, region: str, within_parent: bool = False) -> frozenset[int]:
    """The codes that a region may grow over.

    `within_parent`: only over its parent's own compartment; a region without a parent may grow
    over background.
    """
    ancestors = protocol.ancestors(region)
    if within_parent and ancestors:
        return frozenset({ancestors[0].code})
    return frozenset({0, *(ancestor.code for ancestor in ancestors)})


def strokes_to(
    codes: NDArray[np.uint8],
    protocol: Protocol,
    region: str,
    wanted: Footprint,
    *,
    within_parent: bool = False,
) -> list[Stroke]:
    """Strokes that make a region the wanted mask in the footprint's box, and nowhere else.

    `codes` is the annotation now, axes (I, P, L).
    """
    clipped = wanted.clipped(codes.shape)
    if clipped is None:
        return []
    box, mask = clipped
    inside = protocol.inside(codes[box], region)
    low = (box[0].start, box[1].start, box[2].start)
    return [
        *painting(protocol, region, Footprint(low, mask & ~inside), within_parent=within_parent),
        *erasing(region, Footprint(low, inside & ~mask)),
    ]


def painting(
    protocol: Protocol, region: str, added: Footprint, *, within_parent: bool = False
) -> list[Stroke]:
    """The stroke that adds a footprint to a region, if there is anything to add."""
    if not added.mask.any():
        return []
    return [Stroke(region, Mode.PAINT, added, open_codes(protocol, region, within_parent))]


def erasing(region: str, removed: Footprint) -> list[Stroke]:
    """The stroke that takes a footprint out of a region, if there is anything to take."""
    return [Stroke(region, Mode.ERASE, removed)] if removed.mask.any() else []


def apply_all(session: EditSession, strokes: Iterable[Stroke], label: str) -> None:
    """Some strokes as one step of undo; none, or none that changes anything, is no step."""
    session.begin(label)
    for stroke in strokes:
        session.extend(stroke)
    session.end()
