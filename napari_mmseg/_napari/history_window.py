"""The viewer with an annotation's history: a slider over its steps, one layer that follows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..case import Case
from ..grid import DISPLAY_ORIENTATION
from ..journal.film import busiest_slice
from ..journal.summary import moment
from ..journal.timeline import Film, Timeline
from .colours import label_colormap
from .layers import LABELS_NAME, LABELS_OPACITY, case_tuples
from .orientation import PLANES

if TYPE_CHECKING:
    import napari
    from napari.components import ViewerModel

    from ..journal.replay import Work

PROPOSAL_NAME = "Proposal (outline)"

_NOTE = "mmseg_history"
_NOTE_POINTS = 12
_NOTE_COLOUR = (1.0, 0.86, 0.35, 1.0)  # amber, as the letters of the other window


def show_history(work: Work, case: Case | None = None, screenshot: Path | None = None) -> None:
    """Open the window; return when it is closed, or when its picture is saved.

    Raises
    ------
    InputError
        When this program does not know the work file's protocol.
    """
    import napari

    from .launch import save_screenshot

    viewer = napari.Viewer(title="napari-mmseg: history", show_welcome_screen=False)
    HistoryView(viewer, work, case)
    if screenshot is not None:
        save_screenshot(viewer, screenshot)
        viewer.close()
        return
    napari.run()


class HistoryView:
    """Puts a work file's history into a viewer.

    The first slider goes over the steps and stands at the last; the view turns to where each was
    done, and a line says what it was. Only the labels at one step are in memory.

    Parameters
    ----------
    viewer
        An empty viewer.
    work
        What the work file tells.
    case
        Images to show below, if any.
    """

    def __init__(self, viewer: ViewerModel, work: Work, case: Case | None = None) -> None:
        from napari.components.overlays import TextOverlay

        self._viewer, self._grid = viewer, work.header.grid
        self._timeline = Timeline(work)
        for data, meta, _ in case_tuples(case) if case is not None else []:
            viewer.add_image(data, **meta)
        colours = label_colormap(work.header.load_protocol())
        self._add(Film(self._timeline), work.header.layer or LABELS_NAME, colours, LABELS_OPACITY)
        labels = viewer.layers.selection.active
        outline = self._add(Film(self._timeline, proposal=True), PROPOSAL_NAME, colours, 1.0)
        outline.contour = 1
        viewer.layers.selection.active = labels
        self._note = TextOverlay(
            position="top_left", font_size=_NOTE_POINTS, color=_NOTE_COLOUR, visible=True
        )
        viewer.canvas.overlays[_NOTE] = self._note
        viewer.dims.order = (0, *(axis + 1 for axis in PLANES["axial"]))
        self._shown = -1
        self._go_to_slice(0, busiest_slice(work, 0))
        viewer.dims.events.current_step.connect(self._follow)
        viewer.dims.set_point(0, len(self._timeline) - 1)
        self._follow()

    @property
    def position(self) -> int:
        """The step that is shown: how many acts had been done."""
        return round(float(self._viewer.dims.point[0]))

    def _add(self, film: Film, name: str, colours: object, opacity: float) -> napari.layers.Labels:
        layer = self._viewer.add_labels(
            film,
            name=name,
            colormap=colours,
            opacity=opacity,
            scale=(1.0, *self._grid.spacing),
            translate=(0.0, *self._grid.display_translate),
            units=("pixel", "mm", "mm", "mm"),
            axis_labels=("step", *DISPLAY_ORIENTATION),
        )
        layer.editable = False
        return layer

    def _follow(self, event: object = None) -> None:
        """Turn to the step that was chosen, and say what it was."""
        position = self.position
        if position == self._shown:
            return
        self._shown = position
        self._note.text = self._told(position)
        entry = self._timeline.entry(position)
        if entry is None or entry.step is None or entry.step.codes is None:
            return
        sliced = [axis - 1 for axis in self._viewer.dims.not_displayed if axis > 0]
        for axis in sliced:
            side = entry.step.codes.box[axis]
            start, mm = self._grid.display_translate[axis], self._grid.spacing[axis]
            now = round((float(self._viewer.dims.point[axis + 1]) - start) / mm)
            if not side.start <= now < side.stop:
                self._go_to_slice(axis, (side.start + side.stop - 1) // 2)

    def _go_to_slice(self, axis: int, index: int) -> None:
        grid = self._grid
        place = grid.display_translate[axis] + index * grid.spacing[axis]
        self._viewer.dims.set_point(axis + 1, place)

    def _told(self, position: int) -> str:
        entry = self._timeline.entry(position)
        last = len(self._timeline) - 1
        if entry is None or entry.step is None:
            return f"0 of {last}: the beginning"
        deed = {"undo": "undo ", "redo": "redo "}.get(str(entry.deed), "")
        minutes = entry.effort.active_seconds / 60
        return (
            f"{position} of {last}: {deed}{entry.step.label}\n"
            f"{moment(entry.at)[:-6].replace('T', ' ')} UTC, {minutes:.1f} min at work"
        )
