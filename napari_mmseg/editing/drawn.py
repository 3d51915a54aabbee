"""Which slices somebody has corrected by hand."""

from __future__ import annotations

import numpy as np

from .session import EditSession
from .stroke import Change


class DrawnSlices:
    """Follows a session and remembers the slices in which something was drawn.

    What changes one slice alone was drawn in it; what changes several (a ball, a refinement, an
    interpolation) or one line of voxels tells nothing about a plane.
    """

    def __init__(self, session: EditSession) -> None:
        self._session = session
        self._found: tuple[set[int], set[int], set[int]] = (set(), set(), set())
        session.on_change.append(self._note)

    def across(self, axis: int) -> list[int]:
        """Array indices along `axis`, ascending, of those that are not as proposed (any more)."""
        codes, proposal = self._session.codes, self._session.proposal
        return [
            index
            for index in sorted(self._found[axis])
            if not np.array_equal(codes.take(index, axis), proposal.take(index, axis))
        ]

    def close(self) -> None:
        """Stop following the session."""
        if self._note in self._session.on_change:
            self._session.on_change.remove(self._note)

    def _note(self, change: Change) -> None:
        thin = [axis for axis, side in enumerate(change.box) if side.stop - side.start == 1]
        if len(thin) == 1:
            self._found[thin[0]].add(change.box[thin[0]].start)
