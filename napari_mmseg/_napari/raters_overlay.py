"""What is drawn of the raters over the case: outlines, a map of disagreement, a consensus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject

from .raters_group import RaterGroup
from .raters_layers import remove_consensus, remove_map, show_consensus, show_map
from .raters_outline_layer import OutlineLayer
from .raters_outlines import Outlines, outlines, who_says_so
from .task import Task
from .widgets.raters_look_box import METHODS, RatersLookBox

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ..agreement.consensus import Consensus
    from ..agreement.panel import Panel
    from ..case import Case


class RaterOverlay(QObject):
    """Joins the Overlay section with the viewer of one case.

    Parameters
    ----------
    box
        The section.
    group
        Whose labels are drawn.
    """

    def __init__(
        self, box: RatersLookBox, group: RaterGroup, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._box, self._group = box, group
        self._panel: Panel | None = None
        self._viewer: ViewerModel | None = None
        self._case: Case | None = None
        self._lines: OutlineLayer | None = None
        self._outlining: Task | None = None
        self._voting: Task | None = None
        self._pointed = ""
        box.outlines_changed.connect(lambda _: self._draw_outlines())
        box.map_changed.connect(lambda _: self._draw_map())
        box.consensus_changed.connect(lambda _: self._draw_consensus())
        box.region_changed.connect(lambda _: self._redraw())
        group.shown_changed.connect(self._redraw)

    def follow(self, viewer: ViewerModel | None, case: Case | None) -> None:
        """Draw over another case, or over none."""
        self._cancel()
        if self._lines is not None:
            self._lines.detach()
            self._lines = None
        self._viewer, self._case, self._panel = viewer, case, None
        self._box.reset()
        if viewer is not None and case is not None:
            self._lines = OutlineLayer(viewer, case, self._draw_outlines)

    def show(self, panel: Panel | None) -> None:
        """Draw these raters; None: there are none (yet)."""
        is_first = self._panel is None
        self._panel = panel
        if panel is not None and is_first:
            self._go_there(panel)
        self._redraw()
        self._draw_consensus()

    def point_out(self, letter: str) -> None:
        """Draw one rater's outline over the others; the empty letter for all alike."""
        self._pointed = letter
        if self._lines is not None:
            self._lines.point_out(self._row_pointed_out)

    @property
    def is_busy(self) -> bool:
        """Is anything still being worked out?"""
        return any(t is not None and t.is_running for t in (self._outlining, self._voting))

    # Inside

    def _redraw(self) -> None:
        self._draw_outlines()
        self._draw_map()

    def _go_there(self, panel: Panel) -> None:
        """Turn to the slice with most of what anybody marked, unless some of it is on screen."""
        viewer, case = self._viewer, self._case
        if viewer is None or case is None or viewer.dims.ndisplay != 2:
            return
        across = int(viewer.dims.order[0])
        marked = panel.codes.any(axis=0)
        counts = marked.sum(axis=tuple(axis for axis in range(3) if axis != across))
        first = panel.box[across].start
        mm, origin = case.grid.spacing[across], case.grid.display_translate[across]
        shown = round((float(viewer.dims.point[across]) - origin) / mm) - first
        if counts.any() and not (0 <= shown < counts.size and counts[shown]):
            viewer.dims.set_point(across, origin + (first + int(np.argmax(counts))) * mm)

    def _numbers(self) -> list[int]:
        """Rows of the panel whose raters are shown."""
        return [number for number, rater in enumerate(self._group) if rater.is_shown]

    def _draw_outlines(self) -> None:
        panel, lines, region = self._panel, self._lines, self._box.region
        if self._outlining is not None:
            self._outlining.cancel()
        if lines is None:
            return
        numbers = self._numbers()
        if panel is None or not numbers or not region or not self._box.has_outlines:
            lines.hide()
            return
        if not lines.is_flat:
            return
        across, corner = lines.across, _corner(panel)

        def find(report: object, cancelled: object) -> Outlines:
            says = panel.says(region)
            return outlines(who_says_so([says[n] for n in numbers]), across, corner)

        self._outlining = Task(find)
        self._outlining.finished.connect(self._show_outlines)
        self._outlining.start()

    def _show_outlines(self, found: Outlines) -> None:
        if self._lines is not None:
            colours = [rater.colour for rater in self._group.shown]
            self._lines.show(found, colours, self._row_pointed_out)

    @property
    def _row_pointed_out(self) -> int | None:
        """The place of the rater pointed out among those shown."""
        letters = [rater.letter for rater in self._group.shown]
        return letters.index(self._pointed) if self._pointed in letters else None

    def _draw_map(self) -> None:
        viewer, case, panel, region = self._viewer, self._case, self._panel, self._box.region
        if viewer is None or case is None:
            return
        numbers, kind = self._numbers(), self._box.map_name
        if panel is None or not region or not kind or len(numbers) < 2:
            remove_map(viewer, case)
            return
        votes = panel.says(region)[numbers].sum(axis=0, dtype=np.uint8)
        if kind == "count":
            values, highest = votes.astype(np.float32), float(len(numbers))
            name = f"How many count {region} in"
        else:
            values, highest = _entropy_bits(votes, len(numbers)), 1.0
            name = f"Disagreement on {region} (bits)"
        show_map(viewer, case, values, _corner(panel), name, highest)

    def _draw_consensus(self) -> None:
        viewer, case, method = self._viewer, self._case, self._box.method
        if self._voting is not None:
            self._voting.cancel()
        if viewer is None or case is None:
            return
        self._box.say("")
        if self._panel is None or not method or len(self._group) < 2:
            remove_consensus(viewer, case)
            return
        annotations: Any = self._group.annotations

        def vote(report: object, cancelled: object) -> Consensus:
            from ..agreement.consensus import consensus

            return consensus(annotations, method)  # type: ignore[arg-type]

        self._box.say("Working out the consensus…")
        self._voting = Task(vote)
        self._voting.finished.connect(self._show_consensus)
        self._voting.failed.connect(self._box.say)
        self._voting.start()

    def _show_consensus(self, found: Consensus) -> None:
        if self._viewer is None or self._case is None:
            return
        title = next(text for text, name in METHODS if name == found.method)
        show_consensus(self._viewer, self._case, found.annotation, f"Consensus ({title})")
        volumes = ", ".join(f"{n} {ml:.1f} ml" for n, ml in found.annotation.volumes_ml.items())
        self._box.say("\n".join([f"Consensus of all raters: {volumes}.", *found.notes]))

    def _cancel(self) -> None:
        for task in (self._outlining, self._voting):
            if task is not None:
                task.cancel()


def _corner(panel: Panel) -> tuple[int, int, int]:
    i, j, k = (side.start for side in panel.box)
    return i, j, k


def _entropy_bits(votes: Any, raters: int) -> Any:
    """Entropy of the votes for and against in bits: 0 where all agree, 1 at half and half."""
    share = np.arange(raters + 1) / raters
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    return np.nan_to_num(bits).astype(np.float32)[votes]
