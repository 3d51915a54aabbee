"""What correcting an annotation cost: time at work, strokes, voxels changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..protocol import Protocol

#: A pause longer than this between two signs of activity is not counted as work (seconds).
IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class Effort:
    """What was spent on an annotation so far.

    Parameters
    ----------
    active_seconds
        Time between signs of activity, pauses beyond `IDLE_SECONDS` left out.
    strokes, undos, redos
        Steps done by hand (the results of models are none), taken back, and done again.
    changed
        `changed[a][b]` voxels went from code a to code b by hand, summed over all strokes; what
        was painted and erased again counts twice. Empty: none.
    """

    active_seconds: float = 0.0
    strokes: int = 0
    undos: int = 0
    redos: int = 0
    changed: tuple[tuple[int, ...], ...] = field(default=())

    def voxels(self, protocol: Protocol) -> dict[str, dict[str, int]]:
        """Voxels "added" and "removed" by region, children included, over all strokes."""
        kinds = protocol.highest_code + 1
        table = np.array(self.changed or np.zeros((kinds, kinds)), dtype=np.int64)
        found = {}
        for region in protocol.regions:
            inside = protocol.inside_table(region.name)[:kinds]
            found[region.name] = {
                "added": int(table[np.ix_(~inside, inside)].sum()),
                "removed": int(table[np.ix_(inside, ~inside)].sum()),
            }
        return found

    def facts(self) -> dict[str, Any]:
        """Plain values, as `of_facts` reads them."""
        return {
            "active_s": round(self.active_seconds, 3),
            "strokes": self.strokes,
            "undos": self.undos,
            "redos": self.redos,
            "changed": [list(row) for row in self.changed],
        }

    @classmethod
    def of_facts(cls, facts: dict[str, Any]) -> Effort:
        return cls(
            float(facts["active_s"]),
            int(facts["strokes"]),
            int(facts["undos"]),
            int(facts["redos"]),
            tuple(tuple(int(n) for n in row) for row in facts["changed"]),
        )


class EffortMeter:
    """Adds up the effort of one session.

    `clock` gives seconds that never run backwards.
    """

    def __init__(self, kinds: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = np.zeros((kinds, kinds), dtype=np.int64)
        self._active = 0.0
        self._strokes = self._undos = self._redos = 0
        self._last = clock()

    @property
    def effort(self) -> Effort:
        """What was spent until now."""
        changed: tuple[tuple[int, ...], ...] = ()
        if self._changed.any():
            changed = tuple(tuple(row) for row in self._changed.tolist())
        return Effort(self._active, self._strokes, self._undos, self._redos, changed)

    def go_on_from(self, effort: Effort) -> None:
        """Count on from what an earlier sitting had spent."""
        self._active = effort.active_seconds
        self._strokes, self._undos, self._redos = effort.strokes, effort.undos, effort.redos
        self._changed[...] = 0
        if effort.changed:
            self._changed[...] = effort.changed
        self._last = self._clock()

    def touch(self) -> None:
        """Somebody is at work: the time since the last sign of it counts, unless it was a pause."""
        now = self._clock()
        passed, self._last = now - self._last, now
        if passed <= IDLE_SECONDS:
            self._active += passed

    def stroke(self, transitions: NDArray[np.int64] | None) -> None:
        """One step by hand; `transitions[a, b]` voxels went from code a to b."""
        self.touch()
        self._strokes += 1
        if transitions is not None:
            self._changed += transitions

    def undo(self) -> None:
        self.touch()
        self._undos += 1

    def redo(self) -> None:
        self.touch()
        self._redos += 1
