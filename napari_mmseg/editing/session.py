"""The one stateful service through which an annotation changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from .act import Deed
from .history import HISTORY_LIMIT_BYTES, Memory, Origin, Step
from .incoming import check_known, checked_codes
from .patch import PackedPatch, Patch, difference, joined, merged, packed
from .plane import plane_of
from .state import SessionState
from .stroke import Footprint, Mode, Stroke
from .tables import ModeTables, paint


class EditSession(SessionState):
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

    def __init__(self, annotation: Annotation, limit_bytes: int = HISTORY_LIMIT_BYTES) -> None:
        super().__init__(annotation, limit_bytes)
        self._tables = ModeTables(annotation.protocol)
        self._open_label = ""
        self._open_regions: list[str] = []
        self._plane = ""
        # A run of replacements of one group is one step and keeps the same edits by hand.
        self._run: str | None = None
        self._kept: NDArray[np.bool_] | None = None

    # Strokes

    def apply(self, stroke: Stroke, label: str = "") -> None:
        """One stroke as one step of undo."""
        self.begin(label or f"{stroke.mode} {stroke.region}")
        self.extend(stroke)
        self.end()

    def begin(self, label: str = "stroke") -> None:
        """Everything until `end` is one step of undo, such as a drag of the mouse."""
        self.end()
        self._meter.touch()
        self._open, self._open_label, self._open_regions = [], label, []

    def extend(self, stroke: Stroke) -> bool:
        """Apply a stroke within the open step; does it change anything?

        Raises
        ------
        InputError
            When the protocol has no such region.
        """
        if self._open is None:
            raise RuntimeError("extend() comes between begin() and end()")
        table = self._tables.of(stroke.region, stroke.mode)
        if self._refuses():
            return False
        if stroke.region not in self._open_regions:
            self._open_regions.append(stroke.region)
        patch = paint(self.codes, stroke, table)
        if patch is None:
            return False
        self._open.append(patch)
        self._tell_change(patch)
        return True

    def end(self) -> None:
        """Close the open step; one that changed nothing leaves no trace."""
        if self._open is None:
            return
        patch, self._open = merged(self._open), None
        if patch is None:
            return
        self._meter.stroke(self._content.tally.change(patch, self._content.proposal))
        self._plane = plane_of(patch.box, self._plane)
        origin, regions = self._content.origin, ", ".join(self._open_regions)
        step = Step(
            self._open_label, PackedPatch.of(patch), None, origin, origin, regions, self._plane
        )
        self._push(step)

    @property
    def is_open(self) -> bool:
        """Has a step begun that has not ended?"""
        return self._open is not None

    def abort(self) -> None:
        """Take back the open step as if it had never begun."""
        if self._open is None:
            return
        patch, self._open = merged(self._open), None
        if patch is not None:
            self._write(patch.reversed())

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

    def put(
        self, indices: tuple[NDArray[np.intp], ...], values: NDArray[np.uint8] | int, label: str
    ) -> None:
        """Give single voxels known codes (index arrays along I, P, L); one step of undo.

        Raises
        ------
        EncodingError
            When a value is not one of the protocol's codes.
        """
        given = np.asarray(values)
        if given.size:
            check_known(self.protocol, int(given.min()), int(given.max()), label)
        wanted = self.codes.copy()
        wanted[indices] = given
        patch = difference(self.codes, wanted)
        if patch is None or self._refuses():
            return
        joins = self._open
        if joins is None:
            self.begin(label)
            self.put(indices, values, label)
            self.end()
            return
        self._write(patch)
        joins.append(patch)

    def restore(self, region: str) -> None:
        """Bring one region back to the proposal, nesting kept; one step of undo.

        Voxels that the proposal has in the region are painted into it, those that it has not are
        erased from it and its children; what lies inside both keeps its children.
        """
        wanted = self.protocol.inside(self._content.proposal, region)
        present = self.protocol.inside(self.codes, region)
        self.begin(f"restore {region}")
        self.extend(Stroke(region, Mode.PAINT, Footprint.of_mask(wanted & ~present)))
        self.extend(Stroke(region, Mode.ERASE, Footprint.of_mask(present & ~wanted)))
        self.end()

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
        self._tell_state()

    def freeze(self, why: str) -> None:
        """Refuse every change from now on, telling `why` (one sentence) each time."""
        self.end()
        self._frozen = why

    # Inside

    def _refuses(self) -> bool:
        if self._frozen:
            for listener in self.on_refused:
                listener(self._frozen)
        return bool(self._frozen)

    def _end_run(self) -> None:
        self._run = self._kept = None

    def _push(self, step: Step, deed: Deed = Deed.STEP) -> None:
        self._end_run()
        self._history.push(step)
        self._tell_act(deed, step, step.state)
        self._tell_state()

    def _replay(self, step: Step, deed: Deed) -> None:
        patch = self._content.replay(step, backwards=deed is Deed.UNDO)
        if patch is not None:
            self._tell_change(patch)
        self._tell_act(deed, step, self._history.state)
        self._tell_state()

    def _write(self, patch: Patch) -> None:
        self._content.write(patch)
        self._tell_change(patch)
