"""What was corrected in some slices, carried to those between; solved beside the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..editing import EditSession
from ..editing.drawn import DrawnSlices
from .editing_told import say
from .editing_view import SliceView

if TYPE_CHECKING:
    from ..editing.refine import Carrier, Refinement
    from .task import Task

TOO_FEW = (
    "Correct another slice first: at least two that are right, with others between; the one on "
    "screen counts as right"
)
CHANGED_MEANWHILE = "The labels were changed while the slices were solved: carry on once more"
NO_IMAGES = "Carrying on looks at the images of the case: there are none"
ALL_ALIKE = "The slices between are as they should be already"


class Carrying:
    """Solves all regions between the slices drawn in the shown plane, as one step of undo.

    The slice on screen counts as one of them, so that one that was right as proposed can be used.

    Parameters
    ----------
    session, view
        What is edited, and the plane on screen.
    images
        The case's contrasts by name, (I, P, L).
    maps
        Gives what a network says of each voxel, (I, P, L) arrays.
    """

    def __init__(
        self,
        session: EditSession,
        view: SliceView,
        images: Mapping[str, NDArray[Any]],
        maps: Callable[[], Sequence[NDArray[Any]]],
    ) -> None:
        self._session, self._view, self._images, self._maps = session, view, images, maps
        self._drawn = DrawnSlices(session)
        self._task: Task | None = None
        self._carrier: tuple[tuple[int, ...], Carrier] | None = None

    @property
    def is_busy(self) -> bool:
        """Are slices being solved?"""
        return self._task is not None and self._task.is_running

    def run(self) -> None:
        """Begin; what cannot be done is said in a sentence."""
        from .task import Task

        if self.is_busy:
            return
        axis = self._view.across
        keys = sorted({*self._drawn.across(axis), self._view.index})
        if not self._images or len(keys) < 2 or keys[-1] - keys[0] < len(keys):
            say(TOO_FEW if self._images else NO_IMAGES)
            return
        self._session.end()
        codes, carrier = self._session.codes.copy(), self._solver()
        self._task = Task(lambda report, cancelled: carrier.solve(codes, keys, axis))
        self._task.finished.connect(lambda found: self._apply(found, codes))
        self._task.failed.connect(say)
        self._task.start()

    def detach(self) -> None:
        """Drop what is being solved."""
        if self._task is not None:
            self._task.cancel()
        self._drawn.close()

    def _solver(self) -> Carrier:
        from ..editing.refine import Carrier

        maps = tuple(self._maps())
        key = tuple(id(one) for one in maps)
        if self._carrier is None or self._carrier[0] != key:
            session, images = self._session, list(self._images.values())
            self._carrier = key, Carrier(session.grid, session.protocol, images, maps)
        return self._carrier[1]

    def _apply(self, found: Refinement, codes: NDArray[np.uint8]) -> None:
        session = self._session
        if session.is_open or not np.array_equal(session.codes[found.box], codes[found.box]):
            say(CHANGED_MEANWHILE)
        elif not found.strokes:
            say(ALL_ALIKE)
        else:
            session.begin("carry to the slices between")
            for stroke in found.strokes:
                session.extend(stroke)
            session.end()
