"""The magnetic lasso: clicks that are joined along edges, shown as it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..editing import Footprint
from .editing_told import say, told
from .editing_tool import EditTool, Tool
from .editing_view import SliceView, Voxel

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Shapes

    from ..editing.lasso import Lasso

LASSO_NAME = "Lasso"

#: Gives a lasso up; bound only while there is one, as napari's polygon has the same key.
CANCEL_KEY = "Escape"

NO_IMAGE = "The lasso follows the edges of an image: open one"

_COLOUR = "yellow"
_WIDTH_VOXELS = 0.7

#: The way back to the first corner, which a double click would close, is thinner; corners are dots.
_BACK_COLOUR = "orange"
_BACK_WIDTH_VOXELS = 0.35
_CORNER_VOXELS = 0.9  # half a side


class LassoHand:
    """The corners clicked so far in one slice, and the way between them.

    Parameters
    ----------
    viewer, layer, view
        Where the way is shown.
    spacing
        Voxel edges in mm along (I, P, L).
    tool
        Gives the tool in the hand.
    images
        The case's contrasts by name, (I, P, L).
    lay
        Takes the area of a closed lasso.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        layer: Labels,
        view: SliceView,
        spacing: tuple[float, float, float],
        tool: Callable[[], EditTool],
        images: Mapping[str, NDArray[Any]],
        lay: Callable[[Footprint], None],
    ) -> None:
        self._viewer, self._layer, self._view = viewer, layer, view
        self._spacing, self._tool, self._images, self._lay = spacing, tool, images, lay
        self._ways: Lasso | None = None
        self._slice = (-1, -1, "")
        self._corners: list[Voxel] = []
        self._drawn: list[NDArray[np.intp]] = []  # the way to each corner after the first
        self._shown: Shapes | None = None
        layer.mouse_move_callbacks.append(self._on_move)
        layer.mouse_double_click_callbacks.append(self._on_double_click)

    @property
    def corners(self) -> tuple[Voxel, ...]:
        """The corners clicked so far."""
        return tuple(self._corners)

    def press(self, voxel: Voxel) -> None:
        """Put a corner at a voxel; in another slice or contrast the lasso begins anew."""
        from ..editing.lasso import Lasso

        name = self._contrast()
        if not name:
            say(NO_IMAGE)
            return
        here = (self._view.across, voxel[self._view.across], name)
        with told():
            if self._ways is None or here != self._slice:
                self.clear()
                self._ways = Lasso(self._images[name], self._spacing, here[0], here[1])
                self._slice = here
            end = self._corners[-1] if self._corners else voxel
            way = self._ways.path(end, voxel)  # refuses what lies outside
            if self._corners:
                self._drawn.append(way)
            else:
                self._layer.bind_key(CANCEL_KEY, lambda _: self.clear(), overwrite=True)
            self._corners.append(voxel)
            self._show(voxel)

    def back(self) -> None:
        """Take the last corner away."""
        if len(self._corners) < 2:
            self.clear()
            return
        self._corners.pop()
        self._drawn.pop()
        self._show(self._corners[-1])

    def close(self) -> None:
        """Go back to the first corner, and hand over what is enclosed."""
        if self._ways is None or not self._corners:
            return
        ways, corners = self._ways, self._corners
        self.clear()
        with told():
            self._lay(ways.fill(corners))

    def clear(self) -> None:
        """Forget the corners."""
        if self._corners:
            self._layer.bind_key(CANCEL_KEY, None)
        self._corners, self._drawn, self._ways = [], [], None
        if self._shown is not None and self._shown in self._viewer.layers:
            self._viewer.layers.remove(self._shown)
        self._shown = None

    def detach(self) -> None:
        self.clear()
        self._layer.mouse_move_callbacks.remove(self._on_move)
        self._layer.mouse_double_click_callbacks.remove(self._on_double_click)

    def _on_move(self, layer: Labels, event: Any) -> None:
        if self._corners and self._tool().tool is Tool.LASSO and self._view.is_flat:
            voxel = self._view.voxel_at(event.position)
            if self._view.holds(voxel) and voxel[self._slice[0]] == self._slice[1]:
                self._show(voxel)

    def _on_double_click(self, layer: Labels, event: Any) -> None:
        if self._tool().tool is Tool.LASSO:
            self.close()

    def _contrast(self) -> str:
        """The contrast that is followed: the one chosen, else the one on screen."""
        chosen = self._tool().looks_at
        if chosen in self._images:
            return chosen
        seen = [ly.name for ly in self._viewer.layers if ly.visible and ly.name in self._images]
        return str(seen[-1]) if seen else next(iter(self._images), "")

    def _show(self, voxel: Voxel) -> None:
        """Draw the way through all corners and on to a voxel, and how it would be closed there."""
        if self._ways is None:
            return
        drawn = [*self._drawn, self._ways.path(self._corners[-1], voxel)]
        layer = self._overlay()
        layer.data = []
        if self._drawn:  # with fewer than two corners there is nothing to close
            back = _line(self._ways.path(voxel, self._corners[0], drawn))
            layer.add_paths([back], edge_color=_BACK_COLOUR, edge_width=_BACK_WIDTH_VOXELS)
        way = _line(np.concatenate(drawn))
        layer.add_paths([way], edge_color=_COLOUR, edge_width=_WIDTH_VOXELS)
        dots = [self._dot(corner) for corner in self._corners]
        layer.add_rectangles(dots, edge_color=_COLOUR, face_color=_COLOUR, edge_width=0.1)

    def _dot(self, corner: Voxel) -> NDArray[np.float64]:
        """A small square round a corner in its slice: (4, 3)."""
        square = np.tile(np.array(corner, dtype=float), (4, 1))
        plane = [axis for axis in range(3) if axis != self._slice[0]]
        square[:, plane] += _CORNER_VOXELS * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
        return square

    def _overlay(self) -> Shapes:
        from napari.layers import Shapes

        if self._shown is None or self._shown not in self._viewer.layers:
            active = self._viewer.layers.selection.active
            layer = Shapes(
                ndim=3,
                name=LASSO_NAME,
                scale=self._layer.scale,
                translate=self._layer.translate,
                units=self._layer.units,
                axis_labels=self._layer.axis_labels,
            )
            layer.editable = False
            self._viewer.add_layer(layer)
            self._viewer.layers.selection.active = active
            self._shown = layer
        return self._shown


def _line(way: NDArray[np.intp]) -> NDArray[np.float64]:
    """A way (n, 3) as a line, which has two points at least."""
    points = way.astype(float)
    return np.repeat(points, 2, axis=0) if len(points) < 2 else points
