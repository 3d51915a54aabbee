"""The dock: its sections one above the other, and the viewer that they belong to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from qtpy.QtCore import QSize
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ..case import LabelFile
from . import compat
from .closing import CloseGuard, main_window_of
from .coordinator import Coordinator
from .dropping import DropTaker
from .editing_widget import EditWidget
from .key_focus import KeysFollowMouse
from .orientation import PLANES
from .pause import after_pause
from .widgets.case_box import CaseBox
from .widgets.export_box import ExportBox
from .widgets.inside_box import InsideBox
from .widgets.lesion_box import LesionBox
from .widgets.next_box import NextBox
from .widgets.region_box import RegionBox
from .widgets.section import Section, column
from .widgets.segment_box import SegmentBox
from .widgets.shape_box import ShapeBox
from .widgets.tall_area import TallArea

if TYPE_CHECKING:
    import napari
    from napari.components import ViewerModel

PLUGIN = "napari-mmseg"
TITLE = "Brain tumour segmentation"

#: Wide enough for every text at the usual font size: the dock then never has to grow, which
#: Qt's main window does not follow once it is laid out.
_WIDTH_PX = 390

#: An unfolded section is brought into sight so long after it was opened: when it is laid out (ms).
_LAYOUT_MS = 50

_panels: WeakKeyDictionary[ViewerModel, Panel] = WeakKeyDictionary()


class Companion(Protocol):
    """Another dock of the same viewer; the panel keeps it when its dock is closed."""

    def let_go(self) -> None:
        """Stop what is running: the window is about to close."""


class Panel(QWidget):
    """The sections of one viewer; `coordinator` does what they ask for."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.case = CaseBox(list(PLANES))
        self.regions = RegionBox()
        self.segment = SegmentBox()
        self.edit = EditWidget()
        self.shape = ShapeBox()
        self.lesions = LesionBox()
        self.next = NextBox()
        self.export = ExportBox()
        self.inside = InsideBox()
        self.sections = {
            "case": Section("Case", self.case),
            "segment": Section("Segment", self.segment),
            "volumes": Section("Regions", self.regions),
            "correct": Section("Correct", self.edit),
            "shape": Section("Shape the region", self.shape, expanded=False),
            "lesions": Section("Lesions", self.lesions, expanded=False),
            "next": Section("Where to look next", self.next, expanded=False),
            "export": Section("Export", self.export),
            "inside": Section("Look inside the network", self.inside, expanded=False),
        }
        self._build()
        self.companions: dict[str, Companion] = {}  # other docks of this viewer, by their titles
        self._guard: CloseGuard | None = None
        self._droppers: list[DropTaker] = []
        self.coordinator = Coordinator(viewer, self)
        self.coordinator.segmenter.offer_models()
        self.sections["inside"].toggled.connect(self.coordinator.inspector.open)
        edit = self.coordinator.sections
        self.sections["lesions"].toggled.connect(edit.lesions.open)
        edit.lesions.pointed_at.connect(self.sections["lesions"].expand)
        edit.next_place.moved.connect(self.sections["next"].expand)
        self._take_drops(self)
        _panels[viewer] = self

    def _build(self) -> None:
        self._unfolded: Section | None = None
        self._reveal = after_pause(self, _LAYOUT_MS, self._show_unfolded)
        inside = QWidget()
        inner = column(inside, margin=0, spacing=0)
        for section in self.sections.values():
            inner.addWidget(section)
            section.toggled.connect(partial(self._bring_into_sight, section))
        inner.addStretch(1)
        self.setMinimumWidth(_WIDTH_PX)
        self._scroll = TallArea(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH_PX, self._scroll.sizeHint().height())

    def show_section(self, name: str) -> None:
        """Unfold a section and bring it into sight."""
        section = self.sections[name]
        section.expand()
        self._scroll.ensureWidgetVisible(section)

    def _bring_into_sight(self, section: Section, is_open: bool) -> None:
        """What is unfolded at the panel's lower end is seen, not only its title."""
        if is_open and self.isVisible():
            self._unfolded = section
            self._reveal.start()

    def _show_unfolded(self) -> None:
        if self._unfolded is not None and self._unfolded.is_expanded:
            self._scroll.ensureWidgetVisible(self._unfolded)
            self._scroll.ensureVisible(0, self._unfolded.y())  # its title, if it is taller

    @property
    def is_guarded(self) -> bool:
        """Will the window ask before unsaved changes are lost? True once the panel was seen."""
        return self._guard is not None

    def tell(self, text: str) -> None:
        """A passing note to the user."""
        from napari.utils.notifications import show_info

        show_info(text)

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        window = main_window_of(self)
        if window is None or self._guard is not None:
            return
        self._guard = CloseGuard(window, self._may_close)
        if (target := compat.drop_target(window)) is not None:
            self._take_drops(target)
            KeysFollowMouse(target, self)

    def _may_close(self) -> bool:
        """Asked when the window is about to close; True lets go of the viewer."""
        if not self.coordinator.may_leave("before closing"):
            return False
        self.coordinator.segmenter.cancel()
        self.coordinator.inspector.cancel()
        for companion in self.companions.values():
            companion.let_go()
        self.coordinator.work_file.let_go()
        _panels.pop(self.coordinator.viewer, None)  # a panel holds its viewer
        return True

    def _take_drops(self, target: QWidget) -> None:
        from ..io import looks_like_case

        self._droppers.append(
            DropTaker(target, looks_like_case, lambda paths: self.coordinator.open_paths(paths))
        )
        labels = self.coordinator.label_opener
        self._droppers.append(
            DropTaker(target, labels.takes, lambda paths: labels.open(LabelFile(paths[0])))
        )


def make_panel() -> Panel:
    """The panel of the current viewer: a new one, or the one whose dock was closed.

    napari lets go of a widget when its dock is closed; case and undo history live on in it.
    """
    import napari

    viewer = napari.current_viewer()
    if viewer is None:
        raise RuntimeError("there is no napari window to put the panel in")
    return panel_of(viewer) or Panel(viewer)


def panel_of(viewer: ViewerModel) -> Panel | None:
    return _panels.get(viewer)


def show_panel(viewer: napari.Viewer) -> Panel:
    """The panel of a viewer, docked and in sight."""
    dock, panel = viewer.window.add_plugin_dock_widget(PLUGIN, TITLE)
    dock.show()
    assert isinstance(panel, Panel)
    return panel


def show_section(name: str) -> None:
    """For the menus: the current viewer's panel with one section unfolded."""
    import napari

    if (viewer := napari.current_viewer()) is not None:
        show_panel(viewer).show_section(name)


def start_afresh() -> None:
    """For the menus: begin the open case again; the work so far is kept beside."""
    import napari

    viewer = napari.current_viewer()
    if viewer is not None and (panel := panel_of(viewer)) is not None:
        panel.coordinator.work_file.start_afresh()


def add_subtraction() -> None:
    """For the menus: T1ce - T1 of the open case."""
    import napari
    from napari.utils.notifications import show_info

    if (viewer := napari.current_viewer()) is None:
        return
    panel = panel_of(viewer)
    session = panel.coordinator.session if panel is not None else None
    if session is None or not session.looks.can_subtract:
        show_info("Open a case with T1 and T1ce first.")
        return
    session.looks.show_subtraction()
