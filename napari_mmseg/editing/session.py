"""The one stateful service through which an annotation changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from .act import Deed
from .history import Memory, Origin, Step
from .incoming import checked_codes
from .patch import difference, joined, packed
from .strokes import StrokeSession
from .ticks import Ticks


class EditSession(StrokeSession):
    """Owns the codes of one annotation while somebody corrects it.

    Every change goes through the protocol's tables or brings whole known codes, so no sequence of
    strokes, undo, redo, imports and re-thresholding can break the nesting of the regions.

    Not thread-safe: one thread (the viewer's) calls it.

    Parameters
    ----------
    annotation
        What to begin with; it is copied. It counts as proposed: edits are counted from it.
    limit_bytes
        What undo and redo together may hold.
    """

    # Whole volumes

    def replace(
        self,
        result: Annotation | NDArray[np.integer],
        label: str,
        *,
        as_proposal: bool = True,
        keep_edits: bool = False,
        group: str | None = None,
    ) -> None:
        """Put a whole volume (a model's result, an import, new thresholds) as one step of undo.

        Parameters
        ----------
        result
            An annotation (its author and provenance come with it) or bare codes.
        label
            What undo says that it takes back.
        as_proposal
            The result becomes the proposal that edits are counted from and restored to.
        keep_edits
            Voxels that were corrected by hand (differ from the proposal so far) stay as they are.
        group
            Replacements of the same group with nothing else in between, such as the moves of a
            slider, become one step and keep the same edits.

        Raises
        ------
        GeometryError
            When the result lies on another grid.
        EncodingError
            When it has codes that the protocol does not know.
        """
        self.end()
        codes = checked_codes(result, self._annotation)
        if self._refuses():
            return
        content, before = self._content, self._content.origin
        origin = Origin.of(result) if isinstance(result, Annotation) else before
        last = self._history.last
        continues = last is not None and group is not None and self._run == group
        if keep_edits:
            if not continues or self._kept is None:
                self._kept = content.codes != content.proposal
            wanted = np.where(self._kept, content.codes, codes)
        else:
            self._kept, wanted = None, codes
        patch = difference(content.codes, wanted)
        proposal_patch = difference(content.proposal, codes) if as_proposal else None
        if patch is not None:
            self._write(patch)
        if proposal_patch is not None:
            content.write_proposal(proposal_patch)
        content.origin = origin
        if patch is None and proposal_patch is None and origin is before:
            return
        content.recount()
        if as_proposal:
            self._meter.touch()
        else:
            self._meter.stroke(patch.transitions(self.protocol.highest_code) if patch else None)
        if continues and last is not None:
            patch = joined(last.codes, patch)
            proposal_patch = joined(last.proposal, proposal_patch)
            before = last.before
            self._history.drop_last()
        kept = self._kept
        deed = Deed.AMEND if continues else Deed.STEP
        self._push(Step(label, packed(patch), packed(proposal_patch), before, origin), deed)
        self._run, self._kept = group, kept

    # Undo and redo

    def undo(self) -> str | None:
        """Take back the last step; its label, or None when there is none."""
        self.end()
        self._end_run()
        if self.can_undo and self._refuses():
            return None
        step = self._history.undo()
        if step is not None:
            self._meter.undo()
            self._replay(step, Deed.UNDO)
        return step.label if step is not None else None

    def redo(self) -> str | None:
        """Do the step again that was taken back last; its label, or None when there is none."""
        self.end()
        self._end_run()
        if self.can_redo and self._refuses():
            return None
        step = self._history.redo()
        if step is not None:
            self._meter.redo()
            self._replay(step, Deed.REDO)
        return step.label if step is not None else None

    # Saved or not

    @property
    def state(self) -> int:
        """A number for the present state, to be handed to `mark_saved` when saving took a while."""
        self.end()
        return self._history.state

    def mark_saved(self, state: int | None = None) -> None:
        """The annotation (as it was at `state`, else as it is now) has been written to a file."""
        self._saved_state = self.state if state is None else state
        self._end_run()  # what was saved stays a step of its own
        self._tell_act(Deed.MARK, None, self._saved_state)
        self._tell_state()

    def tick(self, ticks: Ticks) -> None:
        """Other lesions are accepted: no change of the annotation, and no step of undo."""
        if self._refuses():
            return
        self._ticks = ticks
        self._meter.touch()
        for listener in self.on_ticks:
            listener()

    # Going on from before

    def memory(self) -> Memory:
        """All that this session holds, for another to `resume`; the volumes are copies."""
        self.end()
        return Memory(
            self.codes.copy(),
            self._content.proposal.copy(),
            self._content.origin,
            self._history.done,
            self._history.undone,
            self._meter.effort,
            self._history.first_state,
            self._saved_state,
            self._ticks,
        )

    def resume(self, memory: Memory) -> None:
        """Take up what another session held: codes, proposal, undo, redo and effort.

        Raises
        ------
        GeometryError
            When the memory is of another grid.
        EncodingError
            When it has codes that the protocol does not know.
        """
        self.abort()
        self._end_run()
        codes = checked_codes(memory.codes, self._annotation)
        proposal = checked_codes(memory.proposal, self._annotation)
        patch = self._content.put(codes, proposal, memory.origin)
        if patch is not None:
            self._tell_change(patch)
        self._history.go_on_from(memory)
        self._saved_state = memory.saved_state
        self._meter.go_on_from(memory.effort)
        self._ticks = memory.ticks
        self._tell_state()

    def freeze(self, why: str) -> None:
        """Refuse every change from now on, telling `why` (one sentence) each time."""
        self.end()
        self._frozen = why

    # Inside

    def _replay(self, step: Step, deed: Deed) -> None:
        patch = self._content.replay(step, backwards=deed is Deed.UNDO)
        if patch is not None:
            self._tell_change(patch)
        self._tell_act(deed, step, self._history.state)
        self._tell_state()
