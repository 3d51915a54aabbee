"""What each mode of a stroke does to every code, as look-up tables, and strokes through them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..protocol import Protocol, Table
from .patch import Patch
from .stroke import Mode, Stroke


class ModeTables:
    """A 256-entry table for each region and mode of a protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._tables: dict[tuple[str, Mode], Table] = {}
        for region in protocol.regions:
            name, code = region.name, region.code
            erase = protocol.erase_table(name)
            unset = np.arange(256, dtype=np.uint8)
            unset[code] = erase[code]
            self._tables[name, Mode.PAINT] = protocol.paint_table(name)
            self._tables[name, Mode.ERASE] = erase
            self._tables[name, Mode.SET] = protocol.set_table(name)
            self._tables[name, Mode.UNSET] = unset

    def of(self, region: str, mode: Mode) -> Table:
        """The table of one region and mode.

        Raises
        ------
        InputError
            When the protocol has no such region.
        """
        table = self._tables.get((region, mode))
        if table is None:
            return self._tables[self._protocol[region].name, mode]  # raises with the names
        return table


def paint(codes: NDArray[np.uint8], stroke: Stroke, table: Table) -> Patch | None:
    """Put a stroke into `codes`, in place; what it changed, or None when that is nothing."""
    found = _outcome(codes, stroke, table)
    if found is None:
        return None
    patch, new = found
    np.copyto(codes[patch.box], new, where=patch.mask)
    return patch


def outcome(codes: NDArray[np.uint8], stroke: Stroke, table: Table) -> Patch | None:
    """What `paint` would change, without doing it; None when that is nothing."""
    found = _outcome(codes, stroke, table)
    return found[0] if found is not None else None


def _outcome(
    codes: NDArray[np.uint8], stroke: Stroke, table: Table
) -> tuple[Patch, NDArray[np.uint8]] | None:
    """What a stroke changes, and what every voxel of the patch's box would become."""
    clipped = stroke.footprint.clipped(codes.shape)
    if clipped is None:
        return None
    box, mask = clipped
    old = codes[box].copy()
    new = table.take(old)  # several times faster than table[old]
    changed = new != old
    changed &= mask
    if stroke.over is not None:
        changed &= np.isin(old, list(stroke.over))
    if not changed.any():
        return None
    return Patch(box, changed, old[changed], new[changed]), new
