"""How far the raters agree: measured beside the window, shown as picture and table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QObject

from .raters_group import RaterGroup
from .task import Task
from .widgets.agreement_box import AgreementBox
from .widgets.matrix_view import MatrixHead

if TYPE_CHECKING:
    from ..agreement.many import CaseAgreement, RatersAgreement

#: Figures whose best value is 0; all others run from 0 to 1.
_DISTANCES = ("hd95_mm", "mean_surface_mm")

#: The picture's colours begin at a round figure below the lowest one.
_ROUND = 0.1

#: Distances up to this have colours of their own, so that a voxel apart does not look like the
#: worst there is.
_NEAR_MM = 5.0


class RaterAgreement(QObject):
    """Joins the Agreement section with the raters.

    Signals
    -------
    measured
        Other figures are there: ask `dice_of`.
    """

    measured = Signal()

    def __init__(self, box: AgreementBox, group: RaterGroup, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._box, self._group = box, group
        self._region = ""
        self._found: CaseAgreement | None = None
        self._task: Task | None = None
        box.figure_changed.connect(lambda _: self._show())
        box.pair_chosen.connect(lambda a, b: group.show_only({a, b}))

    def measure(self) -> None:
        """Measure the raters as they are now."""
        from ..agreement.many import agree

        self.cancel()
        self._found = None
        annotations = self._group.annotations
        if len(annotations) < 2:
            self._box.show_nothing()
            self.measured.emit()
            return
        self._box.show_nothing("Measuring…")
        self._task = Task(lambda report, cancelled: agree(annotations))
        self._task.finished.connect(self._take)
        self._task.failed.connect(self._box.show_nothing)
        self._task.start()

    def show_region(self, region: str) -> None:
        self._region = region
        self._show()

    def dice_of(self, name: str) -> float | None:
        """A rater's mean Dice with the others in the region shown; None while it is not known."""
        here = self._here
        if here is None or name not in here.raters:
            return None
        row = here.matrix("dice")[here.raters.index(name)]
        return float(np.nanmean(row)) if np.isfinite(row).any() else None

    @property
    def is_busy(self) -> bool:
        return self._task is not None and self._task.is_running

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    # Inside

    @property
    def _here(self) -> RatersAgreement | None:
        return self._found.regions.get(self._region) if self._found is not None else None

    def _take(self, found: CaseAgreement) -> None:
        self._found = found
        self._show()
        self.measured.emit()

    def _show(self) -> None:
        here = self._here
        if here is None or self._found is None:
            return
        figure = self._box.figure
        values = here.matrix(figure)
        heads = [MatrixHead(rater.letter, rater.name, rater.colour) for rater in self._group]
        known = values[np.isfinite(values)]
        cells = [[float(v) if math.isfinite(v) else None for v in row] for row in values]
        if figure in _DISTANCES:
            high = math.ceil(known.max()) if known.size else 0
            self._box.show_matrix(heads, cells, 0.0, max(high, _NEAR_MM), best_is_high=False)
        else:
            low = math.floor(known.min() / _ROUND) * _ROUND if known.size else 0.0
            self._box.show_matrix(heads, cells, min(low, 1 - _ROUND), 1.0)
        self._box.show_table(_table(self._region, here, self._found.tolerance_mm))
        self._box.say(_told(self._region, here))


def _table(region: str, here: RatersAgreement, tolerance_mm: float) -> list[tuple[str, str]]:
    volumes = np.array(list(here.volumes_ml.values()))
    return [
        (f"{region}: mean Dice of all pairs", _text(here.mean("dice"))),
        ("mean HD95", _text(here.mean("hd95_mm"), " mm", 2)),
        (f"mean surface Dice at {tolerance_mm:g} mm", _text(here.mean("nsd"))),
        ("Fleiss' kappa", _text(here.fleiss_kappa)),
        ("Krippendorff's alpha", _text(here.krippendorff_alpha)),
        ("volumes", f"{volumes.min():.1f} to {volumes.max():.1f} ml"),
    ]


def _told(region: str, here: RatersAgreement) -> str:
    """What the figures do not show: pairs with nothing to measure."""
    said = []
    if here.both_empty:
        said.append(f"In {here.both_empty} pairs neither rater sees any {region}: not counted.")
    if here.one_empty:
        said.append(f"In {here.one_empty} pairs only one rater sees {region}: Dice 0, no distance.")
    return " ".join(said)


def _text(value: float | None, unit: str = "", digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}{unit}"
