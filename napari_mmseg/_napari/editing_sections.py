"""Joins the sections beside Correct (shape, lesions, next place) with the annotation in hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from ..editing import EditSession
from .editing_actions import MIRROR_ACTION, PREVIEW_ACTION, SECTION_ACTIONS
from .editing_cut import CutPreview
from .editing_mirror import MirrorOutline
from .editing_shaping import ShapeRequest, Shaping
from .editing_told import say
from .lesion_list import LesionList
from .next_place import NextPlace
from .widgets.lesion_box import LesionBox
from .widgets.next_box import NextBox
from .widgets.shape_box import ShapeBox

if TYPE_CHECKING:
    from ..inference import Prediction
    from .editing_controller import EditController

_STEPS = 255

#: These cut at intensities that the user must have seen.
_CUTS = (Shaping.KEEP_BETWEEN, Shaping.ADD_BETWEEN)

CUT_UNSEEN = "Shift+T shows first what would change"


class EditSections(QObject):
    """Carries what these sections want to the controller in hand, and shows its state.

    Parameters
    ----------
    shape, lesions, place
        The sections.
    prediction
        Gives what a model said of the annotation of an edit session, or None.
    """

    def __init__(
        self,
        shape: ShapeBox,
        lesions: LesionBox,
        place: NextBox,
        prediction: Callable[[EditSession], Prediction | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shape = shape
        self._prediction = prediction
        self._controller: EditController | None = None
        self._kept: tuple[Prediction, dict[str, NDArray[np.uint8]]] | None = None
        self._mirror: MirrorOutline | None = None
        self._cut: CutPreview | None = None
        self.next_place = NextPlace(place, self._probabilities, self)
        self.lesions = LesionList(lesions, self._probabilities, self)
        shape.mirror_requested.connect(self._show_mirror)
        shape.shape_requested.connect(self._run)
        shape.cut_wanted.connect(self._propose_cut)
        shape.preview_requested.connect(self._show_cut)
        shape.preview_ended.connect(self._hide_cut)

    def follow(self, controller: EditController | None) -> None:
        """Another annotation is in hand, or none."""
        if self._controller is not None and self._show_region in self._controller.on_tool:
            self._controller.on_tool.remove(self._show_region)
        if self._mirror is not None:
            self._mirror.hide()
            self._mirror = None
        self._shape.show_mirror(False)
        if self._cut is not None:
            self._cut.close()
            self._cut = None
        self._shape.show_preview(False)
        self._controller = controller
        self.next_place.follow(controller)
        self.lesions.follow(controller)
        if controller is None:
            self._kept = None
            self._shape.setEnabled(False)
            return
        controller.on_tool.append(self._show_region)
        controller.scribbles.maps = lambda: tuple(self._probabilities().values())
        controller.offer("next_place", self.next_place.next)
        for action in SECTION_ACTIONS:
            controller.offer(action.name, partial(self._ask, Shaping(action.argument)))
        controller.offer(PREVIEW_ACTION.name, self._shape.toggle_preview)
        controller.offer(MIRROR_ACTION.name, self._shape.toggle_mirror)
        self._shape.offer(list(controller.images))
        self._show_region()

    def show_contrast(self, name: str | None) -> None:
        """Another contrast is on screen."""
        self._shape.show_contrast(name)

    def _probabilities(self) -> Mapping[str, NDArray[Any]]:
        """What a model says of each region of the annotation in hand, (I, P, L) in 255ths."""
        found = None
        if self._controller is not None:
            found = self._prediction(self._controller.session)
        if found is None:
            return {}
        if self._kept is None or self._kept[0] is not found:
            maps = {
                region: np.rint(found.calibrated_probability(region) * _STEPS).astype(np.uint8)
                for region in found.regions
            }
            self._kept = found, maps
        return self._kept[1]

    def _run(self, request: ShapeRequest) -> None:
        if self._controller is not None:
            self._controller.shaper.run(request)

    def _ask(self, shaping: Shaping) -> None:
        """A key asks for what a button of the Shape section does."""
        if shaping in _CUTS and not self._shape.is_cut_seen:
            say(CUT_UNSEEN)
        else:
            self._shape.ask(shaping)

    def _propose_cut(self, looks_at: str) -> None:
        if self._controller is not None:
            self._shape.show_cut(*self._controller.shaper.cut(looks_at))

    def _show_cut(self, request: ShapeRequest) -> None:
        if self._controller is None:
            return
        if self._cut is None:
            self._cut = CutPreview(self._controller, self)
        self._cut.show(request)

    def _hide_cut(self) -> None:
        if self._cut is not None:
            self._cut.hide()

    def _show_mirror(self, wanted: bool) -> None:
        if self._controller is None:
            return
        if self._mirror is None:
            self._mirror = MirrorOutline(self._controller, self._shape.show_mirror)
        if wanted:
            self._mirror.show()
        else:
            self._mirror.hide()

    def _show_region(self) -> None:
        if self._controller is not None:
            protocol, tool = self._controller.session.protocol, self._controller.tool
            self._shape.show_region(protocol[tool.region].title)
