"""The Labels layer as a view of an edit session: every way to change it leads to the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..editing import Change, EditSession
from . import editing_compat
from .editing_told import told

if TYPE_CHECKING:
    from napari.layers import Labels

#: Public methods of a Labels layer that change voxels: they act on the session instead.
REPLACED = ("paint", "fill", "paint_polygon", "data_setitem", "undo", "redo", "block_history")


class Painter(Protocol):
    """Paints what the layer's own methods are asked to paint, with the tool in the hand."""

    def paint_at(self, coordinates: Sequence[float], label: int) -> None: ...

    def fill_at(self, coordinates: Sequence[float], label: int) -> None: ...

    def paint_polygon(self, points: Any, label: int, from_edges: bool) -> None: ...


class LayerBridge:
    """Shares the session's array with a Labels layer and routes napari's edits to the session.

    napari's own undo history stays empty: undo on the layer is the session's.
    """

    def __init__(
        self,
        layer: Labels,
        session: EditSession,
        painter: Painter,
        undo: Callable[[], None],
        redo: Callable[[], None],
    ) -> None:
        self.layer = layer
        self.session = session
        self.encircling = False
        self._painter = painter
        self._undo, self._redo = undo, redo
        self._adopting = False
        self._adopt()
        self._replace_methods()
        layer.events.data.connect(self._on_data)
        layer.events.mode.connect(self._on_mode)
        session.on_change.append(self._on_change)
        editing_compat.remove_own_drawing(layer)

    def detach(self) -> None:
        """Leave the layer as a plain Labels layer again."""
        self.session.on_change.remove(self._on_change)
        self.layer.events.data.disconnect(self._on_data)
        self.layer.events.mode.disconnect(self._on_mode)
        for name in REPLACED:
            self.layer.__dict__.pop(name, None)
        editing_compat.unhook_encircling(self.layer)
        mode = self.layer.mode
        self.layer.mode = "pan_zoom"
        self.layer.mode = mode  # brings napari's own drawing back

    def _adopt(self) -> None:
        if self.layer.data is not self.session.codes:
            self._adopting = True
            self.layer.data = self.session.codes
            self._adopting = False

    def _replace_methods(self) -> None:
        layer, session, painter = self.layer, self.session, self._painter

        def paint(coord: Sequence[float], new_label: int, refresh: bool = True) -> None:
            painter.paint_at(coord, new_label)

        def fill(coord: Sequence[float], new_label: int, refresh: bool = True) -> None:
            painter.fill_at(coord, new_label)

        def paint_polygon(points: Any, new_label: int) -> None:
            painter.paint_polygon(points, new_label, from_edges=not self.encircling)

        def data_setitem(indices: Any, value: Any, refresh: bool = True) -> None:
            with told():
                session.put(indices, value, "edit from outside")

        @contextmanager
        def block_history() -> Iterator[None]:
            session.begin("edit from outside")
            try:
                yield
            finally:
                session.end()

        methods = (paint, fill, paint_polygon, data_setitem, self._undo, self._redo)
        for name, method in zip(REPLACED, (*methods, block_history), strict=True):
            setattr(layer, name, method)
        editing_compat.hook_encircling(layer, self._begin, self._commit, self._abort)

    def _begin(self) -> None:
        self.encircling = True
        self.session.begin("draw round and fill")

    def _commit(self) -> None:
        self.encircling = False
        self.session.end()

    def _abort(self) -> None:
        self.encircling = False
        self.session.abort()

    def _on_change(self, change: Change) -> None:
        editing_compat.redraw(self.layer, change.box)

    def _on_mode(self, event: object = None) -> None:
        editing_compat.remove_own_drawing(self.layer)

    def _on_data(self, event: object = None) -> None:
        """Somebody put another array into the layer: its codes become a step of undo."""
        if self._adopting or self.layer.data is self.session.codes:
            return
        codes: NDArray[Any] = np.asarray(self.layer.data)
        self._adopt()
        with told():
            self.session.replace(codes, "labels from outside", as_proposal=False)
