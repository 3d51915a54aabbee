"""The real napari window with a case in it: what `napari-mmseg view` opens."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..annotation import Annotation
from ..case import Case

if TYPE_CHECKING:
    import napari
    from qtpy.QtWidgets import QWidget

    from ..study import Sitting

#: A window in which slices, layer list and panel are seen without scrolling.
_ROOMY_PX = (1800, 1040)

#: Time that layout, fonts and canvas are given to be drawn before a picture is taken.
_DRAW_SECONDS = 1.5


def view(
    case: Case | Path | str | None = None,
    annotation: Annotation | None = None,
    screenshot: Path | None = None,
    sitting: Sitting | None = None,
) -> None:
    """Open the viewer with the panel docked; return when the window is closed.

    Parameters
    ----------
    case
        An open case, or where one is; None for an empty viewer.
    annotation
        Shown and corrected from the start.
    screenshot
        Save a picture of the whole window there and close, for scripts without a user.
    sitting
        A reading of a study, instead of a case.

    Raises
    ------
    MmsegError
        When the case cannot be opened.
    """
    import napari

    viewer = open_window(case, annotation, sitting)
    if screenshot is not None:
        save_screenshot(viewer, screenshot)
        viewer.close()
        return
    napari.run()


def open_window(
    case: Case | Path | str | None = None,
    annotation: Annotation | None = None,
    sitting: Sitting | None = None,
) -> napari.Viewer:
    """The window, not yet running its event loop."""
    import napari

    from ..io import open_case
    from .panel import show_panel

    if isinstance(case, str | Path):
        case = open_case(case)
    viewer = napari.Viewer(
        title="napari-mmseg", show_welcome_screen=case is None and sitting is None
    )
    panel = show_panel(viewer)
    _make_room(panel)
    if sitting is not None:
        panel.coordinator.show_sitting(sitting)
    elif case is not None:
        panel.coordinator.show_case(case, annotation)
    return viewer


def _make_room(panel: QWidget) -> None:
    """A window large enough for slices and panel side by side, where the screen allows."""
    from qtpy.QtCore import QSize

    from .closing import main_window_of

    window = main_window_of(panel)
    screen = window.screen() if window is not None else None
    if window is None or screen is None:
        return
    free = screen.availableGeometry().size()
    wanted = window.size().expandedTo(QSize(*_ROOMY_PX))
    window.resize(wanted.boundedTo(free))
    if free.width() < _ROOMY_PX[0] or free.height() < _ROOMY_PX[1]:
        window.move(screen.availableGeometry().topLeft())


def save_screenshot(viewer: napari.Viewer, path: Path) -> None:
    """Let the window draw, then save a picture of it with its panels."""
    from qtpy.QtWidgets import QApplication

    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + _DRAW_SECONDS
    while time.monotonic() < end:
        QApplication.processEvents()
    viewer.window.screenshot(str(path), flash=False, canvas_only=False)
