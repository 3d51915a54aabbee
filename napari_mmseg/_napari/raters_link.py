"""Joins the sections of the Raters dock with the case that is open in the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from .raters_agreement import RaterAgreement
from .raters_disputes import DisputeTour
from .raters_group import RaterGroup
from .raters_list import RaterList
from .raters_overlay import RaterOverlay
from .task import Task

if TYPE_CHECKING:
    from ..agreement.panel import Panel
    from ..annotation import Annotation
    from .coordinator import Coordinator
    from .raters_panel import RatersPanel

#: Millilitres by rater and region.
Volumes = Mapping[str, Mapping[str, float]]


class RatersLink(QObject):
    """Holds the raters of the open case and passes them to the sections."""

    def __init__(self, coordinator: Coordinator, dock: RatersPanel) -> None:
        super().__init__(dock)
        self._coordinator, self._dock = coordinator, dock
        self._joining: Task | None = None
        self.group = RaterGroup()
        self.agreement = RaterAgreement(dock.agreement, self.group, self)
        self.overlay = RaterOverlay(dock.look, self.group, self)
        self._volumes: Volumes = {}
        self.raters = RaterList(
            dock.raters, self.group, self.agreement.dice_of, self._volume_ml, self
        )
        self.disputes = DisputeTour(dock.disputes, self.group, self)
        self.disputes.region_wanted.connect(dock.look.choose_region)
        self.group.members_changed.connect(self._join)
        self.agreement.measured.connect(self.raters.show)
        dock.raters.pointed_out.connect(self.overlay.point_out)
        dock.look.region_changed.connect(self._show_region)
        coordinator.case_changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """Another case is open, or none: its raters are not those of the case before."""
        session = self._coordinator.session
        self.overlay.follow(
            self._coordinator.viewer if session is not None else None,
            session.case if session is not None else None,
        )
        self.raters.follow(session)
        self.disputes.follow(session)
        self._dock.look.setEnabled(session is not None)
        if session is not None:
            regions = [(f"{r.name}: {r.title}", r.name) for r in session.protocol.regions]
            self._dock.look.offer_regions(regions)
            self.agreement.show_region(self._dock.look.region)
        self.group.clear()

    @property
    def is_busy(self) -> bool:
        """Is anything being read, measured or drawn?"""
        joining = self._joining is not None and self._joining.is_running
        reading = self.raters.opener.is_running
        parts = (self.agreement, self.overlay, self.disputes)
        return joining or reading or any(part.is_busy for part in parts)

    def let_go(self) -> None:
        """Stop what is running."""
        if self._joining is not None:
            self._joining.cancel()
        self.agreement.cancel()
        self.disputes.cancel()
        self.raters.opener.cancel()

    # Inside

    def _join(self) -> None:
        """Put the raters side by side for everything that is drawn of them."""
        if self._joining is not None:
            self._joining.cancel()
        self.agreement.measure()
        annotations = self.group.annotations
        if not annotations:
            self._take(None, {})
            return
        self._joining = Task(lambda report, cancelled: _joined(annotations))
        self._joining.finished.connect(lambda found: self._take(*found))
        self._joining.failed.connect(self._dock.raters.show_error)
        self._joining.start()

    def _take(self, panel: Panel | None, volumes: Volumes) -> None:
        self._volumes = volumes
        self.raters.show()
        self.overlay.show(panel)
        self.disputes.show(panel)

    def _show_region(self, region: str) -> None:
        self.agreement.show_region(region)
        self.raters.show()

    def _volume_ml(self, name: str) -> float | None:
        """A rater's volume of the region shown; None while it is not known."""
        return self._volumes.get(name, {}).get(self._dock.look.region)


def _joined(annotations: Mapping[str, Annotation]) -> tuple[Panel, Volumes]:
    """The raters side by side, and each one's volumes by region in ml."""
    from ..agreement.panel import panel_of

    panel = panel_of(annotations)
    ml, regions = panel.grid.voxel_volume_ml, [r.name for r in panel.protocol.regions]
    voxels = {region: panel.says(region).sum(axis=(1, 2, 3)) for region in regions}
    return panel, {
        name: {region: float(ml * voxels[region][number]) for region in regions}
        for number, name in enumerate(panel.names)
    }
