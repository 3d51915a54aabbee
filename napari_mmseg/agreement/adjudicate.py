"""Settle disputes one by one: every decision is logged, can be undone and replayed.

An adjudication starts from a consensus (the majority, unless another is given): what is not
decided stays as that has it. A decision takes one side's word about one region in one dispute's
voxels, through the protocol's tables: what is painted in is in all parents too, what is erased
leaves all children too, so that nesting always holds. Disputes about a parent and a child overlap;
the later decision has the last word. Nothing here writes to the raters' annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation, Provenance
from ..errors import InputError
from .consensus import consensus as fuse
from .decisions import Decision, Record, Taken, Undo, counted, paint_runs, runs_of
from .disputes import Dispute, disputes_of
from .panel import check_made_from, panel_of, sources_of
from .surfaces import Mask


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, eq=False)
class _Step:
    """A decision in force, and what takes it back: flat indices and the codes before."""

    decision: Decision
    index: NDArray[np.int64]
    before: NDArray[np.uint8]


class Adjudication:
    """The disputes of one case and what was decided about them.

    Parameters
    ----------
    annotations
        By rater, as for `disputes`.
    name
        The adjudicator's pseudonym.
    consensus
        What to start from, and what `take_consensus` takes; the majority when None.
    tolerance_mm
        Which differences are disputes, as for `disputes`.
    clock
        Tells the time in UTC.

    Raises
    ------
    InputError, GeometryError
        As `panel.panel_of`; also when the consensus does not belong to the annotations.
    """

    def __init__(
        self,
        annotations: Mapping[str, Annotation],
        *,
        name: str = "adjudicator",
        consensus: Annotation | None = None,
        tolerance_mm: float = 0.0,
        clock: Callable[[], str] = now,
    ) -> None:
        if not name.strip():
            raise InputError("an adjudication needs a name for who decides: give a pseudonym")
        panel = panel_of(annotations)
        if consensus is not None:
            check_made_from(annotations, consensus)
        self.name = name.strip()
        self.protocol = panel.protocol
        self.tolerance_mm = tolerance_mm
        self.disputes = disputes_of(panel, tolerance_mm)
        self.consensus_source = sources_of({consensus.author: consensus}) if consensus else {}
        self._by_key = {dispute.key: dispute for dispute in self.disputes}
        self._annotations = dict(annotations)
        self.majority = fuse(annotations).annotation
        self.sources = dict(self.majority.provenance.sources)
        self._consensus = consensus
        self._start = consensus or self.majority
        self._codes = self._start.codes.copy()
        self._clock = clock
        self._steps: list[_Step] = []
        self._log: list[Record] = []

    @property
    def codes(self) -> NDArray[np.uint8]:
        """The codes as they are now, axes (I, P, L); read-only."""
        view = self._codes.view()
        view.flags.writeable = False
        return view

    @property
    def log(self) -> tuple[Record, ...]:
        """Everything that happened, in order."""
        return tuple(self._log)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions in force, in order."""
        return tuple(step.decision for step in self._steps)

    @property
    def open(self) -> tuple[Dispute, ...]:
        """The disputes that nobody has decided yet, the largest first."""
        decided = {step.decision.dispute for step in self._steps}
        return tuple(dispute for dispute in self.disputes if dispute.key not in decided)

    def dispute(self, key: str) -> Dispute:
        """The dispute of that key.

        Raises
        ------
        InputError
            When there is none.
        """
        try:
            return self._by_key[key]
        except KeyError:
            raise InputError(f"there is no dispute {key!r} between these annotations") from None

    def take_rater(self, key: str, rater: str) -> Decision:
        """Settle a dispute as a rater has it."""
        return self._take(key, "rater", rater)

    def take_majority(self, key: str) -> Decision:
        """Settle a dispute as more than half of the raters have it."""
        return self._take(key, "majority")

    def take_consensus(self, key: str) -> Decision:
        """Settle a dispute as the consensus has it that the adjudication was given."""
        if self._consensus is None:
            raise InputError("this adjudication was given no consensus: take the majority")
        return self._take(key, "consensus")

    def take_painted(self, key: str | None, codes: NDArray[np.uint8]) -> Decision:
        """Settle a dispute by painting.

        Parameters
        ----------
        key
            The dispute that it is about; None for painting that belongs to none.
        codes
            `codes` with what was painted in them: axes (I, P, L). All of it is taken, also what
            lies outside the dispute.

        Raises
        ------
        InputError
            When there is no such dispute, or the codes are not this protocol's or of this shape.
        """
        if key is not None:
            self.dispute(key)
        if codes.shape != self._codes.shape or codes.dtype != np.uint8:
            raise InputError(
                f"what was painted has {codes.shape} voxels of {codes.dtype} where "
                f"{self._codes.shape} of uint8 are needed"
            )
        if int(codes.max(initial=0)) > self.protocol.highest_code:
            raise InputError(f"what was painted has a code that {self.protocol.name} has not")
        index = np.flatnonzero(codes != self._codes)
        after = codes.reshape(-1)[index]
        return self._decide(key, "painted", None, index, after, runs_of(index, after))

    def undo(self) -> Decision | None:
        """Take the last decision in force back; None when there is none."""
        if not self._steps:
            return None
        decision = self._take_back()
        self._log.append(Undo(decision.number, self.name, self._clock()))
        return decision

    def replay(self, records: Iterable[Record]) -> None:
        """Decide once more what a log says, with its times and names.

        Raises
        ------
        InputError
            When the log does not fit these annotations; then nothing is changed.
        """
        before = len(self._log)
        try:
            for record in records:
                self._repeat(record)
        except InputError:
            kept = self._log[:before]
            self._codes = self._start.codes.copy()
            self._steps, self._log = [], []
            for record in kept:
                self._repeat(record)
            raise

    def result(self) -> Annotation:
        """What was decided, as an annotation that names its sources.

        Voxels in open disputes are as the start has them, which a warning says.
        """
        left = len(self.open)
        start = self._start.author.removeprefix("consensus:")
        warnings = (
            (f"{left} of {len(self.disputes)} disputes are open and as the {start} has them",)
            if left
            else ()
        )
        return Annotation(
            codes=self._codes.copy(),
            grid=self._start.grid,
            protocol=self.protocol,
            source=next(iter(self._annotations.values())).source,
            author=f"adjudication:{self.name}",
            provenance=Provenance(
                sources={**self.sources, **self.consensus_source}, warnings=warnings
            ),
        )

    def _take(self, key: str, taken: Taken, rater: str | None = None) -> Decision:
        dispute = self.dispute(key)
        wanted = self._side(taken, rater).codes[dispute.box]
        inside = self.protocol.inside(wanted, dispute.region)
        index, after = self._settled(dispute, inside)
        return self._decide(key, taken, rater, index, after)

    def _side(self, taken: Taken, rater: str | None) -> Annotation:
        if taken == "majority":
            return self.majority
        if taken == "consensus":
            return self._start  # in a log that is replayed: the majority, where it was given that
        if rater not in self._annotations:
            known = ", ".join(self._annotations)
            raise InputError(f"{rater!r} is no rater of this case: choose one of {known}")
        return self._annotations[rater]

    def _settled(
        self, dispute: Dispute, inside: Mask
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Flat indices of what changes, and its new codes; `inside` covers the dispute's box."""
        before = self._codes[dispute.box]
        after = np.where(
            inside,
            self.protocol.paint(before, dispute.region),
            self.protocol.erase(before, dispute.region),
        )
        where = np.nonzero(dispute.mask & (after != before))
        whole = tuple(i + side.start for i, side in zip(where, dispute.box, strict=True))
        return np.ravel_multi_index(whole, self._codes.shape), after[where]

    def _decide(
        self,
        key: str | None,
        taken: Taken,
        rater: str | None,
        index: NDArray[np.int64],
        after: NDArray[np.uint8],
        painted: tuple[tuple[int, int, int], ...] = (),
    ) -> Decision:
        flat = self._codes.reshape(-1)
        before = flat[index]
        number = 1 + max((r.number for r in self._log), default=0)
        changed = counted(self.protocol, before, after)
        decision = Decision(number, key, taken, rater, self.name, self._clock(), changed, painted)
        flat[index] = after
        self._steps.append(_Step(decision, index, before))
        self._log.append(decision)
        return decision

    def _take_back(self) -> Decision:
        step = self._steps.pop()
        self._codes.reshape(-1)[step.index] = step.before
        return step.decision

    def _repeat(self, record: Record) -> None:
        if isinstance(record, Undo):
            if not self._steps or self._steps[-1].decision.number != record.number:
                raise InputError("the log takes back a decision that was not the last in force")
            self._take_back()
            self._log.append(record)
            return
        if record.taken == "painted":
            again = self.take_painted(record.dispute, paint_runs(self._codes, record.painted))
        elif record.dispute is None:
            raise InputError("the log has a decision about no dispute")
        else:
            again = self._take(record.dispute, record.taken, record.rater)
        self._steps[-1] = _Step(record, self._steps[-1].index, self._steps[-1].before)
        self._log[-1] = record
        if again.changed != record.changed:
            raise InputError(
                f"decision {record.number} of the log changed other voxels than it does now: "
                "the annotations are not those that were adjudicated"
            )
