"""Joins the sections of the panel with the case that is open in the viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from ..annotation import Annotation
from ..case import Case
from ..volume import Modality
from . import actions
from .case_opening import CaseOpener
from .editing_sections import EditSections
from .exporting import Exporter
from .journal_link import JournalLink
from .label_opening import LabelOpener
from .layers import case_paths
from .looking_inside import Inspector
from .segmenting import Segmenter
from .session import CaseSession
from .widgets import questions
from .widgets.case_facts import summary, waiting_labels

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from ..study import Sitting
    from .panel import Panel


class Coordinator(QObject):
    """Opens and leaves cases, and passes what the widgets want to session, model and files."""

    case_changed = Signal()  # another case is open, or none: see `session`

    def __init__(self, viewer: ViewerModel, panel: Panel) -> None:
        super().__init__(panel)
        self.viewer = viewer
        self.session: CaseSession | None = None
        self._panel = panel
        self.case_opener = CaseOpener(panel.case, self.show_case, self)
        self.label_opener = LabelOpener(panel.case, lambda: self.session, self)
        self.work_file = JournalLink(self)
        self.segmenter = Segmenter(panel.segment, panel.regions, lambda: self.session, self)
        self.sections = EditSections(
            panel.shape, panel.lesions, panel.next, self.segmenter.prediction_of, self
        )
        self.exporter = Exporter(panel.export, lambda: self.session, self)
        self.inspector = Inspector(panel.inside, lambda: self.session, self)
        self._connect()

    @property
    def is_opening(self) -> bool:
        """Are files being read for a case that is not shown yet?"""
        return self.case_opener.is_busy

    # Opening and leaving

    def open_paths(
        self, paths: Sequence[Path], modalities: Mapping[Modality, Any] | None = None
    ) -> None:
        """Open a case from files beside the window; the present one is left only for a new one."""
        self.case_opener.open(paths, modalities)

    def show_case(self, case: Case, annotation: Annotation | None = None) -> bool:
        """Show a case in place of the present one; False when the user would rather keep that."""
        if not self.may_leave("before opening another case"):
            self._show_facts()
            return False
        self._leave()
        shown = self._clear_label(case) if annotation is None else annotation
        self._start(CaseSession(self.viewer, case, shown), annotation)
        return True

    def show_sitting(self, sitting: Sitting) -> bool:
        """Show a reading of a study in place of the present case; False when that is kept."""
        if not self.may_leave("before opening another case"):
            return False
        self._leave()
        session = CaseSession(self.viewer, sitting.case, sitting.start)
        session.model_allowed, session.reading = sitting.model_allowed, sitting.item
        self._start(session, sitting=sitting)
        return True

    def adopt(self, case: Case, layers: Sequence[Layer]) -> None:
        """Take layers that napari's reader has put into the viewer."""
        if self.session is not None and self.session.case is case:
            return
        if self._merge(case, layers):
            return
        if not self.may_leave("before opening another case"):
            for layer in layers:
                self.viewer.layers.remove(layer)
            return
        self._leave()
        self._start(CaseSession(self.viewer, case, layers=layers))

    def may_leave(self, before: str) -> bool:
        """Ask about changes that were not exported; True when they are safe or not wanted."""
        if self.session is None or self.session.is_saved or self.work_file.is_enough:
            return True
        if self.work_file.has_nothing_to_lose:
            return True
        answer = questions.ask_unsaved(
            self._panel, before, self._panel.export.path.name, self.work_file.tell_kept()
        )
        if answer is questions.Unsaved.SAVE:
            return self.exporter.run_now()
        return answer is questions.Unsaved.DISCARD

    # Inside

    def _connect(self) -> None:
        case, regions = self._panel.case, self._panel.regions
        case.modality_requested.connect(
            lambda name: self._with(lambda s: s.looks.show_modality(Modality(name)))
        )
        case.subtraction_requested.connect(lambda: self._with(lambda s: s.looks.show_subtraction()))
        case.plane_requested.connect(lambda name: self._with(lambda s: s.looks.show_plane(name)))
        regions.hidden_changed.connect(lambda names: self._with(lambda s: s.show_regions(names)))
        regions.jump_requested.connect(self._jump)
        regions.labels_wanted.connect(lambda: self._with(CaseSession.bring_back))
        regions.outline_changed.connect(lambda on: self._with(lambda s: s.show_outline(on)))
        regions.opacity_changed.connect(
            lambda value: self._with(lambda s: setattr(s.labels, "opacity", value))
        )
        self._panel.case.show_idle_help()
        self.work_file.state_told.connect(case.show_work)

    def _start(
        self,
        session: CaseSession,
        given: Annotation | None = None,
        sitting: Sitting | None = None,
    ) -> None:
        self.session = session
        self.work_file.follow(session, given, sitting)
        session.current_changed.connect(self._show_current)
        session.labels_removed.connect(lambda: self._panel.regions.offer_labels(True))
        session.looks.changed.connect(self._show_view)
        actions.bind(self.viewer, self._handlers())
        paths = case_paths(session.case)
        self._show_facts()
        self.case_opener.offer(session.case)
        self._panel.segment.offer_case(session.model_allowed)
        if not session.model_allowed:
            self._panel.segment.show_note("The model is not shown in this reading.")
        self.inspector.follow()
        self._panel.export.offer_case(paths[0].parent if paths else None, session.protocol)
        self._show_current()
        self._show_view()
        self.case_changed.emit()

    def _leave(self) -> None:
        self.segmenter.cancel()
        self.inspector.cancel()
        if self.session is not None:
            actions.unbind(self.viewer)
            self.work_file.let_go()
            self.sections.follow(None)
            leaving, self.session = self.session, None
            self.case_changed.emit()  # while the case's layers are still there
            leaving.close()

    def _merge(self, case: Case, layers: Sequence[Layer]) -> bool:
        """Files of one folder that were dropped one by one are one case."""
        session = self.session
        if session is None or not session.is_untouched:
            return False
        old, new = case_paths(session.case), case_paths(case)
        together = {p.parent for p in (*old, *new)}
        if len(together) != 1 or set(session.case.volumes) & set(case.volumes):
            return False
        for layer in layers:
            self.viewer.layers.remove(layer)
        self.open_paths([*old, *new])
        return True

    def _clear_label(self, case: Case) -> Annotation | None:
        from .reader import own_annotation

        return own_annotation(case)

    def _show_facts(self) -> None:
        session = self.session
        if session is None:
            self._panel.case.show_idle_help()
            return
        case = session.case
        self._panel.case.show_case(
            case.id, summary(case), case.modalities, case.warnings, session.looks.can_subtract
        )
        waiting = "" if session.edit.codes.any() else waiting_labels(case)
        self._panel.case.offer_label(waiting)

    def _show_current(self) -> None:
        session = self.session
        if session is None:
            return
        edit, layer = session.edit, session.labels
        self._panel.regions.show_protocol(session.protocol)
        self._panel.regions.offer_labels(False)
        self._panel.edit.setEnabled(True)
        session.controller.join(self._panel.edit)
        self.sections.follow(session.controller)
        if self._show_state not in edit.on_state:
            edit.on_state.append(self._show_state)
            layer.events.contour.connect(self._show_look)
            layer.events.opacity.connect(self._show_look)
        self._show_state()
        self._show_look()

    def _show_state(self) -> None:
        if self.session is not None:
            self._panel.regions.show_volumes(self.session.edit.volumes_ml())
            self.segmenter.follow(self.session.edit)

    def _show_look(self, event: object = None) -> None:
        if self.session is not None:
            layer = self.session.labels
            self._panel.regions.show_look(bool(layer.contour), layer.opacity)

    def _show_view(self) -> None:
        session = self.session
        if session is not None:
            self._panel.case.show_modality(session.looks.shown_name)
            self._panel.case.show_plane(session.looks.plane)
            self.sections.show_contrast(session.looks.shown_name)

    def _jump(self, region: str) -> None:
        if self.session is not None and not self.session.jump_to(region):
            self._panel.tell(f"There is no {region} in this segmentation.")

    def _with(self, do: Any) -> None:
        if self.session is not None:
            do(self.session)

    def _handlers(self) -> dict[str, Any]:
        session = self.session
        assert session is not None
        return {
            "next_modality": session.looks.next_modality,
            "previous_modality": lambda: session.looks.next_modality(-1),
            "toggle_labels": session.toggle_labels,
            "toggle_outline": session.toggle_outline,
            "jump": lambda: self._jump(session.controller.tool.region),
            "axial": lambda: session.looks.show_plane("axial"),
            "coronal": lambda: session.looks.show_plane("coronal"),
            "sagittal": lambda: session.looks.show_plane("sagittal"),
        }
