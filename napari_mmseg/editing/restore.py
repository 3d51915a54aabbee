"""A brush that brings a region back to the proposal where it passes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..protocol import Protocol
from .stroke import Footprint, Mode, Stroke


def restoring(
    codes: NDArray[np.uint8],
    proposal: NDArray[np.uint8],
    protocol: Protocol,
    region: str,
    footprint: Footprint,
) -> tuple[Stroke, ...]:
    """Strokes that make a region what the proposal has, within a footprint.

    Painted where the proposal has the region, erased (with its children) where it has not; voxels
    that lie inside it in both keep their children. A drag extends one step of a session by the
    strokes of every place it passes.

    `codes` (the annotation now) and `proposal` have one shape, axes (I, P, L).
    """
    clipped = footprint.clipped(codes.shape)
    if clipped is None:
        return ()
    box, mask = clipped
    wanted = protocol.inside(proposal[box], region)
    wrong = mask & (wanted != protocol.inside(codes[box], region))
    low = (box[0].start, box[1].start, box[2].start)
    parts = ((Mode.PAINT, wrong & wanted), (Mode.ERASE, wrong & ~wanted))
    return tuple(Stroke(region, mode, Footprint(low, part)) for mode, part in parts if part.any())
