"""How many voxels each region has, and how many were added to and taken from the proposal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..protocol import Protocol
from .patch import Patch


class Tally:
    """Counts kept up to date stroke by stroke, so that nobody counts the whole volume again.

    `table[c, p]` is the number of voxels with the code c now and the code p in the proposal.
    """

    def __init__(
        self, protocol: Protocol, codes: NDArray[np.uint8], proposal: NDArray[np.uint8]
    ) -> None:
        self._protocol = protocol
        self._kinds = protocol.highest_code + 1
        labelled = np.flatnonzero((codes | proposal).ravel())
        self.table = self._histogram(codes.ravel()[labelled], proposal.ravel()[labelled])
        self.table[0, 0] = codes.size - labelled.size

    def change(self, patch: Patch, proposal: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The codes changed by `patch` under an unchanged proposal: `[a, b]` voxels from a to b."""
        kinds = self._kinds
        # One key a voxel for (old, new, proposed), in the narrowest type: counted in one pass.
        dtype = np.min_scalar_type(kinds**3 - 1)
        key = patch.old.astype(dtype)
        for part in (patch.new, proposal[patch.box][patch.mask]):
            key *= dtype.type(kinds)
            key += part
        counts = np.bincount(key, minlength=kinds**3).reshape(kinds, kinds, kinds)
        self.table += counts.sum(axis=0)
        self.table -= counts.sum(axis=1)
        return counts.sum(axis=2)

    def voxels(self) -> dict[str, int]:
        """Voxels inside each region, its children included."""
        return {
            region.name: int(self.table[self._inside(region.name)].sum())
            for region in self._protocol.regions
        }

    def edits(self) -> dict[str, dict[str, int]]:
        """Voxels added to and removed from each region since the proposal."""
        found = {}
        for region in self._protocol.regions:
            inside = self._inside(region.name)
            found[region.name] = {
                "added": int(self.table[np.ix_(inside, ~inside)].sum()),
                "removed": int(self.table[np.ix_(~inside, inside)].sum()),
            }
        return found

    def kept(self) -> dict[str, float | None]:
        """The share of each region's proposed voxels that are still in it; None: none proposed."""
        found: dict[str, float | None] = {}
        for region in self._protocol.regions:
            inside = self._inside(region.name)
            proposed = int(self.table[:, inside].sum())
            both = int(self.table[np.ix_(inside, inside)].sum())
            found[region.name] = both / proposed if proposed else None
        return found

    def _inside(self, region: str) -> NDArray[np.bool_]:
        return self._protocol.inside_table(region)[: self._kinds]

    def _histogram(
        self, codes: NDArray[np.uint8], proposed: NDArray[np.uint8]
    ) -> NDArray[np.int64]:
        pairs = codes.astype(np.intp) * self._kinds + proposed
        counts = np.bincount(pairs, minlength=self._kinds**2).astype(np.int64)
        return counts.reshape(self._kinds, self._kinds)
