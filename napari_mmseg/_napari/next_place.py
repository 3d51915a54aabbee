"""Goes through the places of an annotation that are worth a look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QObject

from .pause import after_pause
from .place_marker import PlaceMarker
from .widgets.next_box import NextBox

if TYPE_CHECKING:
    from ..editing import EditSession
    from ..editing.places import Place
    from ..editing.queue import Queue
    from .editing_controller import EditController
    from .task import Task

#: What is left is counted again so long after an edit (ms).
_PAUSE_MS = 600

MARKER_NAME = "Look here"

_UNTOUCHED = "Goes through the places that are most worth a look."
_NOTHING = "Nothing is left that looks worth a look."


class NextPlace(QObject):
    """Joins the Where to look next section with the annotation in hand.

    Parameters
    ----------
    box
        The section.
    probabilities
        Gives what a model says of each region of the annotation in hand (see `ReviewQueue`).

    Signals
    -------
    moved
        Another place is looked at, or none is left.
    """

    moved = Signal()

    def __init__(
        self,
        box: NextBox,
        probabilities: Callable[[], Mapping[str, NDArray[Any]]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box = box
        self._probabilities = probabilities
        self._controller: EditController | None = None
        self._marker: PlaceMarker | None = None
        self._queue: Queue | None = None
        self._every = 0
        self._plane = 0
        self._version = -1
        self._task: Task | None = None
        self._timer = after_pause(self, _PAUSE_MS, self._show_left)
        box.next_requested.connect(self.next)
        box.again_requested.connect(self.again)
        box.order_requested.connect(self._take_order)

    def follow(self, controller: EditController | None) -> None:
        """Look at another annotation, or at none."""
        self._drop()
        if self._controller is not None and self._note in self._controller.session.on_state:
            self._controller.session.on_state.remove(self._note)
        self._controller = controller
        self._box.setEnabled(controller is not None)
        self._box.show_nothing(_UNTOUCHED)
        if controller is not None:
            self._marker = PlaceMarker(controller.viewer, controller.layer, MARKER_NAME)
            controller.session.on_state.append(self._note)

    @property
    def place(self) -> Place | None:
        """The place that is looked at."""
        return self._queue.current if self._queue is not None else None

    def next(self) -> None:
        """Go to the next place; the one before counts as looked at.

        All places are looked for beside the window, and while that lasts another wish for the
        next one is the same wish; later only what was edited is looked at again, at once.
        """
        if self._controller is None or self.is_looking:
            return
        self._box.show_looking()
        if self._is_stale(self._controller):
            self._look(self._controller)
        elif self._queue is not None:
            self._go_to(self._queue.next())

    @property
    def is_looking(self) -> bool:
        """Are all places being looked for?"""
        return self._task is not None and self._task.is_running

    def _go_to(self, place: Place | None) -> None:
        if self._controller is None:
            return
        self.moved.emit()
        if place is None:
            if self._marker is not None:
                self._marker.hide()
            self._box.show_nothing(_NOTHING)
            return
        self._controller.use(region=place.region)
        self.again()

    def again(self) -> None:
        """Show the present place once more."""
        place = self.place
        if self._controller is None or self._queue is None or place is None:
            return
        self._controller.view.go_to(place.centre)
        if self._marker is not None and not self._every:
            self._marker.show(place.centre, place.box)
        done, left = self._queue.done, self._queue.left
        self._box.show_place(done + 1, done + left, place.text)
        self._show_left()

    def _is_stale(self, controller: EditController) -> bool:
        """Is there no queue yet, or one of another proposal, order or plane?"""
        stale = self._version != controller.session.proposal_version
        stale |= self._every > 0 and self._plane != controller.view.across
        return self._queue is None or stale

    def _look(self, controller: EditController) -> None:
        """Make the queue anew; it is nobody's else until all its places are found."""
        from .task import Task

        self._drop_queue()
        session, every = controller.session, self._every
        self._version, self._plane = session.proposal_version, controller.view.across
        plane, probabilities = self._plane, {} if every else self._probabilities()
        self._task = Task(
            lambda report, cancelled: _queue_of(session, every, plane, probabilities, cancelled)
        )
        self._task.finished.connect(self._take_queue)
        self._task.failed.connect(self._box.show_nothing)
        self._task.start()

    def _take_queue(self, found: tuple[Queue, Place | None]) -> None:
        self._queue, place = found
        # Where nothing was found, what was edited meanwhile may be worth a look.
        self._go_to(place or self._queue.next())

    def _take_order(self, every: int) -> None:
        self._every = every
        self._drop()
        self._box.show_nothing(_UNTOUCHED)

    def _note(self) -> None:
        if self._queue is not None and self._queue.current is not None:
            self._timer.start()

    def _show_left(self) -> None:
        queue = self._queue
        if queue is None or queue.current is None:
            return
        if self._every:
            self._box.show_left(f"{queue.left} slices are left, this one included.")
        else:
            self._box.show_left(
                f"About {queue.left_ml:.1f} ml in {queue.left} places are left to put right."
            )

    def _drop_queue(self) -> None:
        from ..editing.queue import ReviewQueue

        if self._task is not None:
            self._task.cancel()
        if isinstance(self._queue, ReviewQueue):
            self._queue.close()
        self._queue = None

    def _drop(self) -> None:
        self._timer.stop()
        self._drop_queue()
        if self._marker is not None:
            self._marker.hide()


def _queue_of(
    session: EditSession,
    every: int,
    plane: int,
    probabilities: Mapping[str, NDArray[Any]],
    cancelled: Callable[[], bool],
) -> tuple[Queue, Place | None]:
    """A queue and its first place.

    The voxels may change meanwhile: what the queue has seen of them then is looked at again with
    the next place, as it notes every change.
    """
    from ..editing.queue import ReviewQueue, SliceQueue

    if every:
        slices = SliceQueue(session, plane, every)
        return slices, slices.next()
    queue = ReviewQueue(session, probabilities)
    first = queue.next()
    if cancelled():  # nobody will take it
        queue.close()
    return queue, first
