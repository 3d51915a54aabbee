"""What can be asked of an edit session, and how it tells its news."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation, Provenance
from ..grid import Grid
from ..protocol import Protocol
from .act import Act, Deed
from .content import Content
from .effort import Effort, EffortMeter
from .history import History, Step
from .patch import Patch
from .stroke import Change
from .ticks import Ticks


class SessionState:
    """Everything that a session holds; `EditSession` is what changes it.

    Attributes
    ----------
    on_change
        Called with a `Change` after voxels changed.
    on_state
        Called with nothing after history, counts, proposal or the saved mark changed.
    on_act
        Called with an `Act` after each step, undo, redo and mark: for whoever keeps a record.
    on_ticks
        Called with nothing after a lesion was ticked, or no longer.
    on_refused
        Called with a sentence whenever a frozen session refuses a change.
    """

    def __init__(self, annotation: Annotation, limit_bytes: int) -> None:
        self.on_change: list[Callable[[Change], None]] = []
        self.on_state: list[Callable[[], None]] = []
        self.on_act: list[Callable[[Act], None]] = []
        self.on_ticks: list[Callable[[], None]] = []
        self.on_refused: list[Callable[[str], None]] = []
        self._annotation = annotation
        self._content = Content(annotation)
        self._history = History(limit_bytes)
        self._saved_state: int | None = self._history.state
        self._meter = EffortMeter(annotation.protocol.highest_code + 1)
        self._ticks = Ticks()
        self._frozen = ""
        self._open: list[Patch] | None = None

    # What it holds

    @property
    def protocol(self) -> Protocol:
        return self._annotation.protocol

    @property
    def grid(self) -> Grid:
        return self._annotation.grid

    @property
    def codes(self) -> NDArray[np.uint8]:
        """The live volume, axes (I, P, L): always the same array; only the session writes to it."""
        return self._content.codes

    @property
    def proposal(self) -> NDArray[np.uint8]:
        """What the model (or the file that was opened) proposed; a read-only view."""
        view = self._content.proposal.view()
        view.flags.writeable = False
        return view

    @property
    def proposal_version(self) -> int:
        """Grows whenever the proposal changes."""
        return self._content.proposal_version

    def annotation(self) -> Annotation:
        """The annotation as it is now: a copy, with the edit counts in its provenance."""
        return replace(
            self._annotation,
            codes=self.codes.copy(),
            author=self._content.origin.author,
            provenance=replace(self.provenance, edits=self.edit_counts()),
            file_codes=self._content.origin.file_codes,
        )

    @property
    def provenance(self) -> Provenance:
        """How the present codes came to be, without the edit counts and without copying voxels."""
        return self._content.origin.provenance

    def edit_counts(self) -> dict[str, dict[str, int]]:
        """Voxels "added" and "removed" by region since the proposal."""
        return self._content.tally.edits()

    def volumes_ml(self) -> dict[str, float]:
        """Millilitres of each region now, children included."""
        ml = self.grid.voxel_volume_ml
        return {name: count * ml for name, count in self._content.tally.voxels().items()}

    @property
    def ticks(self) -> Ticks:
        """The lesions that were looked at and found right."""
        return self._ticks

    # Effort

    @property
    def effort(self) -> Effort:
        """What was spent on this annotation so far, earlier sittings included."""
        return self._meter.effort

    def kept_share(self) -> dict[str, float | None]:
        """The share of the proposal's voxels that are untouched, by region (None: it had none)."""
        return self._content.tally.kept()

    def effort_told(self) -> dict[str, Any]:
        """The effort as plain values, with voxels by region and the share of the proposal kept."""
        effort = self.effort
        return {
            "active_s": round(effort.active_seconds, 1),
            "strokes": effort.strokes,
            "undos": effort.undos,
            "redos": effort.redos,
            "voxels": effort.voxels(self.protocol),
            "untouched": self.kept_share(),
        }

    def touch(self) -> None:
        """The user is at work (moves the mouse, turns slices): counted as active time."""
        self._meter.touch()

    # Undo and redo

    @property
    def can_undo(self) -> bool:
        return self._history.undo_depth > 0

    @property
    def can_redo(self) -> bool:
        return self._history.redo_depth > 0

    @property
    def undo_depth(self) -> int:
        return self._history.undo_depth

    @property
    def redo_depth(self) -> int:
        return self._history.redo_depth

    @property
    def undo_label(self) -> str:
        return self._history.last.label if self._history.last else ""

    @property
    def redo_label(self) -> str:
        return self._history.next.label if self._history.next else ""

    @property
    def history_bytes(self) -> int:
        return self._history.nbytes

    @property
    def history_limit_bytes(self) -> int:
        return self._history.limit_bytes

    # Saved, frozen

    @property
    def is_saved(self) -> bool:
        """Is the annotation as it was when last saved (or opened)?"""
        return not self._open and self._history.state == self._saved_state

    @property
    def is_frozen(self) -> bool:
        return bool(self._frozen)

    # Inside

    def _tell_change(self, patch: Patch) -> None:
        change = Change(patch.box, patch.mask, self.codes)
        for listener in self.on_change:
            listener(change)

    def _tell_act(self, deed: Deed, step: Step | None, state: int) -> None:
        if self.on_act:
            act = Act(deed, step, state, self._meter.effort)
            for listener in self.on_act:
                listener(act)

    def _tell_state(self) -> None:
        for listener in self.on_state:
            listener()
