"""A reversible change of some voxels: what undo and redo are made of."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .stroke import Box, bounding_box

#: Smaller patches are kept as they are: compressing them costs more than the stroke did (bytes).
COMPRESS_FROM_BYTES = 64 * 1024

_FAST = 1  # zlib level: labels compress some 50-fold at any level


class Patch(NamedTuple):
    """Voxels in a box, before and after.

    `mask` has the shape of `box`; `old` and `new` are the codes at its true voxels, in C order.
    """

    box: Box
    mask: NDArray[np.bool_]
    old: NDArray[np.uint8]
    new: NDArray[np.uint8]

    def reversed(self) -> Patch:
        return Patch(self.box, self.mask, self.new, self.old)

    def transitions(self, highest: int) -> NDArray[np.int64]:
        """`[a, b]` voxels go from code a to code b; codes are at most `highest`."""
        kinds = highest + 1
        pairs = self.old.astype(np.intp) * kinds + self.new
        counts = np.bincount(pairs, minlength=kinds**2).astype(np.int64)
        return counts.reshape(kinds, kinds)

    def write(self, codes: NDArray[np.uint8]) -> None:
        """Put the codes after the change into `codes`, in place."""
        codes[self.box][self.mask] = self.new


def difference(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Patch | None:
    """The patch that turns `before` into `after` (same shape), or None when they are equal."""
    mask = before != after
    box = bounding_box(mask)
    if box is None:
        return None
    mask = np.ascontiguousarray(mask[box])
    return Patch(box, mask, before[box][mask], after[box][mask])


def merged(parts: Sequence[Patch]) -> Patch | None:
    """One patch with the effect of all `parts` one after the other, or None when there is none."""
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    sides = [
        slice(min(part.box[i].start for part in parts), max(part.box[i].stop for part in parts))
        for i in range(3)
    ]
    box = (sides[0], sides[1], sides[2])
    shape = tuple(side.stop - side.start for side in box)
    seen = np.zeros(shape, dtype=bool)
    old, new = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint8)
    for part in parts:
        at = tuple(
            slice(mine.start - all_.start, mine.stop - all_.start)
            for mine, all_ in zip(part.box, box, strict=True)
        )
        new[at][part.mask] = part.new
        first = part.mask & ~seen[at]
        old[at][first] = part.old[first[part.mask]]
        seen[at] |= part.mask
    seen &= old != new
    if not seen.any():
        return None
    return Patch(box, seen, old[seen], new[seen])


@dataclass(frozen=True, eq=False)
class PackedPatch:
    """A patch in a few bytes."""

    box: Box
    count: int
    data: bytes
    compressed: bool

    @classmethod
    def of(cls, patch: Patch) -> PackedPatch:
        data = np.packbits(patch.mask).tobytes() + _squeezed(patch.old) + _squeezed(patch.new)
        compressed = len(data) >= COMPRESS_FROM_BYTES
        return cls(
            patch.box,
            patch.old.size,
            zlib.compress(data, _FAST) if compressed else data,
            compressed,
        )

    @property
    def nbytes(self) -> int:
        return len(self.data)

    def patch(self) -> Patch:
        data = np.frombuffer(
            zlib.decompress(self.data) if self.compressed else self.data, dtype=np.uint8
        )
        shape = tuple(side.stop - side.start for side in self.box)
        voxels = int(np.prod(shape))
        bits = (voxels + 7) // 8
        mask = np.unpackbits(data[:bits], count=voxels).view(bool).reshape(shape)
        old, rest = _spread(data[bits:], self.count)
        new, _ = _spread(rest, self.count)
        return Patch(self.box, mask, old, new)


def packed(patch: Patch | None) -> PackedPatch | None:
    return PackedPatch.of(patch) if patch is not None else None


def joined(first: PackedPatch | None, then: Patch | None) -> Patch | None:
    """One patch with the effect of both, or None when there is none."""
    parts = [first.patch()] if first is not None else []
    return merged([*parts, then] if then is not None else parts)


def _squeezed(codes: NDArray[np.uint8]) -> bytes:
    """A flag and the codes; one code alone when all are the same, as in most strokes."""
    if codes.size and (codes == codes[0]).all():
        return bytes((1, int(codes[0])))
    return b"\0" + codes.tobytes()


def _spread(data: NDArray[np.uint8], count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The codes that `_squeezed` wrote and what follows them."""
    if data[0]:
        return np.full(count, data[1], dtype=np.uint8), data[2:]
    return data[1 : 1 + count], data[1 + count :]
