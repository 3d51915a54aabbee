"""Changing an annotation stroke by stroke, in steps that undo takes back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from .act import Deed
from .history import HISTORY_LIMIT_BYTES, Step
from .incoming import check_known
from .patch import PackedPatch, Patch, difference, merged
from .plane import plane_of
from .state import SessionState
from .stroke import Footprint, Mode, Stroke
from .tables import ModeTables, outcome, paint


class StrokeSession(SessionState):
    """The part of an edit session that tools call: steps made of strokes and of single voxels."""

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

    def outcome(self, stroke: Stroke) -> Patch | None:
        """What a stroke would change now, or None: it is not done, and leaves no trace.

        Raises
        ------
        InputError
            When the protocol has no such region.
        """
        table = self._tables.of(stroke.region, stroke.mode)
        return None if self._frozen else outcome(self.codes, stroke, table)

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

    def _write(self, patch: Patch) -> None:
        self._content.write(patch)
        self._tell_change(patch)
