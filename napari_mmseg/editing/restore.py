"""A brush that brings a region, or all of them, back to the proposal where it passes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..protocol import Protocol
from .stroke import Footprint, Mode, Stroke


def restoring(
    codes: NDArray[np.uint8],
    proposal: NDArray[np.uint8],
    protocol: Protocol,
    region: str | None,
    footprint: Footprint,
) -> tuple[Stroke, ...]:
    """Strokes that make a region what the proposal has, within a footprint.

    Painted where the proposal has the region, erased (with its children) where it has not; voxels
    that lie inside it in both keep their children. A drag extends one step of a session by the
    strokes of every place it passes. Without a `region`, all regions become what the proposal has.

    `codes` (the annotation now) and `proposal` have one shape, axes (I, P, L).
    """
    clipped = footprint.clipped(codes.shape)
    if clipped is None:
        return ()
    box, mask = clipped
    low = (box[0].start, box[1].start, box[2].start)
    if region is None:
        parts = _all_parts(codes[box], proposal[box], protocol, mask)
    else:
        wanted = protocol.inside(proposal[box], region)
        wrong = mask & (wanted != protocol.inside(codes[box], region))
        parts = [(region, Mode.PAINT, wrong & wanted), (region, Mode.ERASE, wrong & ~wanted)]
    return tuple(
        Stroke(name, mode, Footprint(low, part)) for name, mode, part in parts if part.any()
    )


def _all_parts(
    codes: NDArray[np.uint8],
    proposal: NDArray[np.uint8],
    protocol: Protocol,
    mask: NDArray[np.bool_],
) -> list[tuple[str, Mode, NDArray[np.bool_]]]:
    """What brings each voxel of a mask to exactly the compartment that the proposal has."""
    wrong = mask & (codes != proposal)
    emptied = wrong & (proposal == 0)
    roots = [region.name for region in protocol.regions if region.parent is None]
    return [
        *(
            (region.name, Mode.SET, wrong & (proposal == region.code))
            for region in protocol.regions
        ),
        *((name, Mode.ERASE, emptied & protocol.inside(codes, name)) for name in roots),
    ]
