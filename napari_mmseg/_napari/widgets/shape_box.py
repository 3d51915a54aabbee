"""The Shape section: commands on the whole region in the hand, with their units."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from ..editing_actions import MIRROR_ACTION, PREVIEW_ACTION, SECTION_ACTIONS, SHAPE_ACTIONS
from ..editing_shaping import ShapeRequest, Shaping
from .section import Choice, column, quiet

_KEYS = {action.argument: action.key for action in (*SHAPE_ACTIONS, *SECTION_ACTIONS)}

_FIRST_ISLAND_MM3 = 100.0
_LARGEST_ISLAND_MM3 = 10_000.0
_FIRST_MM = 1.0
_LARGEST_MM = 20.0
_LARGEST_INTENSITY = 1e6

_MIRROR = MIRROR_ACTION.title

#: Ranges of at least this many units are set in whole numbers.
_WHOLE_FROM = 50.0


class ShapeBox(QWidget):
    """Emits commands on the region in the hand; knows neither viewer nor layers."""

    shape_requested = Signal(object)  # ShapeRequest
    cut_wanted = Signal(str)  # a contrast whose intensities are to be proposed
    mirror_requested = Signal(bool)
    preview_requested = Signal(object)  # ShapeRequest whose contrast and limits are to be shown
    preview_ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._about = quiet()
        self._island = _amount(_FIRST_ISLAND_MM3, _LARGEST_ISLAND_MM3, 10.0, " mm³")
        self._grow = _amount(_FIRST_MM, _LARGEST_MM, 0.5, " mm")
        self._smooth = _amount(_FIRST_MM, _LARGEST_MM, 0.5, " mm")
        self._holes = Choice([("in 3D", False), ("in each slice", True)])
        self._inside = QCheckBox("Growing stays inside the parent")
        self._inside.setChecked(True)
        self._inside.setToolTip(
            "TC stays inside WT, ET inside TC when they grow or are smoothed; else the parent "
            "grows with them"
        )
        self._mirror = QCheckBox(_MIRROR)
        self._mirror.setToolTip(MIRROR_ACTION.hint)
        self._mirror.toggled.connect(self._tell_mirror)
        self._contrast = Choice()
        self._chose_contrast = False
        self._contrast.activated.connect(self._note_contrast)
        self._contrast.setToolTip("The contrast whose intensities are cut")
        self._contrast.currentIndexChanged.connect(lambda _: self._want_cut())
        self._low, self._high = _intensity(), _intensity()
        self._preview = QCheckBox(PREVIEW_ACTION.title)
        self._preview.setToolTip(PREVIEW_ACTION.hint)
        self._preview.toggled.connect(self._tell_preview)
        self._contrast.currentIndexChanged.connect(self._tell_preview)
        for box in (self._low, self._high):
            box.valueChanged.connect(self._tell_preview)
        layout = column(self)
        layout.addWidget(self._about)
        layout.addLayout(self._commands())
        layout.addWidget(self._inside)
        layout.addLayout(self._slices())
        layout.addLayout(self._cuts())
        layout.addWidget(self._mirror)
        self.setEnabled(False)

    def offer(self, contrasts: Sequence[str]) -> None:
        """There is something to shape; `contrasts` can be cut by intensity."""
        self._contrast.offer([(name, name) for name in contrasts])
        self._chose_contrast = False
        self.setEnabled(True)

    def show_contrast(self, name: str | None) -> None:
        """A contrast came on screen: it is the one to cut, until the user chooses another."""
        if not self._chose_contrast and not self._preview.isChecked():
            self._contrast.blockSignals(True)
            self._contrast.choose(name)
            self._contrast.blockSignals(False)
            if self.isVisible():
                self._want_cut()

    def show_region(self, title: str) -> None:
        """Say which region the commands are for."""
        text = f"All of the {title}, one step of undo each:"
        if text != self._about.text():
            self._about.setText(text)
            if self.isVisible():
                self._want_cut()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._want_cut()

    def ask(self, shaping: Shaping) -> None:
        """Ask for a command as its button does, with the amounts that are set."""
        if self.isEnabled():
            self._ask(shaping)

    def toggle_preview(self) -> None:
        """Show what the cuts would change, with intensities proposed, or no longer."""
        if self.isEnabled():
            if not self.isVisible() and not self._preview.isChecked():
                self._want_cut()
            self._preview.toggle()

    def toggle_mirror(self) -> None:
        """Outline the mirrored region, or no longer."""
        if self.isEnabled():
            self._mirror.toggle()

    @property
    def is_cut_seen(self) -> bool:
        """Does the user see the intensities of the cut, or what it would change?"""
        return self.isVisible() or self._preview.isChecked()

    def show_cut(self, low: float, high: float, whole: bool = False) -> None:
        """Propose intensities to cut at; `whole` when the image has no others than whole ones."""
        decimals = 0 if whole or high - low >= _WHOLE_FROM else 3
        for box, value in ((self._low, low), (self._high, high)):
            box.setDecimals(decimals)
            box.setValue(value)

    def show_mirror(self, shown: bool) -> None:
        """Tick the mirrored outline, without emitting."""
        self._mirror.blockSignals(True)
        self._mirror.setChecked(shown)
        self._mirror.blockSignals(False)
        self._mirror.setText(_MIRROR)

    def show_preview(self, shown: bool) -> None:
        """Tick the preview of the cut, without emitting."""
        self._preview.blockSignals(True)
        self._preview.setChecked(shown)
        self._preview.blockSignals(False)

    def _note_contrast(self, _: int) -> None:
        self._chose_contrast = True

    def _tell_mirror(self, wanted: bool) -> None:
        self._mirror.setText("Outline mirrored: looking for the midline…" if wanted else _MIRROR)
        self.mirror_requested.emit(wanted)

    def _tell_preview(self, *_: object) -> None:
        if not self._preview.isChecked():
            self.preview_ended.emit()
        elif self._contrast.value:
            self.preview_requested.emit(self._request(Shaping.KEEP_BETWEEN))

    def _commands(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        ask = self._button
        grid.addWidget(ask("Fill holes", "Fill what is enclosed", Shaping.FILL_HOLES), 0, 0, 1, 2)
        grid.addWidget(self._holes, 0, 2)
        tip = "Erase pieces smaller than this"
        grid.addWidget(ask("Remove islands <", tip, Shaping.REMOVE_ISLANDS), 1, 0, 1, 2)
        grid.addWidget(self._island, 1, 2)
        grid.addWidget(ask("Grow", "Grow on all sides by this", Shaping.GROW), 2, 0)
        grid.addWidget(ask("Shrink", "Shrink on all sides by this", Shaping.SHRINK), 2, 1)
        grid.addWidget(self._grow, 2, 2)
        tip = "Smooth the outline by this, keeping the volume"
        grid.addWidget(ask("Smooth", tip, Shaping.SMOOTH), 3, 0, 1, 2)
        grid.addWidget(self._smooth, 3, 2)
        return grid

    def _slices(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        tip = "Fill in between slices of the shown plane that were drawn with gaps"
        grid.addWidget(self._button("Interpolate slices", tip, Shaping.INTERPOLATE), 0, 0, 1, 2)
        tip = (
            "Solve all regions between the slices of the shown plane that were corrected by hand "
            "and the one on screen, which stay as they are, from what the images show there"
        )
        grid.addWidget(self._button("Carry on between slices", tip, Shaping.CARRY), 2, 0, 1, 2)
        for at, (text, which, shaping) in enumerate(
            (
                ("Copy previous", "before", Shaping.COPY_PREVIOUS),
                ("Copy next", "after", Shaping.COPY_NEXT),
            )
        ):
            tip = f"Make the region in this slice what it is in the slice {which}"
            grid.addWidget(self._button(text, tip, shaping), 1, at)
        return grid

    def _cuts(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        row = QHBoxLayout()
        row.addWidget(self._contrast, 1)
        for widget in (QLabel("from"), self._low, QLabel("to"), self._high):
            row.addWidget(widget)
        grid.addLayout(row, 0, 0, 1, 2)
        tip = "Erase from the region what has other intensities"
        grid.addWidget(self._button("Keep only these", tip, Shaping.KEEP_BETWEEN), 1, 0)
        tip = "Add what has these intensities, from inside the parent region"
        grid.addWidget(self._button("Add these", tip, Shaping.ADD_BETWEEN), 1, 1)
        grid.addWidget(self._preview, 2, 0, 1, 2)
        return grid

    def _button(self, text: str, tip: str, shaping: Shaping) -> QPushButton:
        key = _KEYS.get(shaping, "").replace("-", "+")
        button = QPushButton(text)
        button.setToolTip(f"{tip} ({key})" if key else tip)
        button.clicked.connect(partial(self._ask, shaping))
        return button

    def _ask(self, shaping: Shaping) -> None:
        self.shape_requested.emit(self._request(shaping))

    def _request(self, shaping: Shaping) -> ShapeRequest:
        amounts = {
            Shaping.REMOVE_ISLANDS: self._island,
            Shaping.GROW: self._grow,
            Shaping.SHRINK: self._grow,
            Shaping.SMOOTH: self._smooth,
        }
        amount = amounts.get(shaping)
        return ShapeRequest(
            shaping,
            amount.value() if amount is not None else 0.0,
            bool(self._holes.value),
            self._inside.isChecked(),
            str(self._contrast.value or ""),
            self._low.value(),
            self._high.value(),
        )

    def _want_cut(self) -> None:
        if self._contrast.value:
            self.cut_wanted.emit(str(self._contrast.value))


def _amount(first: float, largest: float, step: float, unit: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(1 if step < 1 else 0)
    box.setRange(step, largest)
    box.setSingleStep(step)
    box.setValue(first)
    box.setSuffix(unit)
    return box


def _intensity() -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(-_LARGEST_INTENSITY, _LARGEST_INTENSITY)
    box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
    box.setMinimumWidth(box.fontMetrics().horizontalAdvance("00000000"))
    return box
