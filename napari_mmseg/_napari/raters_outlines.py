"""Where the outlines of several raters run in the slices of a plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Raters that fit into the bits of a voxel.
MOST_MASKS = 32

#: Where raters share an outline their colours take turns, each for so many voxels.
DASH_VOXELS = 2

Bits = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges between the voxels of a slice, each with the raters whose outline runs there.

    Parameters
    ----------
    start, axis
        One end of each edge, in voxels from the centre of the first one, (N, 3) in (I, P, L);
        and the array axis along which it runs for the length of one voxel, (N,).
    raters
        Bit `r` says that rater `r` has the edge, (N,).
    """

    start: NDArray[np.float32]
    axis: NDArray[np.uint8]
    raters: Bits

    def __len__(self) -> int:
        return len(self.axis)

    def turns(self) -> NDArray[np.intp]:
        """The rater whose turn it is on each edge, so that shared outlines show all colours."""
        count = np.bitwise_count(self.raters).astype(np.intp)
        along = (np.floor(self.start.sum(axis=1)) // DASH_VOXELS).astype(np.intp)
        wanted = np.mod(along, np.maximum(count, 1))
        found = np.zeros(len(self), dtype=np.intp)
        seen = np.zeros(len(self), dtype=np.intp)
        for rater in range(MOST_MASKS):
            has = self.of(rater)
            found[has & (seen == wanted)] = rater
            seen += has
        return found

    def of(self, rater: int) -> NDArray[np.bool_]:
        """Which edges belong to the outline of a rater."""
        return (self.raters >> np.uint32(rater)) & np.uint32(1) == 1


@dataclass(frozen=True, eq=False)
class Outlines:
    """The edges of all slices across an axis of the array."""

    across: int
    slices: Mapping[int, Edges]

    def at(self, index: int) -> Edges:
        """The edges in one slice; none where nobody has labelled anything."""
        return self.slices.get(index, _NONE)


_NONE = Edges(np.zeros((0, 3), np.float32), np.zeros(0, np.uint8), np.zeros(0, np.uint32))


def who_says_so(masks: Sequence[NDArray[np.bool_]]) -> Bits:
    """One bit a mask: bit `r` of a voxel is that of `masks[r]`; same axes as the masks.

    Raises
    ------
    ValueError
        When there are more masks than bits.
    """
    if not 0 < len(masks) <= MOST_MASKS:
        raise ValueError(f"one to {MOST_MASKS} masks fit into a voxel, not {len(masks)}")
    bits = np.zeros(masks[0].shape, dtype=np.uint32)
    for number, mask in enumerate(masks):
        bits |= mask.astype(np.uint32) << np.uint32(number)
    return bits


def outlines(bits: Bits, across: int, corner: tuple[int, int, int] = (0, 0, 0)) -> Outlines:
    """The outlines of every rater in all slices across an axis.

    Parameters
    ----------
    bits
        What `who_says_so` gives, axes (I, P, L).
    across
        The array axis across the slices.
    corner
        Where the first voxel of `bits` lies in the image.
    """
    if not bits.any():
        return Outlines(across, {})
    first = np.array(corner, dtype=np.float32) - 1
    framed = np.pad(bits, 1)
    starts, axes, raters = [], [], []
    for step in (axis for axis in range(3) if axis != across):
        runs = 3 - across - step  # the edge between neighbours along `step` runs along the other
        behind = tuple(slice(1, None) if axis == step else slice(None) for axis in range(3))
        before = tuple(slice(None, -1) if axis == step else slice(None) for axis in range(3))
        differs = framed[behind] ^ framed[before]
        at = np.nonzero(differs)
        start = np.stack(at, axis=1).astype(np.float32) + first
        start[:, step] += 0.5
        start[:, runs] -= 0.5
        starts.append(start)
        axes.append(np.full(len(start), runs, dtype=np.uint8))
        raters.append(differs[at])
    start, axis, who = np.concatenate(starts), np.concatenate(axes), np.concatenate(raters)
    order = np.argsort(start[:, across], kind="stable")
    start, axis, who = start[order], axis[order], who[order]
    indices, firsts = np.unique(start[:, across].astype(np.intp), return_index=True)
    ends = [*firsts[1:].tolist(), len(start)]
    return Outlines(
        across,
        {
            int(index): Edges(start[first:end], axis[first:end], who[first:end])
            for index, first, end in zip(indices, firsts.tolist(), ends, strict=True)
        },
    )
