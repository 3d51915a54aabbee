"""One case that is open in one viewer, and the annotations edited on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from ..annotation import Annotation, Provenance
from ..case import Case
from ..editing import EditSession
from ..protocol import Protocol, load_protocol
from . import actions, compat, cursor
from .colours import label_colormap
from .layers import (
    LABELS_NAME,
    ORIGIN,
    Origin,
    best_slice,
    case_tuples,
    labels_tuple,
    layers_of,
    origin_of,
)
from .looks import CaseLooks, is_image

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

    from .editing_controller import EditController


#: How outlines are drawn: one voxel wide and nearly solid, since they cover so little.
OUTLINE_VOXELS = 1
OUTLINE_OPACITY = 0.9


@dataclass(frozen=True, eq=False)
class Track:
    """One annotation that is being edited, and the layer that shows it.

    `is_logged` says that its changes are kept elsewhere as they are made.
    """

    edit: EditSession
    layer: Labels
    is_logged: bool = False


class CaseSession:
    """A case in a viewer: `looks` shows its images, `current` is the annotation in hand.

    Parameters
    ----------
    viewer
        Where the case is shown.
    case
        What is shown.
    annotation
        What to begin with; an empty one when None.
    layers
        Layers of this case that are already in the viewer (from the reader).

    Signals
    -------
    annotation_added
        A further annotation is there (its track), still empty: what comes now is its first step.
    current_changed
        Another annotation is the one in hand.
    labels_removed
        The user took the layer of the annotation in hand out of the list.
    """

    annotation_added = Signal(Track)
    current_changed = Signal()
    labels_removed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        case: Case,
        annotation: Annotation | None = None,
        layers: Sequence[Layer] = (),
    ) -> None:
        self.viewer = viewer
        self.case = case
        self.tracks: list[Track] = []
        self.model_allowed = True  # not where a study hides what the model proposes
        self.reading = ""  # the name of the reading of a study that this is
        self._closing = False
        self._other_opacity = OUTLINE_OPACITY
        own = list(layers)
        if not any(is_image(ly) for ly in own):
            own = [viewer.add_image(data, **meta) for data, meta, _ in case_tuples(case)] + own
        for layer in own:
            origin = origin_of(layer)
            if origin is not None:  # napari numbers names that the case before had taken
                layer.name = str(origin.modality or LABELS_NAME)
        label_layer = next((ly for ly in own if not is_image(ly)), None)
        if label_layer is not None and annotation is None:
            annotation = origin_of(label_layer).annotation  # type: ignore[union-attr]
        self.looks = CaseLooks(viewer, case, self._describe)
        self._current = self._track(annotation or blank(case), label_layer)
        self.controller = self._attached()
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.selection.events.active.connect(self._on_active)
        self._look_first()

    # What it holds

    @property
    def current(self) -> Track:
        """The annotation in hand: the one whose layer was selected last."""
        return self._current

    @property
    def edit(self) -> EditSession:
        return self._current.edit

    @property
    def labels(self) -> Labels:
        return self._current.layer

    @property
    def protocol(self) -> Protocol:
        return self._current.edit.protocol

    @property
    def is_saved(self) -> bool:
        return all(track.edit.is_saved for track in self.tracks)

    @property
    def is_untouched(self) -> bool:
        """Has nothing been labelled or changed since the case was opened?"""
        return all(t.edit.is_saved and not t.edit.undo_depth for t in self.tracks)

    # Annotations

    def add_annotation(self, annotation: Annotation, name: str) -> Track:
        """Show an annotation in a layer of its own and take it in hand.

        It counts as not saved: it is a first step on an empty annotation.
        """
        track = self._track(blank(self.case, annotation.protocol), None, name)
        self.annotation_added.emit(track)
        track.edit.replace(annotation, name)
        self._take(track)
        return track

    def show_annotation(
        self, annotation: Annotation, name: str, *, is_logged: bool = False
    ) -> Track:
        """Show an annotation in a layer of its own and take it in hand, with nothing to undo.

        It counts as saved until it is changed: whoever made it can make it again.
        """
        track = self._track(annotation, None, name, is_logged)
        self._take(track)
        return track

    def bring_back(self) -> None:
        """Show the annotation in hand again after its layer was removed from the list."""
        track = self._current
        if track.layer in self.viewer.layers:
            return
        self.tracks.remove(track)
        data, meta, _ = labels_tuple(self.case, track.edit.annotation(), track.layer.name)
        layer = self.viewer.add_labels(data, **meta)
        self._take(self._track_of(track.edit, layer, track.is_logged))

    # Looks

    def toggle_labels(self) -> None:
        self.labels.visible = not self.labels.visible

    def show_outline(self, outline: bool) -> None:
        """Borders only, drawn solid; or areas, as transparent as before."""
        if outline == bool(self.labels.contour):
            return
        self._other_opacity, self.labels.opacity = self.labels.opacity, self._other_opacity
        self.labels.contour = OUTLINE_VOXELS if outline else 0

    def toggle_outline(self) -> None:
        self.show_outline(not self.labels.contour)

    def show_regions(self, hidden: set[str]) -> None:
        """Colour the labels so that the regions named are not told apart from their parents."""
        self.labels.colormap = label_colormap(self.protocol, hidden)

    def jump_to(self, region: str) -> bool:
        """Go to the largest cross-section of a region in the plane shown; False when empty."""
        axis = int(self.viewer.dims.order[0]) if self.viewer.dims.ndisplay == 2 else 0
        index = best_slice(self.edit.codes, self.protocol.inside_table(region), axis)
        if index is None:
            return False
        self.looks.go_to_slice(axis, index)
        return True

    def close(self, remove_layers: bool = True) -> None:
        """Let go of the viewer; with `remove_layers` the case's layers go too."""
        self._closing = True
        self.viewer.layers.events.removed.disconnect(self._on_removed)
        self.viewer.layers.selection.events.active.disconnect(self._on_active)
        self.controller.detach()
        for track in self.tracks:
            track.layer.events.mode.disconnect(self._on_mode)
        self.looks.close()
        for layer in layers_of(self.viewer.layers, self.case):
            compat.describe_as_before(layer)
            if remove_layers:
                self.viewer.layers.remove(layer)

    # Inside

    def _track(
        self,
        annotation: Annotation,
        layer: Labels | None,
        name: str = LABELS_NAME,
        is_logged: bool = False,
    ) -> Track:
        if layer is None:
            data, meta, _ = labels_tuple(self.case, annotation, name)
            layer = self.viewer.add_labels(data.copy(), **meta)
        return self._track_of(EditSession(annotation), layer, is_logged)

    def _track_of(self, edit: EditSession, layer: Labels, is_logged: bool) -> Track:
        track = Track(edit, layer, is_logged)
        layer.metadata[ORIGIN] = Origin(self.case, edit=edit)
        compat.describe_with(layer, partial(self._describe, track=track))
        layer.events.mode.connect(self._on_mode, position="last")  # after napari's own help
        layer.help = actions.help_text(edit.protocol)
        self.tracks.append(track)
        return track

    def _attached(self) -> EditController:
        """The tools over the annotation in hand: one at a time, since they share the keys."""
        from .editing_controller import attach_editing

        images = {str(m): volume.array for m, volume in self.case.volumes.items()}
        return attach_editing(self.viewer, self._current.layer, self._current.edit, images=images)

    def _take(self, track: Track) -> None:
        self.controller.detach()
        self._current = track
        self.controller = self._attached()
        self.current_changed.emit()

    def _describe(self, position: NDArray[Any], track: Track | None = None) -> tuple[str, str]:
        edit = (track or self._current).edit
        return cursor.describe(self.case, position, edit.codes, edit.protocol)

    def _look_first(self) -> None:
        """Axial, upright, fitted, on the tumour or in the middle of the head."""
        self.looks.show_plane("axial")
        if not self.jump_to(self.protocol.regions[0].name):
            self.looks.go_to_middle()
        self.viewer.layers.selection.active = self.labels

    def _on_removed(self, event: Any) -> None:
        if not self._closing and event.value is self._current.layer:
            self.edit.end()  # the mouse's release no longer comes to it, and results wait for it
            self.labels_removed.emit()

    def _on_active(self, event: Any) -> None:
        for track in self.tracks:
            if track.layer is event.value and track is not self._current:
                self._take(track)

    def _on_mode(self, event: Any) -> None:
        """Napari's help names keys that choose regions here."""
        event.source.help = self.viewer.help = actions.help_text(self.protocol)


def blank(case: Case, protocol: Protocol | None = None) -> Annotation:
    """An annotation of a case in which nothing is labelled yet."""
    return Annotation(
        np.zeros(case.grid.shape, dtype=np.uint8),
        case.grid,
        protocol or load_protocol(),
        case.source,
        provenance=Provenance(
            modalities=tuple(str(m) for m in case.modalities),
            missing=tuple(str(m) for m in case.missing),
            inputs={str(m): v.sha256 for m, v in case.volumes.items() if v.sha256},
        ),
    )
