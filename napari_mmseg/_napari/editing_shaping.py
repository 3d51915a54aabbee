"""Commands on the whole region in the hand: fill, clean, grow, smooth, interpolate, copy, cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..editing import Change, EditSession
from .editing_told import say, told
from .editing_tool import EditTool
from .editing_view import SliceView

#: The intensities that a cut begins with: these percentiles of what is in the region.
_FIRST_CUT = (5.0, 95.0)


class Shaping(StrEnum):
    """What can be done to a region as a whole."""

    FILL_HOLES = "fill holes"
    REMOVE_ISLANDS = "remove islands"
    GROW = "grow"
    SHRINK = "shrink"
    SMOOTH = "smooth"
    INTERPOLATE = "interpolate"
    CARRY = "carry"
    COPY_PREVIOUS = "copy previous"
    COPY_NEXT = "copy next"
    KEEP_BETWEEN = "keep between"
    ADD_BETWEEN = "add between"


_NOTHING = {
    Shaping.FILL_HOLES: "{region} has no holes",
    Shaping.REMOVE_ISLANDS: "{region} has no islands as small as that",
    Shaping.COPY_PREVIOUS: "{region} is the same in the slice before",
    Shaping.COPY_NEXT: "{region} is the same in the slice after",
    Shaping.KEEP_BETWEEN: "All of {region} has such intensities",
    Shaping.ADD_BETWEEN: "Nothing around {region} in its parent has such intensities",
}


@dataclass(frozen=True)
class ShapeRequest:
    """One command with its settings.

    `amount` is in mm (grow, shrink, smooth) or mm3 (islands); `per_slice` fills holes in each
    slice of the shown plane instead of in 3D; `within_parent` keeps what grows inside the parent;
    `low` to `high` are intensities of the contrast `looks_at`.
    """

    shaping: Shaping
    amount: float = 0.0
    per_slice: bool = False
    within_parent: bool = True
    looks_at: str = ""
    low: float = 0.0
    high: float = 0.0


class Shaper:
    """Runs commands on the region in the hand, each one step of undo.

    `carry` does the one that acts on all regions and takes a while.
    """

    def __init__(
        self,
        session: EditSession,
        view: SliceView,
        tool: Callable[[], EditTool],
        images: Mapping[str, NDArray[Any]],
        carry: Callable[[], None],
    ) -> None:
        self._session, self._view, self._tool, self._images = session, view, tool, images
        self._carry = carry

    def run(self, request: ShapeRequest) -> None:
        """Do it; what is refused or changes nothing is said in a sentence."""
        if request.shaping is Shaping.CARRY:
            self._carry()
            return
        session = self._session
        region = self._tool().region
        changed: list[Change] = []
        note = changed.append
        session.on_change.append(note)
        try:
            with told():
                self._do(request, region)
                if not changed:
                    sentence = _NOTHING.get(request.shaping, "Nothing changed in {region}")
                    say(sentence.format(region=region))
        finally:
            session.on_change.remove(note)

    def cut(self, looks_at: str) -> tuple[float, float, bool]:
        """Intensities of a contrast to begin a cut with: those usual in the region.

        Returns
        -------
        Lowest and highest; and are all intensities there whole numbers? Then these are too.
        """
        image = self._images[looks_at]
        inside = self._session.protocol.inside(self._session.codes, self._tool().region)
        values = image[inside] if inside.any() else image[image != 0]
        if not values.size:
            return 0.0, 0.0, False
        low, high = np.percentile(values, _FIRST_CUT)
        if np.array_equal(values, np.rint(values)):
            return float(np.floor(low)), float(np.ceil(high)), True
        return float(low), float(high), False

    def _do(self, request: ShapeRequest, region: str) -> None:
        from ..editing import operations
        from ..editing.interpolate import interpolate

        session, axis, shaping = self._session, self._view.across, request.shaping
        if shaping is Shaping.FILL_HOLES:
            operations.fill_holes(session, region, axis if request.per_slice else None)
        elif shaping is Shaping.REMOVE_ISLANDS:
            operations.remove_islands(session, region, request.amount)
        elif shaping is Shaping.GROW:
            inside = request.within_parent
            operations.grow(session, region, request.amount, within_parent=inside)
        elif shaping is Shaping.SHRINK:
            operations.shrink(session, region, request.amount)
        elif shaping is Shaping.SMOOTH:
            inside = request.within_parent
            operations.smooth(session, region, request.amount, within_parent=inside)
        elif shaping is Shaping.INTERPOLATE:
            interpolate(session, region, axis)
        elif shaping is Shaping.COPY_PREVIOUS:
            operations.copy_slice(session, region, axis, self._view.index, -1)
        elif shaping is Shaping.COPY_NEXT:
            operations.copy_slice(session, region, axis, self._view.index, 1)
        else:
            image = self._images[request.looks_at]
            keeps = shaping is Shaping.KEEP_BETWEEN
            cut = operations.keep_between if keeps else operations.add_between
            cut(session, region, image, request.low, request.high)
