"""Undo and redo, limited by bytes and not by count."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation, FileCodes, Provenance
from .effort import Effort
from .patch import PackedPatch
from .ticks import Ticks

#: What undo and redo together may hold; the oldest steps go first (bytes). A brush stroke takes a
#: few hundred bytes, a model's result some ten thousand.
HISTORY_LIMIT_BYTES = 256 * 2**20

#: What a step costs beside its voxels (bytes, roughly: the Python objects).
STEP_OVERHEAD_BYTES = 512

_ids = count(1)


def new_state() -> int:
    """A number for a state of an annotation that no other has in this process."""
    return next(_ids)


@dataclass(frozen=True, eq=False)
class Origin:
    """Where the present codes came from: what an annotation tells beside its voxels."""

    author: str
    provenance: Provenance
    file_codes: FileCodes | None

    @classmethod
    def of(cls, annotation: Annotation) -> Origin:
        return cls(annotation.author, annotation.provenance, annotation.file_codes)

    @property
    def nbytes(self) -> int:
        return self.file_codes.values.nbytes if self.file_codes is not None else 0


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that undo takes back.

    `codes` and `proposal` change the annotation and what the model proposed (None: unchanged).
    `regions` names the regions that strokes asked for, by commas; `plane` is the one that was
    painted in ("axial", "coronal", "sagittal", or empty for a volume).
    """

    label: str
    codes: PackedPatch | None
    proposal: PackedPatch | None
    before: Origin
    after: Origin
    regions: str = ""
    plane: str = ""
    state: int = field(default_factory=new_state)

    @property
    def tool(self) -> str:
        """The tool that did it: what stands before the colon of a label, or its first word."""
        return self.label.partition(":")[0].split(" ")[0]

    @property
    def nbytes(self) -> int:
        held = STEP_OVERHEAD_BYTES
        held += self.codes.nbytes if self.codes else 0
        held += self.proposal.nbytes if self.proposal else 0
        return held + (self.before.nbytes if self.before is not self.after else 0)


@dataclass(frozen=True, eq=False)
class Memory:
    """All that a session knows, so that another can go on from there.

    Parameters
    ----------
    codes, proposal
        uint8, axes (I, P, L).
    origin
        Where the present codes came from.
    done, undone
        Steps in the order in which they were done, and in which they were taken back: the last
        of each is the next to undo and to redo.
    effort
        What was spent.
    first_state
        The state before the first of `done`.
    saved_state
        The state that was exported last, or None when it cannot be reached any more.
    ticks
        The lesions that were accepted.
    """

    codes: NDArray[np.uint8]
    proposal: NDArray[np.uint8]
    origin: Origin
    done: tuple[Step, ...]
    undone: tuple[Step, ...]
    effort: Effort
    first_state: int
    saved_state: int | None
    ticks: Ticks = field(default_factory=Ticks)


class History:
    """Steps done and steps taken back.

    The newest step is always kept, however large, so that the last act can be undone.
    """

    def __init__(self, limit_bytes: int = HISTORY_LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.nbytes = 0
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._first_state = new_state()

    @property
    def undo_depth(self) -> int:
        return len(self._done)

    @property
    def redo_depth(self) -> int:
        return len(self._undone)

    @property
    def done(self) -> tuple[Step, ...]:
        """The last is the next to be taken back."""
        return tuple(self._done)

    @property
    def undone(self) -> tuple[Step, ...]:
        """The last is the next to be done again."""
        return tuple(self._undone)

    @property
    def first_state(self) -> int:
        """The state before the first step that is kept."""
        return self._first_state

    @property
    def last(self) -> Step | None:
        """What undo would take back."""
        return self._done[-1] if self._done else None

    @property
    def next(self) -> Step | None:
        """What redo would do again."""
        return self._undone[-1] if self._undone else None

    @property
    def state(self) -> int:
        """A number for the present state: the same again after undo and redo."""
        return self._done[-1].state if self._done else self._first_state

    def push(self, step: Step) -> None:
        """A new step was done: what was undone before cannot be redone any more."""
        self.nbytes += step.nbytes - sum(gone.nbytes for gone in self._undone)
        self._undone.clear()
        self._done.append(step)
        self._forget_oldest()

    def go_on_from(self, memory: Memory) -> None:
        """Take up the steps of another history, the newest that there is room for."""
        self._done, self._undone = list(memory.done), list(memory.undone)
        self._first_state = memory.first_state
        self.nbytes = sum(step.nbytes for step in (*self._done, *self._undone))
        self._forget_oldest()

    def drop_last(self) -> None:
        """Forget the newest step: another takes its place."""
        self.nbytes -= self._done.pop().nbytes

    def undo(self) -> Step | None:
        """The step to take back now, or None."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def redo(self) -> Step | None:
        """The step to do again now, or None."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1]

    def _forget_oldest(self) -> None:
        gone = 0
        while self.nbytes > self.limit_bytes and len(self._done) - gone > 1:
            self.nbytes -= self._done[gone].nbytes
            self._first_state = self._done[gone].state
            gone += 1
        del self._done[:gone]
