"""Undo and redo, limited by bytes and not by count."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from ..annotation import Annotation, FileCodes, Provenance
from .patch import PackedPatch

#: What undo and redo together may hold; the oldest steps go first (bytes). A brush stroke takes a
#: few hundred bytes, a model's result some ten thousand.
HISTORY_LIMIT_BYTES = 256 * 2**20

#: What a step costs beside its voxels (bytes, roughly: the Python objects).
STEP_OVERHEAD_BYTES = 512

_ids = count(1)


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
    """

    label: str
    codes: PackedPatch | None
    proposal: PackedPatch | None
    before: Origin
    after: Origin
    state: int = field(default_factory=lambda: next(_ids))

    @property
    def nbytes(self) -> int:
        held = STEP_OVERHEAD_BYTES
        held += self.codes.nbytes if self.codes else 0
        held += self.proposal.nbytes if self.proposal else 0
        return held + (self.before.nbytes if self.before is not self.after else 0)


class History:
    """Steps done and steps taken back.

    The newest step is always kept, however large, so that the last act can be undone.
    """

    def __init__(self, limit_bytes: int = HISTORY_LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.nbytes = 0
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._first_state = next(_ids)

    @property
    def undo_depth(self) -> int:
        return len(self._done)

    @property
    def redo_depth(self) -> int:
        return len(self._undone)

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
        while self.nbytes > self.limit_bytes and len(self._done) > 1:
            oldest = self._done.pop(0)
            self.nbytes -= oldest.nbytes
            self._first_state = oldest.state

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
