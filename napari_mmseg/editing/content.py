"""The voxels of an edit session: codes, proposal, and the counts kept beside them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from .history import Origin, Step
from .patch import Patch, difference
from .tally import Tally


class Content:
    """What a session holds now, before anybody asks how it came about.

    Attributes
    ----------
    codes
        The live volume, axes (I, P, L): always the same array.
    proposal
        What was proposed, same shape; `proposal_version` grows whenever it changes.
    tally
        The counts of both.
    origin
        Where the present codes came from.
    """

    def __init__(self, annotation: Annotation) -> None:
        self.codes: NDArray[np.uint8] = np.array(annotation.codes, order="C")
        self.proposal = self.codes.copy()
        self.proposal_version = 0
        self.origin = Origin.of(annotation)
        self._protocol = annotation.protocol
        self.tally = Tally(self._protocol, self.codes, self.proposal)

    def write(self, patch: Patch) -> None:
        """Change the codes; whoever calls keeps the counts."""
        patch.write(self.codes)

    def write_proposal(self, patch: Patch) -> None:
        """Change the proposal; whoever calls keeps the counts."""
        patch.write(self.proposal)
        self.proposal_version += 1

    def put(
        self, codes: NDArray[np.uint8], proposal: NDArray[np.uint8], origin: Origin
    ) -> Patch | None:
        """Hold these volumes from now on; the patch by which the codes changed."""
        patch, change = difference(self.codes, codes), difference(self.proposal, proposal)
        if patch is not None:
            self.write(patch)
        if change is not None:
            self.write_proposal(change)
        self.origin = origin
        self.recount()
        return patch

    def recount(self) -> None:
        """Count the whole volume again, after changes that were not counted one by one."""
        self.tally = Tally(self._protocol, self.codes, self.proposal)

    def replay(self, step: Step, backwards: bool) -> Patch | None:
        """Take a step back or do it again; the patch by which the codes changed."""
        patch = None
        if step.codes is not None:
            patch = step.codes.patch()
            patch = patch.reversed() if backwards else patch
            self.write(patch)
        if step.proposal is not None:
            change = step.proposal.patch()
            self.write_proposal(change.reversed() if backwards else change)
            self.recount()
        elif patch is not None:
            self.tally.change(patch, self.proposal)
        self.origin = step.before if backwards else step.after
        return patch
