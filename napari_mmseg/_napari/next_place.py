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
    from ..editing.places import Place
    from ..editing.queue import Queue
    from .editing_controller import EditController

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
        """Go to the next place; the one before counts as looked at."""
        if self._controller is None:
            return
        self._box.show_looking()
        place = self._fresh_queue(self._controller).next()
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

    def _fresh_queue(self, controller: EditController) -> Queue:
        """The queue, made anew after another proposal, order or plane."""
        from ..editing.queue import ReviewQueue, SliceQueue

        session = controller.session
        stale = self._version != session.proposal_version
        stale |= self._every > 0 and self._plane != controller.view.across
        if self._queue is None or stale:
            self._drop_queue()
            self._version, self._plane = session.proposal_version, controller.view.across
            if self._every:
                self._queue = SliceQueue(session, self._plane, self._every)
            else:
                self._queue = ReviewQueue(session, self._probabilities())
        return self._queue

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

        if isinstance(self._queue, ReviewQueue):
            self._queue.close()
        self._queue = None

    def _drop(self) -> None:
        self._timer.stop()
        self._drop_queue()
        if self._marker is not None:
            self._marker.hide()
