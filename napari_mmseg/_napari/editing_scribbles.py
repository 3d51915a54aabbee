"""Scribbles over the labels, and the regions solved again near them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..editing import EditSession, Footprint
from ..editing.refine import BOX_SIDES, Scribble, together
from . import editing_compat
from .editing_told import say

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from ..editing.refine import Refinement, Refiner
    from .task import Task

SCRIBBLES_NAME = "Scribbles"

NOTHING_SCRIBBLED = "Scribble first: mark some of what the region is, with Shift some of what not"
CHANGED_MEANWHILE = "The labels were changed while the region was solved: refine once more"
NO_IMAGES = "Refining looks at the images of the case: there are none"

#: Neighbouring strokes of one kind are one scribble while they fit into a box of this side.
_ONE_SCRIBBLE_VOXELS = 32

#: Voxel values of the scribble layer, and their colours: is, is not.
_IS, _IS_NOT = 1, 2
_COLOURS: dict[int | None, str] = {None: "transparent", 0: "transparent", 1: "lime", 2: "magenta"}


class Scribbles:
    """What was scribbled, shown in a layer of its own; solved on request beside the window.

    Scribbles are no labels: undo does not know them. Refining applies one step of undo and leaves
    them, so that a few more can be added: the next refinement heeds the earlier ones of the same
    place too, and those of other places not.

    Parameters
    ----------
    viewer, labels, session
        What is edited.
    images
        The case's contrasts by name, (I, P, L).

    Attributes
    ----------
    side
        Longest side of the box that is solved again, in voxels; one of `BOX_SIDES`.
    maps
        Gives what a network says of each voxel, (I, P, L) arrays; none by default.
    on_state
        Called with nothing after scribbles came, went, or refining began or ended.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        labels: Labels,
        session: EditSession,
        images: Mapping[str, NDArray[Any]],
    ) -> None:
        self._viewer, self._labels, self._session = viewer, labels, session
        self._images = images
        self._drawn: list[Scribble] = []
        self._new = 0  # how many of them were not refined with yet
        self.side = BOX_SIDES[0]
        self._layer: Labels | None = None
        self._task: Task | None = None
        self._refiner: tuple[tuple[int, ...], Refiner] | None = None
        self.maps: Callable[[], Sequence[NDArray[Any]]] = lambda: ()
        self.on_state: list[Callable[[], None]] = []

    @property
    def count(self) -> int:
        """How many strokes are there, neighbouring ones of one kind counted once."""
        return len(self._drawn)

    @property
    def is_busy(self) -> bool:
        """Is a region being solved?"""
        return self._task is not None and self._task.is_running

    def draw(self, region: str, inside: bool, footprint: Footprint) -> None:
        """Say that voxels are, or are not, in a region."""
        clipped = footprint.clipped(self._session.codes.shape)
        if clipped is None:
            return
        box, mask = clipped
        last = self._drawn[-1] if self._new else None
        if last is not None and (last.region, last.inside) == (region, inside):
            both = _together(last.footprint, footprint)
            if max(both.mask.shape) <= _ONE_SCRIBBLE_VOXELS:
                self._drawn.pop()
                self._new -= 1
                footprint = both
        self._drawn.append(Scribble(region, inside, footprint))
        self._new += 1
        layer = self._shown()
        layer.data[box][mask] = _IS if inside else _IS_NOT
        editing_compat.redraw(layer, box)
        self._tell()

    def clear(self) -> None:
        """Wipe all scribbles off."""
        self._drawn, self._new = [], 0
        if self._layer is not None:
            self._layer.data[...] = 0
            self._layer.refresh(extent=False)
        self._tell()

    def refine(self) -> None:
        """Solve the scribbled regions again near the scribbles, as one step of undo."""
        from .task import Task

        if self.is_busy:
            return
        if not self._drawn or not self._images:
            say(NOTHING_SCRIBBLED if self._images else NO_IMAGES)
            return
        codes, side = self._session.codes.copy(), self.side
        # Asked for once more without another scribble, the last one says where.
        drawn, self._new = together(self._drawn, max(self._new, 1), side), 0
        refiner = self._solver()
        self._task = Task(lambda report, cancelled: refiner.solve(codes, drawn, side))
        self._task.finished.connect(lambda found: self._apply(found, codes, drawn))
        self._task.failed.connect(self._fail)
        self._task.start()
        self._tell()

    def detach(self) -> None:
        """Drop the scribbles and their layer, and what is being solved."""
        if self._task is not None:
            self._task.cancel()
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer, self._drawn, self._new = None, [], 0

    def _solver(self) -> Refiner:
        from ..editing.refine import Refiner

        maps = tuple(self.maps())
        key = tuple(id(one) for one in maps)
        if self._refiner is None or self._refiner[0] != key:
            images = list(self._images.values())
            session = self._session
            self._refiner = key, Refiner(session.grid, session.protocol, images, maps)
        return self._refiner[1]

    def _apply(
        self, found: Refinement, codes: NDArray[np.uint8], drawn: Sequence[Scribble]
    ) -> None:
        session = self._session
        if session.is_open or not np.array_equal(session.codes[found.box], codes[found.box]):
            say(CHANGED_MEANWHILE)
        else:
            named = dict.fromkeys(scribble.region for scribble in drawn)
            session.begin(f"refine {', '.join(named)}")
            for stroke in found.strokes:
                session.extend(stroke)
            session.end()
        self._tell()

    def _fail(self, sentence: str) -> None:
        say(sentence)
        self._tell()

    def _shown(self) -> Labels:
        """The scribbles' layer, above all others; made when first needed."""
        if self._layer is None or self._layer not in self._viewer.layers:
            self._layer = self._add()
            for scribble in self._drawn:  # the user had removed the layer from the list
                clipped = scribble.footprint.clipped(self._layer.data.shape)
                if clipped is not None:
                    self._layer.data[clipped[0]][clipped[1]] = _IS if scribble.inside else _IS_NOT
        return self._layer

    def _add(self) -> Labels:
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        active = self._viewer.layers.selection.active
        layer = Labels(
            np.zeros(self._session.codes.shape, dtype=np.uint8),
            name=SCRIBBLES_NAME,
            colormap=DirectLabelColormap(color_dict=_COLOURS),
            scale=self._labels.scale,
            translate=self._labels.translate,
            units=self._labels.units,
            axis_labels=self._labels.axis_labels,
            opacity=0.9,
        )
        layer.editable = False
        self._viewer.add_layer(layer)
        if active is not None:
            self._viewer.layers.selection.active = active
        return layer

    def _tell(self) -> None:
        for listener in self.on_state:
            listener()


def _together(one: Footprint, other: Footprint) -> Footprint:
    """All voxels of two footprints."""
    low = np.minimum(one.corner, other.corner)
    ends = [np.add(part.corner, part.mask.shape) for part in (one, other)]
    mask = np.zeros(np.maximum(*ends) - low, dtype=bool)
    for corner, part in (one, other):
        i, j, k = np.subtract(corner, low)
        height, width, depth = part.shape
        mask[i : i + height, j : j + width, k : k + depth] |= part
    return Footprint((int(low[0]), int(low[1]), int(low[2])), mask)
