"""What the model proposed, outlined over the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..editing import EditSession
from .colours import label_colormap

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

PROPOSAL_NAME = "Proposal (outline)"

_OUTLINE_VOXELS = 1


class ProposalOutline:
    """A second layer with the proposal's outlines, made when first asked for."""

    def __init__(self, viewer: ViewerModel, labels: Labels, session: EditSession) -> None:
        self._viewer = viewer
        self._labels = labels
        self._session = session
        self._layer: Labels | None = None
        self._version = -1
        session.on_state.append(self._follow)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.dims.events.ndisplay.connect(self._on_ndisplay)
        self._hidden_in_3d = False

    @property
    def is_shown(self) -> bool:
        return self._layer is not None and self._layer.visible

    def show(self, shown: bool) -> None:
        if self._layer is None:
            if not shown:
                return
            self._add()
        assert self._layer is not None
        self._layer.visible = shown
        self._follow()

    def detach(self) -> None:
        self._session.on_state.remove(self._follow)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def _add(self) -> None:
        from napari.layers import Labels

        active = self._viewer.layers.selection.active
        layer = Labels(
            self._session.proposal.copy(),
            name=PROPOSAL_NAME,
            colormap=label_colormap(self._session.protocol),
            scale=self._labels.scale,
            translate=self._labels.translate,
            units=self._labels.units,
            axis_labels=self._labels.axis_labels,
            opacity=1.0,
        )
        layer.contour = _OUTLINE_VOXELS
        layer.editable = False
        self._layer, self._version = layer, self._session.proposal_version
        self._viewer.add_layer(layer)
        if active is not None:
            self._viewer.layers.selection.active = active

    def _follow(self) -> None:
        """Show the latest proposal, if it is shown at all."""
        if self.is_shown and self._version != self._session.proposal_version:
            assert self._layer is not None
            self._version = self._session.proposal_version
            self._layer.data = self._session.proposal.copy()

    def _on_ndisplay(self, event: object = None) -> None:
        """Outlines are for the 2D view: in 3D napari draws them as solids that hide the labels."""
        if self._layer is None:
            return
        if self._viewer.dims.ndisplay == 3:
            self._hidden_in_3d = self._layer.visible
            self._layer.visible = False
        elif self._hidden_in_3d:
            self._hidden_in_3d = False
            self._layer.visible = True
            self._follow()

    def _on_removed(self, event: object) -> None:
        if self._layer is not None and self._layer not in self._viewer.layers:
            self._layer = None
