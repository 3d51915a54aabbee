"""Docks that stand beside the panel of a viewer: made once, found again, shown in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from .panel import PLUGIN, Companion, panel_of, show_panel

if TYPE_CHECKING:
    import napari

    from .coordinator import Coordinator

Dock = TypeVar("Dock", bound=Companion)


def make_companion(kind: type[Dock], title: str, make: Callable[[Coordinator], Dock]) -> Dock:
    """The dock of a title in the current viewer: a new one, or the one that was closed.

    It needs the panel of the viewer, which is shown beside it.
    """
    import napari

    viewer = napari.current_viewer()
    if viewer is None:
        raise RuntimeError(f'there is no napari window to put the dock "{title}" in')
    panel = panel_of(viewer) or show_panel(viewer)
    if title not in panel.companions:
        panel.companions[title] = make(panel.coordinator)
    dock = panel.companions[title]
    assert isinstance(dock, kind)
    return dock


def show_companion(kind: type[Dock], title: str, viewer: napari.Viewer | None) -> Dock | None:
    """The dock of a title in a viewer (the current one), in sight, tabbed with the panel."""
    import napari

    viewer = viewer or napari.current_viewer()
    if viewer is None:
        return None
    show_panel(viewer)
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, title, tabify=True)
    dock.show()
    dock.raise_()
    assert isinstance(widget, kind)
    return widget
