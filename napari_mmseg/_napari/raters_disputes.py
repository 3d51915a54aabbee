"""Goes through the places where raters differ, and settles them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QObject

from .editing_told import say
from .place_marker import PlaceMarker
from .raters_adjudicating import Adjudicator, AlreadyMade
from .raters_dispute_keys import NEXT_KEY, SettlingKeys
from .raters_dispute_texts import counted, described, row, side
from .raters_group import RaterGroup
from .raters_layers import prepare_dispute, remove_dispute, show_dispute
from .session import CaseSession
from .task import Task
from .widgets.dispute_box import DisputeBox
from .widgets.dispute_list import DisputeRow

if TYPE_CHECKING:
    from ..agreement.decisions import Decision
    from ..agreement.disputes import Dispute
    from ..agreement.panel import Panel

LEFT = "Other raters: what was settled before stays as its layer and its log have it."

RING_NAME = "Disagreement (ring)"

#: Pieces up to this volume are ringed.
_RINGED_MM3 = 200.0


class DisputeTour(QObject):
    """Joins the Disagreements section with raters, viewer and adjudication.

    Signals
    -------
    region_wanted
        A disagreement about this region is looked at.
    """

    region_wanted = Signal(str)

    def __init__(self, box: DisputeBox, group: RaterGroup, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._box, self._group = box, group
        self._session: CaseSession | None = None
        self._panel: Panel | None = None
        self._found: tuple[Dispute, ...] = ()
        self._here: str | None = None
        self._task: Task | None = None
        self._marker: PlaceMarker | None = None
        self.adjudicator = Adjudicator(self)
        self.adjudicator.begun.connect(self._begun)
        self._is_taking = False  # then the list is shown once, with the next one marked
        self._before: tuple[Decision, ...] = ()
        self.adjudicator.changed.connect(self._show_change)
        self.adjudicator.told.connect(box.say)
        box.list.chosen.connect(self.go_to)
        box.list.filter_changed.connect(self._show)
        box.list.tolerance_changed.connect(lambda _: self._look())
        box.next_requested.connect(self.next)
        box.begin_requested.connect(self._begin)
        self._keys = SettlingKeys(self._take_rater, self._take_majority, self._take_painted)
        box.rater_taken.connect(self._take_rater)
        box.majority_taken.connect(self._take_majority)
        box.painted_taken.connect(self._take_painted)
        box.undo_requested.connect(self.adjudicator.undo)

    def follow(self, session: CaseSession | None) -> None:
        """Another case is open, or none."""
        from ..journal import rater_name

        before = self._session
        self._end()
        if before is not None:
            before.viewer.bind_key(NEXT_KEY, None, overwrite=True)
        self._session = session
        if session is not None:
            session.viewer.bind_key(NEXT_KEY, self._press, overwrite=True)
            self._marker = PlaceMarker(session.viewer, session.labels, RING_NAME)
            self._box.list.offer_regions([r.name for r in session.protocol.regions])
            self._box.show_settling(False, rater_name())

    def show(self, panel: Panel | None) -> None:
        """Look for what these raters differ about; None: there are none (yet)."""
        self._panel = panel
        self._look()

    def go_to(self, key: str) -> None:
        """Show where a disagreement is."""
        dispute = self._dispute(key)
        session = self._session
        if dispute is None or session is None or self._panel is None:
            return
        self._here = key
        self.region_wanted.emit(dispute.region)
        session.looks.show_for(dispute.region)
        before = session.viewer.dims.point
        layer = show_dispute(
            session.viewer, session.case, dispute.mask, dispute.box, self._panel.box
        )
        session.controller.view.go_to(dispute.centre)
        if session.viewer.dims.point == before:
            layer.refresh()
        self._ring(dispute)
        self._show()

    def next(self) -> None:
        """Go to the next disagreement of the list: while settling, to the next open one."""
        rows = [row for row in self._rows() if self._box.list.lists(row)]
        if not rows:
            say("The raters differ about nothing that is listed")
            self._show()
            return
        keys = [row.key for row in rows]
        after = keys.index(self._here) + 1 if self._here in keys else 0
        turned = rows[after:] + rows[:after]
        if self.adjudicator.is_running:
            turned = [row for row in turned if not row.settled]
            if not turned:
                self._box.say("All disagreements that are listed are settled.", "good")
                self._show()
                return
        self.go_to(turned[0].key)

    @property
    def is_busy(self) -> bool:
        looking = self._task is not None and self._task.is_running
        return looking or self.adjudicator.is_busy

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self.adjudicator.end()

    # Inside

    def _end(self) -> None:
        self.cancel()
        session = self._session
        if session is not None:
            remove_dispute(session.viewer, session.case)
        if self._marker is not None:
            self._marker.hide()
        self._keys.release()
        self._panel, self._found, self._here = None, (), None
        self._box.show_settling(False)
        self._box.list.hold_tolerance(False)
        self._box.show_nothing()
        self._box.say("")

    def _look(self) -> None:
        """Find the disagreements of the raters as they are now."""
        panel, tolerance = self._panel, self._box.list.tolerance_mm
        was_settling = self.adjudicator.is_running
        self._end()
        self._panel = panel
        if was_settling:
            self._box.say(LEFT, "warning")
        if panel is None or len(panel.names) < 2:
            return
        self._box.show_nothing("Looking where they differ…")

        def find(report: object, cancelled: object) -> tuple[Dispute, ...]:
            from ..agreement.disputes import disputes_of

            return disputes_of(panel, tolerance)

        self._task = Task(find)
        self._task.finished.connect(self._take_found)
        self._task.failed.connect(self._box.show_nothing)
        self._task.start()

    def _take_found(self, found: tuple[Dispute, ...]) -> None:
        self._found = found
        self._prepare()
        self._show()

    def _prepare(self) -> None:
        """Make the layers that show a place, so that the first is shown as fast as the others."""
        session, panel = self._session, self._panel
        if session is None or panel is None or not self._found:
            return
        prepare_dispute(session.viewer, session.case, panel.box)
        small = next((d for d in self._found if d.volume_mm3 <= _RINGED_MM3), None)
        if small is not None and self._marker is not None:
            self._marker.show(small.centre, small.box)
            self._marker.conceal()

    def _ring(self, dispute: Dispute) -> None:
        """A small piece is lost among the outlines without a ring round it."""
        if self._marker is None:
            return
        if dispute.volume_mm3 <= _RINGED_MM3:
            self._marker.show(dispute.centre, dispute.box)
        else:
            self._marker.conceal()

    def _begin(self, name: str) -> None:
        if self._session is None:
            return
        try:
            self.adjudicator.begin(
                self._session, self._group.annotations, name, self._box.list.tolerance_mm
            )
        except AlreadyMade as refusal:
            self._box.say(str(refusal), "warning")
            return
        self._box.say("Putting the majority together…")

    def _begun(self) -> None:
        self._box.show_settling(True)
        self._box.list.hold_tolerance(True)
        if self._session is not None:
            self._keys.bind(self._session.viewer)
        self._found, self._before = self.adjudicator.disputes, self.adjudicator.decisions
        self._show()
        if self._here is None or self._here in self._decisions:
            self.next()
        else:
            self.go_to(self._here)

    def _take_rater(self, letter: str) -> None:
        """Take a rater's word; a letter that nobody has (a key can say it) is passed over."""
        if rater := next((r for r in self._group if r.letter == letter), None):
            self._take("rater", rater.name)

    def _take_majority(self) -> None:
        self._take("majority")

    def _take_painted(self) -> None:
        self._take("painted")

    def _take(self, taken: Any, rater: str | None = None) -> None:
        if self._here is None:
            self._box.say("Choose a disagreement first: press Next disagreement", "warning")
            return
        self._is_taking = True
        try:
            is_taken = self.adjudicator.take(self._here, taken, rater)
        finally:
            self._is_taking = False
        if is_taken:
            self.next()

    def _show_change(self) -> None:
        """Show what was decided: back to what was taken back, on from what was done again."""
        before, now = self._before, self.adjudicator.decisions
        self._before = now
        if self._is_taking:
            return
        if back := _only_in(before, now):
            self.go_to(back[-1])
        elif again := _only_in(now, before):
            self._here = again[-1]
            self.next()
        else:
            self._show()

    def _press(self, _: object) -> None:
        self.next()

    def _dispute(self, key: str | None) -> Dispute | None:
        return next((dispute for dispute in self._found if dispute.key == key), None)

    @property
    def _decisions(self) -> dict[str, Decision]:
        """The last decision in force about each dispute."""
        return {d.dispute: d for d in self.adjudicator.decisions if d.dispute is not None}

    def _rows(self) -> list[DisputeRow]:
        letters = {rater.name: rater.letter for rater in self._group}
        decisions = self._decisions
        return [row(dispute, decisions.get(dispute.key), letters) for dispute in self._found]

    def _show(self) -> None:
        if self._panel is None or (self._task is not None and self._task.is_running):
            return
        rows = self._rows()
        listed = [row for row in rows if self._box.list.lists(row)]
        self._box.list.show_rows(listed, self._here)
        self._box.show_about(counted(listed, len(rows)))
        settled = sum(bool(row.settled) for row in listed)
        self._box.show_progress(settled, len(listed), self.adjudicator.can_undo)
        dispute = self._dispute(self._here)
        if dispute is None:
            self._box.show_here("", [])
            return
        self._box.show_here(described(dispute), [side(r, dispute) for r in self._group])


def _only_in(some: tuple[Decision, ...], others: tuple[Decision, ...]) -> list[str]:
    """The disputes that `some` are about, without the decisions that are among `others` too."""
    numbers = {decision.number for decision in others}
    return [d.dispute for d in some if d.number not in numbers and d.dispute is not None]
