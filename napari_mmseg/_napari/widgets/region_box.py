"""The Regions section: what is shown of each region, how large it is, where its border lies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)

from ...protocol import Protocol, Region
from .section import column, quiet

_SWATCH_PX = 14
_PERCENT = 100


class RegionBox(QWidget):
    """One row a region: shown?, name, volume, jump to it, threshold of the model."""

    hidden_changed = Signal(set)  # names of the regions not shown
    jump_requested = Signal(str)
    outline_changed = Signal(bool)
    opacity_changed = Signal(float)
    thresholds_changed = Signal(dict)  # {region: 0..1}
    labels_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._checks: dict[str, QCheckBox] = {}
        self._volumes: dict[str, QLabel] = {}
        self._sliders: dict[str, QSlider] = {}
        self._slider_texts: dict[str, QLabel] = {}
        self._titles: dict[str, QLabel] = {}
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self._outline = QCheckBox("Outline")
        self._outline.setToolTip("Draw borders only, to see what lies beneath (Shift+H)")
        self._outline.toggled.connect(self.outline_changed)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, _PERCENT)
        self._opacity.setToolTip("Opacity of the labels")
        self._opacity.valueChanged.connect(lambda v: self.opacity_changed.emit(v / _PERCENT))
        self._bring_back = QPushButton("Show the segmentation layer again")
        self._bring_back.clicked.connect(self.labels_wanted)
        self._bring_back.hide()
        layout = column(self)
        layout.addLayout(self._grid)
        row = QHBoxLayout()
        row.addWidget(self._outline)
        row.addSpacing(8)
        row.addWidget(QLabel("Opacity"))
        row.addWidget(self._opacity, 1)
        layout.addLayout(row)
        layout.addWidget(self._bring_back)
        self.setEnabled(False)

    def show_protocol(self, protocol: Protocol) -> None:
        """Rebuild the rows for a protocol's regions."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._checks, self._volumes, self._titles = {}, {}, {}
        self._sliders, self._slider_texts = {}, {}
        for row, region in enumerate(protocol.regions):
            self._add_row(row, region)
        self.show_thresholds(None)
        self.setEnabled(True)

    def _add_row(self, row: int, region: Region) -> None:
        check = QCheckBox(region.name)
        check.setIcon(_swatch(region.colour))
        check.setChecked(True)
        check.setToolTip(f"Show the {region.title}")
        check.toggled.connect(self._emit_hidden)
        title = quiet(region.title)
        title.setWordWrap(False)
        volume = QLabel("–")
        volume.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        volume.setMinimumWidth(volume.fontMetrics().horizontalAdvance("0000.0 ml"))
        jump = QToolButton()
        jump.setText("Go to")
        jump.setToolTip(f"Jump to the largest cross-section of {region.title}")
        jump.clicked.connect(partial(self.jump_requested.emit, region.name))
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(1, _PERCENT - 1)
        slider.setToolTip(
            f"Probability from which a voxel counts as {region.title}: left takes more, right less"
        )
        slider.valueChanged.connect(partial(self._slid, region.name))
        text = QLabel()
        text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(check, row, 0)
        self._grid.addWidget(title, row, 1, 1, 2)
        self._grid.addWidget(slider, row, 1)
        self._grid.addWidget(text, row, 2)
        self._grid.addWidget(volume, row, 3)
        self._grid.addWidget(jump, row, 4)
        self._titles[region.name] = title
        self._checks[region.name] = check
        self._volumes[region.name] = volume
        self._sliders[region.name] = slider
        self._slider_texts[region.name] = text

    @property
    def hidden(self) -> set[str]:
        return {name for name, check in self._checks.items() if not check.isChecked()}

    @property
    def thresholds(self) -> dict[str, float]:
        return {name: slider.value() / _PERCENT for name, slider in self._sliders.items()}

    def show_volumes(self, volumes_ml: Mapping[str, float]) -> None:
        for name, ml in volumes_ml.items():
            if name in self._volumes:
                self._volumes[name].setText(volume_text(ml))

    def show_thresholds(self, thresholds: Mapping[str, float] | None) -> None:
        """Set the sliders without emitting; None hides them (no probabilities are kept)."""
        for name, slider in self._sliders.items():
            visible = thresholds is not None and name in thresholds
            slider.setVisible(visible)
            self._titles[name].setVisible(not visible)
            self._slider_texts[name].setVisible(visible)
            if thresholds is not None and name in thresholds:
                slider.blockSignals(True)
                slider.setValue(round(thresholds[name] * _PERCENT))
                slider.blockSignals(False)
                self._write_threshold(name)

    def show_look(self, outline: bool, opacity: float) -> None:
        """What the layer looks like now, when it was changed elsewhere."""
        for widget in (self._outline, self._opacity):
            widget.blockSignals(True)
        self._outline.setChecked(outline)
        self._opacity.setValue(round(opacity * _PERCENT))
        for widget in (self._outline, self._opacity):
            widget.blockSignals(False)

    def offer_labels(self, wanted: bool) -> None:
        self._bring_back.setVisible(wanted)

    def _emit_hidden(self) -> None:
        self.hidden_changed.emit(self.hidden)

    def _slid(self, name: str) -> None:
        self._write_threshold(name)
        self.thresholds_changed.emit(self.thresholds)

    def _write_threshold(self, name: str) -> None:
        self._slider_texts[name].setText(f"{self._sliders[name].value() / _PERCENT:.2f}")


def volume_text(ml: float) -> str:
    return f"{ml:.1f} ml" if ml >= 0.05 or ml == 0 else f"{ml:.2f} ml"


def _swatch(colour: tuple[float, float, float]) -> QIcon:
    pixmap = QPixmap(_SWATCH_PX, _SWATCH_PX)
    pixmap.fill(QColor.fromRgbF(*colour))
    return QIcon(pixmap)
