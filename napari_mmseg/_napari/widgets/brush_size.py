"""The brush's diameter in mm, as a slider and a number."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QWidget

from ..editing_tool import LARGEST_BRUSH_MM, SMALLEST_BRUSH_MM

_SLIDER_WIDTH_PX = 60  # at least

#: The slider's positions; sizes grow with their square, so that small brushes can be set finely.
_SLIDER_STEPS = 200


class BrushSize(QWidget):
    """Emits the diameter that the user sets."""

    diameter_requested = Signal(float)  # mm

    def __init__(self) -> None:
        super().__init__()
        self._size = QDoubleSpinBox()
        self._size.setRange(SMALLEST_BRUSH_MM, LARGEST_BRUSH_MM)
        self._size.setDecimals(1)
        self._size.setSingleStep(0.5)
        self._size.setSuffix(" mm")
        self._size.setKeyboardTracking(False)
        self._size.setToolTip("Diameter of the brush, in mm ([ and ])")
        self._size.valueChanged.connect(self.diameter_requested)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _SLIDER_STEPS)
        self._slider.setMinimumWidth(_SLIDER_WIDTH_PX)
        self._slider.setToolTip("Diameter of the brush")
        self._slider.valueChanged.connect(lambda step: self.diameter_requested.emit(_size_at(step)))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Size"))
        row.addWidget(self._slider, 1)
        row.addWidget(self._size)

    def show_diameter(self, mm: float) -> None:
        """Show a diameter, without emitting."""
        for widget in (self._size, self._slider):
            widget.blockSignals(True)
        self._size.setValue(mm)
        self._slider.setValue(_step_of(mm))
        for widget in (self._size, self._slider):
            widget.blockSignals(False)


def _size_at(step: int) -> float:
    """Diameter in mm of a slider position, in half millimetres."""
    span = LARGEST_BRUSH_MM - SMALLEST_BRUSH_MM
    return round(2 * (SMALLEST_BRUSH_MM + span * (step / _SLIDER_STEPS) ** 2)) / 2


def _step_of(diameter: float) -> int:
    span = LARGEST_BRUSH_MM - SMALLEST_BRUSH_MM
    share = max(0.0, (diameter - SMALLEST_BRUSH_MM) / span)
    return round(_SLIDER_STEPS * min(1.0, share) ** 0.5)
