"""The one stateful service through which an annotation changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation, Provenance
from ..errors import EncodingError, GeometryError
from ..grid import Grid
from ..protocol import Protocol, Table
from .history import HISTORY_LIMIT_BYTES, History, Origin, Step
from .patch import PackedPatch, Patch, difference, merged
from .stroke import Change, Footprint, Mode, Stroke
from .tally import Tally


class EditSession:
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

    Attributes
    ----------
    on_change
        Called with a `Change` after voxels changed.
    on_state
        Called with nothing after history, counts, proposal or the saved mark changed.
    """

    def __init__(self, annotation: Annotation, limit_bytes: int = HISTORY_LIMIT_BYTES) -> None:
        self.on_change: list[Callable[[Change], None]] = []
        self.on_state: list[Callable[[], None]] = []
        self._annotation = annotation
        self._origin = Origin.of(annotation)
        self._codes = np.array(annotation.codes, order="C")
        self._proposal = self._codes.copy()
        self._proposal_version = 0
        self._tally = Tally(self.protocol, self._codes, self._proposal)
        self._history = History(limit_bytes)
        self._saved_state = self._history.state
        self._highest = self.protocol.highest_code
        self._tables = self._mode_tables()
        self._open: list[Patch] | None = None
        self._open_label = ""
        # A run of replacements of one group is one step and keeps the same edits by hand.
        self._run: str | None = None
        self._kept: NDArray[np.bool_] | None = None

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
        return self._codes

    @property
    def proposal(self) -> NDArray[np.uint8]:
        """What the model (or the file that was opened) proposed; a read-only view."""
        view = self._proposal.view()
        view.flags.writeable = False
        return view

    @property
    def proposal_version(self) -> int:
        """Grows whenever the proposal changes."""
        return self._proposal_version

    def annotation(self) -> Annotation:
        """The annotation as it is now: a copy, with the edit counts in its provenance."""
        return replace(
            self._annotation,
            codes=self._codes.copy(),
            author=self._origin.author,
            provenance=replace(self._origin.provenance, edits=self.edit_counts()),
            file_codes=self._origin.file_codes,
        )

    @property
    def provenance(self) -> Provenance:
        """How the present codes came to be, without the edit counts and without copying voxels."""
        return self._origin.provenance

    def edit_counts(self) -> dict[str, dict[str, int]]:
        """Voxels "added" and "removed" by region since the proposal."""
        return self._tally.edits()

    def volumes_ml(self) -> dict[str, float]:
        """Millilitres of each region now, children included."""
        ml = self.grid.voxel_volume_ml
        return {name: count * ml for name, count in self._tally.voxels().items()}

    # Strokes

    def apply(self, stroke: Stroke, label: str = "") -> None:
        """One stroke as one step of undo."""
        self.begin(label or f"{stroke.mode} {stroke.region}")
        self.extend(stroke)
        self.end()

    def begin(self, label: str = "stroke") -> None:
        """Everything until `end` is one step of undo, such as a drag of the mouse."""
        self.end()
        self._open, self._open_label = [], label

    def extend(self, stroke: Stroke) -> bool:
        """Apply a stroke within the open step; does it change anything?

        Raises
        ------
        InputError
            When the protocol has no such region.
        """
        if self._open is None:
            raise RuntimeError("extend() comes between begin() and end()")
        table = self._table(stroke.region, stroke.mode)
        clipped = stroke.footprint.clipped(self._codes.shape)
        if clipped is None:
            return False
        box, mask = clipped
        codes = self._codes[box].copy()
        painted = table.take(codes)  # several times faster than table[codes]
        changed = painted != codes
        changed &= mask
        if stroke.over is not None:
            changed &= np.isin(codes, list(stroke.over))
        if not changed.any():
            return False
        patch = Patch(box, changed, codes[changed], painted[changed])
        np.copyto(self._codes[box], painted, where=changed)
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
        self._tally.change(patch, self._proposal)
        self._push(Step(self._open_label, PackedPatch.of(patch), None, self._origin, self._origin))

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
        codes, origin = self._checked(result)
        last = self._history.last
        continues = last is not None and group is not None and self._run == group
        if keep_edits:
            if not continues or self._kept is None:
                self._kept = self._codes != self._proposal
            wanted = np.where(self._kept, self._codes, codes)
        else:
            self._kept, wanted = None, codes
        patch = difference(self._codes, wanted)
        proposal_patch = difference(self._proposal, codes) if as_proposal else None
        if patch is not None:
            self._write(patch)
        if proposal_patch is not None:
            self._write_proposal(proposal_patch)
        before, self._origin = self._origin, origin
        if patch is None and proposal_patch is None and origin is before:
            return
        self._tally = Tally(self.protocol, self._codes, self._proposal)
        if continues and last is not None:
            patch = _joined(last.codes, patch)
            proposal_patch = _joined(last.proposal, proposal_patch)
            before = last.before
            self._history.drop_last()
        kept = self._kept
        self._push(Step(label, _packed(patch), _packed(proposal_patch), before, origin))
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
            self._check_known(int(given.min()), int(given.max()), label)
        wanted = self._codes.copy()
        wanted[indices] = given
        patch = difference(self._codes, wanted)
        if patch is None:
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
        wanted = self.protocol.inside(self._proposal, region)
        present = self.protocol.inside(self._codes, region)
        self.begin(f"restore {region}")
        self.extend(Stroke(region, Mode.PAINT, Footprint.of_mask(wanted & ~present)))
        self.extend(Stroke(region, Mode.ERASE, Footprint.of_mask(present & ~wanted)))
        self.end()

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

    def undo(self) -> str | None:
        """Take back the last step; its label, or None when there is none."""
        self.end()
        self._end_run()
        step = self._history.undo()
        if step is None:
            return None
        self._replay(step, step.before, backwards=True)
        return step.label

    def redo(self) -> str | None:
        """Do the step again that was taken back last; its label, or None when there is none."""
        self.end()
        self._end_run()
        step = self._history.redo()
        if step is None:
            return None
        self._replay(step, step.after, backwards=False)
        return step.label

    # Saved or not

    @property
    def state(self) -> int:
        """A number for the present state, to be handed to `mark_saved` when saving took a while."""
        self.end()
        return self._history.state

    @property
    def is_saved(self) -> bool:
        """Is the annotation as it was when last saved (or opened)?"""
        return not self._open and self._history.state == self._saved_state

    def mark_saved(self, state: int | None = None) -> None:
        """The annotation (as it was at `state`, else as it is now) has been written to a file."""
        self._saved_state = self.state if state is None else state
        self._end_run()  # what was saved stays a step of its own
        self._tell_state()

    # Inside

    def _table(self, region: str, mode: Mode) -> Table:
        table = self._tables.get((region, mode))
        if table is None:
            return self._tables[self.protocol[region].name, mode]  # raises with the names
        return table

    def _mode_tables(self) -> dict[tuple[str, Mode], Table]:
        protocol, tables = self.protocol, {}
        for region in protocol.regions:
            name, code = region.name, region.code
            erase = protocol.erase_table(name)
            unset = np.arange(256, dtype=np.uint8)
            unset[code] = erase[code]
            tables[name, Mode.PAINT] = protocol.paint_table(name)
            tables[name, Mode.ERASE] = erase
            tables[name, Mode.SET] = protocol.set_table(name)
            tables[name, Mode.UNSET] = unset
        return tables

    def _checked(
        self, result: Annotation | NDArray[np.integer]
    ) -> tuple[NDArray[np.uint8], Origin]:
        if not isinstance(result, Annotation):
            if result.dtype != np.uint8 and result.size:  # a cast would wrap 259 around to 3
                self._check_known(int(result.min()), int(result.max()), "the labels")
            return self._annotation.with_codes(result).codes, self._origin
        if not result.grid.same_as(self.grid):
            raise GeometryError(
                "the labels lie on another grid than the case: open them together with its images"
            )
        if result.protocol != self.protocol:
            raise GeometryError(
                f"the labels follow the protocol {result.protocol.name}, "
                f"the case {self.protocol.name}: choose labels of the same protocol"
            )
        return result.codes, Origin.of(result)

    def _check_known(self, lowest: int, highest: int, what: str) -> None:
        if lowest < 0 or highest > self._highest:
            raise EncodingError(
                f"{what}: label values {lowest} to {highest} are not all codes of the protocol "
                f"{self.protocol.name} (0 to {self._highest})"
            )

    def _end_run(self) -> None:
        self._run = self._kept = None

    def _push(self, step: Step) -> None:
        self._end_run()
        self._history.push(step)
        self._tell_state()

    def _replay(self, step: Step, origin: Origin, backwards: bool) -> None:
        if step.codes is not None:
            patch = step.codes.patch()
            self._write(patch.reversed() if backwards else patch)
            if step.proposal is None:
                self._tally.change(patch.reversed() if backwards else patch, self._proposal)
        if step.proposal is not None:
            patch = step.proposal.patch()
            self._write_proposal(patch.reversed() if backwards else patch)
            self._tally = Tally(self.protocol, self._codes, self._proposal)
        self._origin = origin
        self._tell_state()

    def _write(self, patch: Patch) -> None:
        patch.write(self._codes)
        self._tell_change(patch)

    def _write_proposal(self, patch: Patch) -> None:
        patch.write(self._proposal)
        self._proposal_version += 1

    def _tell_change(self, patch: Patch) -> None:
        change = Change(patch.box, patch.mask, self._codes)
        for listener in self.on_change:
            listener(change)

    def _tell_state(self) -> None:
        for listener in self.on_state:
            listener()


def _packed(patch: Patch | None) -> PackedPatch | None:
    return PackedPatch.of(patch) if patch is not None else None


def _joined(first: PackedPatch | None, then: Patch | None) -> Patch | None:
    parts = [first.patch()] if first is not None else []
    return merged([*parts, then] if then is not None else parts)
