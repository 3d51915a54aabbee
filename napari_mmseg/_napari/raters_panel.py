"""The Raters dock: its sections, and the panel of the viewer that it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QVBoxLayout, QWidget

from .companion import make_companion, show_companion
from .dropping import DropTaker
from .raters_dispute_keys import MAJORITY_KEY, NEXT_KEY, PAINTED_KEY, RATER_KEYS, shown_key
from .raters_link import RatersLink
from .widgets.agreement_box import AgreementBox
from .widgets.dispute_box import DisputeBox
from .widgets.raters_box import RatersBox
from .widgets.raters_look_box import RatersLookBox
from .widgets.section import Section, column
from .widgets.tall_area import TallArea

if TYPE_CHECKING:
    import napari

    from .coordinator import Coordinator

TITLE = "Raters"

#: As wide as the panel that it shares its place with.
_WIDTH_PX = 390


class RatersPanel(QWidget):
    """The sections about several raters of one case; `link` does what they ask for."""

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__()
        self.raters = RatersBox()
        self.look = RatersLookBox()
        self.agreement = AgreementBox()
        self.disputes = DisputeBox(
            shown_key(NEXT_KEY),
            shown_key(MAJORITY_KEY),
            shown_key(PAINTED_KEY),
            f"({RATER_KEYS[0]} to {RATER_KEYS[-1]})",
        )
        self.sections = {
            "raters": Section("Raters", self.raters),
            "look": Section("Overlay", self.look),
            "disputes": Section("Disagreements", self.disputes),
            "agreement": Section("Agreement", self.agreement, expanded=False),
        }
        inside = QWidget()
        inner = column(inside, margin=0, spacing=0)
        for section in self.sections.values():
            inner.addWidget(section)
        inner.addStretch(1)
        self.setMinimumWidth(_WIDTH_PX)
        self._scroll = TallArea(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)
        self.link = RatersLink(coordinator, self)
        self._dropper = DropTaker(self, self._takes, self.link.raters.open_paths)

    def let_go(self) -> None:
        """Stop what is running."""
        self.link.let_go()

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH_PX, self._scroll.sizeHint().height())

    @staticmethod
    def _takes(paths: list[Path]) -> bool:
        from ..io.image import suffix_of

        return all(path.is_dir() or suffix_of(path) is not None for path in paths)


def make_raters() -> RatersPanel:
    """The Raters dock of the current viewer: a new one, or the one that was closed."""
    return make_companion(RatersPanel, TITLE, RatersPanel)


def show_raters(viewer: napari.Viewer | None = None) -> RatersPanel | None:
    """The Raters dock of a viewer (the current one), in sight, in one place with the panel."""
    return show_companion(RatersPanel, TITLE, viewer)
