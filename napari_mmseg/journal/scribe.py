"""Turns the acts of a session into rows, and keeps a copy of its voxels for snapshots."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..editing.act import Act, Deed
from ..editing.effort import Effort
from ..editing.history import Origin, Step
from ..editing.ticks import Ticks
from .codec import pack_origin, pack_step, pack_ticks, pack_volumes
from .header import Header
from .replay import Entry, Work, apply_entry
from .schema import PAD_BYTES, Row

#: A full copy of the labels is written after so many acts: at most so many are replayed when the
#: file is opened, and at most so many are joined behind a hole in a damaged one.
SNAPSHOT_EVERY = 250

_PADS = 2


class Scribe:
    """Writes down what one session does. Used in the writer's thread only.

    Parameters
    ----------
    header
        Of a new file; a file that is gone on with keeps its own.
    codes, proposal, origin
        What the session holds at the moment: copies, which are the scribe's from now on.
    work
        What is in the file already, when it is gone on with.
    """

    def __init__(
        self,
        header: Header,
        codes: NDArray[np.uint8],
        proposal: NDArray[np.uint8],
        origin: Origin,
        effort: Effort,
        first_state: int,
        work: Work | None = None,
    ) -> None:
        self._header = work.header if work is not None else header
        self._codes, self._proposal = codes, proposal
        self._origin = origin
        self._effort = effort
        self._newest: Step | None = None
        self._since_snapshot = 0
        self._seq = 0
        self._steps: dict[int, int] = {first_state: 0}
        # The origins themselves are kept too, so that no other can get the id of one that is gone.
        self._origins: dict[int, tuple[Origin, int]] = {}
        if work is not None:
            self._seq = work.last_seq
            self._steps.update(work.step_rows)
            self._origins = {id(o): (o, seq) for o, seq in work.origin_rows}
            self._since_snapshot = len(work.entries) % SNAPSHOT_EVERY

    @property
    def last_number(self) -> int:
        """The number of the last row made."""
        return self._seq

    def beginning(self, at: float) -> list[Row]:
        """The first rows of a new file; none for one that is gone on with."""
        if self._seq:
            return []
        rows = [self._copy("base", at)]
        rows += [self._row("pad", at, {}, b"\0" * PAD_BYTES) for _ in range(_PADS)]
        self._origins[id(self._origin)] = (self._origin, 1)
        if self._origin.file_codes is not None:  # too large to be in every copy
            facts, data = pack_origin(self._origin)
            rows.append(self._row("origin", at, {**facts, "first": True}, data))
        return rows

    def rows_of(self, act: Act, at: float) -> list[Row]:
        """What an act adds to the file."""
        rows = self.beginning(at)
        self._effort = act.effort
        if act.deed is Deed.MARK:
            rows.append(self._act_row("mark", at, {"step": self._steps.get(act.state, -1)}))
            return rows
        step = act.step
        assert step is not None
        if act.deed in (Deed.STEP, Deed.AMEND):
            facts, data = pack_step(step)
            facts["before"] = self._origin_row(step.before, at, rows)
            facts["after"] = self._origin_row(step.after, at, rows)
            rows.append(self._act_row(act.deed, at, facts, data))
            self._steps[step.state] = self._seq
        else:
            rows.append(self._act_row(act.deed, at, {"step": self._steps[step.state]}))
        self._follow(act, step)
        self._since_snapshot += 1
        if self._since_snapshot >= SNAPSHOT_EVERY:
            self._since_snapshot = 0
            rows.append(self._copy("snapshot", at))
        return rows

    def effort_row(self, effort: Effort, at: float) -> list[Row]:
        """Time at work since the last act; nothing for a file that has not begun."""
        if not self._seq or effort == self._effort:
            return []
        self._effort = effort
        return [self._act_row("effort", at, {})]

    def ticks_rows(self, ticks: Ticks, at: float) -> list[Row]:
        """All lesions that are accepted now; the file begins with them when it has not begun."""
        rows = self.beginning(at)
        rows.append(self._act_row("ticks", at, *pack_ticks(ticks)))
        return rows

    def _follow(self, act: Act, step: Step) -> None:
        replaced = self._newest if act.deed is Deed.AMEND else None
        entry = Entry(self._seq, 0.0, act.deed, step, act.effort, replaced)
        apply_entry(entry, self._codes, self._proposal)
        self._newest = step if act.deed in (Deed.STEP, Deed.AMEND) else None
        self._origin = step.before if act.deed is Deed.UNDO else step.after

    def _origin_row(self, origin: Origin, at: float, rows: list[Row]) -> int:
        """The row that tells of an origin, made when it is not there."""
        known = self._origins.get(id(origin))
        if known is None:
            rows.append(self._row("origin", at, *pack_origin(origin)))
            known = self._origins[id(origin)] = (origin, self._seq)
        return known[1]

    def _copy(self, kind: str, at: float) -> Row:
        volumes, data = pack_volumes(self._codes, self._proposal)
        origin, _ = pack_origin(Origin(self._origin.author, self._origin.provenance, None))
        facts = {
            "header": self._header.facts(),
            "origin": origin,
            "volumes": volumes,
            "effort": self._effort.facts(),
        }
        return self._row(kind, at, facts, data)

    def _act_row(self, kind: str, at: float, facts: dict[str, Any], data: bytes = b"") -> Row:
        return self._row(kind, at, {**facts, "effort": self._effort.facts()}, data)

    def _row(self, kind: str, at: float, facts: dict[str, Any], data: bytes = b"") -> Row:
        self._seq += 1
        return Row.of(self._seq, str(kind), at, facts, data)
