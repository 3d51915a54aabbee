"""The lesions of the region in hand: found, listed, gone to, removed, kept, relabelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QObject

from .cursor import position_text
from .editing_actions import relabel_actions
from .editing_told import say, told
from .editing_view import Voxel
from .pause import after_pause
from .place_marker import PlaceMarker
from .widgets.lesion_box import LesionBox, LesionRow

if TYPE_CHECKING:
    from ..editing.lesions import Lesion, Lesions
    from ..editing.stroke import Box
    from .editing_controller import EditController

#: Lesions are looked for again so long after an edit (ms).
_PAUSE_MS = 400

MARKER_NAME = "Lesion"

CHOOSE_FIRST = "Choose a lesion first: hold Ctrl and click it, or click it in the list"


class LesionList(QObject):
    """Joins the Lesions section with the annotation in hand.

    Lesions are looked for while the section is open, and when one is pointed at.

    Parameters
    ----------
    box
        The section.
    probabilities
        Gives what a model says of each region of the annotation in hand, (I, P, L) in 255ths.

    Signals
    -------
    pointed_at
        A lesion was chosen in the picture.
    """

    pointed_at = Signal()

    def __init__(
        self,
        box: LesionBox,
        probabilities: Callable[[], Mapping[str, NDArray[Any]]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box = box
        self._probabilities = probabilities
        self._controller: EditController | None = None
        self._marker: PlaceMarker | None = None
        self._found: dict[str, Lesions] = {}
        self._chosen: int | None = None
        self._region = ""
        self._is_open = False
        self._timer = after_pause(self, _PAUSE_MS, self._refresh)
        box.chosen.connect(self.go_to)
        box.accepted_changed.connect(self._accept)
        box.remove_requested.connect(self._remove)
        box.keep_requested.connect(self._keep)
        box.relabel_requested.connect(self._relabel)

    def follow(self, controller: EditController | None) -> None:
        """List the lesions of another annotation, or of none."""
        self._timer.stop()
        before = self._controller
        if before is not None:
            before.on_tool.remove(self._on_tool)
            before.on_choose.remove(self.choose)
            before.session.on_state.remove(self._note)
        if self._marker is not None:
            self._marker.hide()
        self._found, self._chosen = {}, None
        self._controller = controller
        self._box.setEnabled(controller is not None)
        if controller is None:
            return
        self._marker = PlaceMarker(controller.viewer, controller.layer, MARKER_NAME)
        self._region = controller.tool.region
        controller.on_tool.append(self._on_tool)
        controller.on_choose.append(self.choose)
        controller.session.on_state.append(self._note)
        controller.offer("remove_lesion", partial(self._with_chosen, self._remove))
        controller.offer("keep_lesion", partial(self._with_chosen, self._keep))
        controller.offer("accept_lesion", partial(self._with_chosen, self._toggle_accepted))
        for action in relabel_actions(controller.session.protocol):
            controller.offer(action.name, partial(self._relabel_chosen, action.argument))
        self._offer_regions()
        self._refresh()

    def open(self, is_open: bool) -> None:
        """The section was unfolded or folded away."""
        self._is_open = is_open
        self._refresh()

    def choose(self, voxel: Voxel) -> None:
        """Take the lesion at a voxel; the view stays."""
        lesions = self._look()
        lesion = lesions.at(voxel) if lesions is not None else None
        if lesion is None:
            say(f"There is no {self._region} here: choose its region first")
            return
        self._mark(lesion, voxel)
        self._show()
        self.pointed_at.emit()

    def go_to(self, number: int) -> None:
        """Take a lesion of the list and show where it is."""
        if (lesion := self._lesion(number)) is not None and self._controller is not None:
            self._mark(lesion)
            self._controller.view.go_to(_middle(lesion))

    # Inside

    def _with_chosen(self, do: Callable[[int], None]) -> None:
        """A key does something to the chosen lesion."""
        if self._chosen is None:
            say(CHOOSE_FIRST)
        else:
            do(self._chosen)

    def _toggle_accepted(self, number: int) -> None:
        found = self._look()
        if found is not None and self._controller is not None:
            ticked = self._controller.session.ticks.of(self._region, found)
            self._accept(number, number not in ticked)

    def _relabel_chosen(self, to: str) -> None:
        if to != self._region:
            self._with_chosen(lambda number: self._relabel(number, to))

    def _remove(self, number: int) -> None:
        from ..editing.lesions import remove

        self._act(number, remove)

    def _keep(self, number: int) -> None:
        from ..editing.lesions import keep_only

        found = self._found.get(self._region)
        if found is not None and len(found.items) == 1:
            say(f"There is no other {self._region} than the chosen lesion")
            return
        self._act(number, keep_only)

    def _relabel(self, number: int, to: str) -> None:
        from ..editing.lesions import relabel

        self._act(number, lambda session, region, lesion: relabel(session, region, lesion, to))

    def _act(self, number: int, do: Callable[[Any, str, Lesion], None]) -> None:
        """Do something to a lesion as it is now, and list what there is then."""
        self._look()
        lesion = self._lesion(number)
        if lesion is None or self._controller is None:
            return
        with told():
            do(self._controller.session, self._region, lesion)
        self._refresh()

    def _lesion(self, number: int) -> Lesion | None:
        found = self._found.get(self._region)
        with told():
            return found[number] if found is not None else None
        return None

    def _look(self) -> Lesions | None:
        """Find the lesions of the region in hand as they are now."""
        from ..editing.lesions import find_lesions

        if self._controller is None:
            return None
        session, region = self._controller.session, self._region
        self._found[region] = find_lesions(
            session.codes,
            session.protocol,
            region,
            session.grid,
            self._probabilities().get(region),
            self._found.get(region),
        )
        return self._found[region]

    def _refresh(self) -> None:
        if not self._is_open and self._chosen is None:
            return
        found = self._look()
        if found is not None:
            if self._chosen not in {lesion.id for lesion in found.items}:
                self._unmark()
            self._show()

    def _show(self) -> None:
        found = self._found.get(self._region)
        if self._controller is None or found is None:
            return
        accepted = self._controller.session.ticks.of(self._region, found)
        rows = [
            LesionRow(
                lesion.id,
                lesion.volume_ml,
                lesion.longest_mm,
                lesion.uncertainty,
                position_text(np.array(lesion.centroid_mm)),
                lesion.id in accepted,
            )
            for lesion in found.items
        ]
        title = self._controller.session.protocol[self._region].title
        self._box.show_lesions(title, rows, self._chosen)

    def _accept(self, number: int, accepted: bool) -> None:
        found, lesion = self._look(), self._lesion(number)
        if self._controller is not None and found is not None and lesion is not None:
            session = self._controller.session
            change = session.ticks.adding if accepted else session.ticks.without
            session.tick(change(self._region, lesion, found))
        self._timer.start()  # the list may not be filled anew while it tells of a tick

    def _mark(self, lesion: Lesion, seen: Voxel | None = None) -> None:
        """Choose a lesion, ringed in its middle slice or in that of the voxel that is `seen`."""
        self._chosen = lesion.id
        if self._marker is None or self._controller is None:
            return
        centre = list(_middle(lesion))
        if seen is not None:
            across = self._controller.view.across
            centre[across] = seen[across]
        self._marker.show((centre[0], centre[1], centre[2]), _box(lesion))

    def _unmark(self) -> None:
        self._chosen = None
        if self._marker is not None:
            self._marker.hide()

    def _note(self) -> None:
        self._timer.start()

    def _on_tool(self) -> None:
        if self._controller is not None and self._controller.tool.region != self._region:
            self._region = self._controller.tool.region
            self._unmark()
            self._offer_regions()
            self._timer.start()

    def _offer_regions(self) -> None:
        if self._controller is not None:
            regions = self._controller.session.protocol.regions
            self._box.offer_regions([r.name for r in regions if r.name != self._region])


def _middle(lesion: Lesion) -> Voxel:
    """The lesion's voxel that is nearest to its centroid, which may lie outside it."""
    voxels = np.argwhere(lesion.footprint.mask) + lesion.footprint.corner
    nearest = voxels[np.argmin(((voxels - lesion.centroid) ** 2).sum(axis=1))]
    return int(nearest[0]), int(nearest[1]), int(nearest[2])


def _box(lesion: Lesion) -> Box:
    (i, j, k), mask = lesion.footprint
    height, width, depth = mask.shape
    return slice(i, i + height), slice(j, j + width), slice(k, k + depth)
