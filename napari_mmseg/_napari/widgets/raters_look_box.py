"""The Overlay section: what of the raters is drawn over the image, and of which region."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QWidget

from .section import Choice, column, form, quiet

#: What can be laid over the image: (text, value), the value empty for nothing.
MAPS = (
    ("none", ""),
    ("entropy of the votes (bits)", "entropy"),
    ("how many count it in", "count"),
)
METHODS = (
    ("none", ""),
    ("majority vote", "majority"),
    ("STAPLE", "staple"),
    ("SIMPLE", "simple"),
)


class RatersLookBox(QWidget):
    """Emits what is to be seen; knows no layers."""

    region_changed = Signal(str)
    outlines_changed = Signal(bool)
    map_changed = Signal(str)
    consensus_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._region = Choice()
        self._region.setToolTip("The region whose outlines, maps and figures are shown")
        self._region.currentIndexChanged.connect(lambda _: self.region_changed.emit(self.region))
        self._outlines = QCheckBox("every rater's outline")
        self._outlines.setChecked(True)
        self._outlines.setToolTip(
            "Where several outlines run together their colours take turns along the line"
        )
        self._outlines.toggled.connect(self.outlines_changed)
        self._map = Choice(list(MAPS))
        self._map.setToolTip("A map in colours over the image, of the raters that are ticked")
        self._map.currentIndexChanged.connect(lambda _: self.map_changed.emit(self.map_name))
        self._consensus = Choice(list(METHODS))
        self._consensus.setToolTip("What the raters say together, as a layer of its own")
        self._consensus.currentIndexChanged.connect(
            lambda _: self.consensus_changed.emit(self.method)
        )
        self._said = quiet()
        self._said.hide()
        rows = form()
        rows.addRow("Region", self._region)
        rows.addRow("Outlines", self._outlines)
        rows.addRow("Map", self._map)
        rows.addRow("Consensus", self._consensus)
        layout = column(self)
        layout.addLayout(rows)
        layout.addWidget(self._said)

    def offer_regions(self, regions: Sequence[tuple[str, str]]) -> None:
        """The regions as (title, name), the present one kept; without emitting."""
        self._region.offer(list(regions), self._region.value)

    def choose_region(self, name: str) -> None:
        """Show another region, as if the user had chosen it."""
        self._region.choose(name)

    def reset(self) -> None:
        """No map and no consensus, without emitting."""
        for choice in (self._map, self._consensus):
            choice.blockSignals(True)
            choice.choose("")
            choice.blockSignals(False)
        self.say("")

    def say(self, text: str) -> None:
        """A line about what is drawn; empty for none."""
        self._said.setText(text)
        self._said.setVisible(bool(text))

    @property
    def region(self) -> str:
        return str(self._region.value or "")

    @property
    def has_outlines(self) -> bool:
        return bool(self._outlines.isChecked())

    @property
    def map_name(self) -> str:
        return str(self._map.value or "")

    @property
    def method(self) -> str:
        return str(self._consensus.value or "")
