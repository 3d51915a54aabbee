"""The Look inside section: choose a layer of a network, see its feature maps on the case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QSpinBox, QWidget

from .section import Banner, Choice, column, quiet

_MOST_MAPS = 16
_USUAL_MAPS = 4


@dataclass(frozen=True)
class InsideRequest:
    """Which maps the user wants to see."""

    model: str
    layer: str
    most: int
    smooth: bool


class InsideBox(QWidget):
    """Emits requests; shows what is being done and what came of it."""

    model_changed = Signal(str)
    show_requested = Signal(object)  # InsideRequest
    remove_requested = Signal()
    cancel_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._model = Choice()
        self._model.setToolTip("The network to look into")
        self._model.currentIndexChanged.connect(lambda _: self._emit_model())
        self._layer = Choice()
        self._layer.setToolTip("Its layers, from the input to the output")
        self._most = QSpinBox()
        self._most.setRange(1, _MOST_MAPS)
        self._most.setValue(_USUAL_MAPS)
        self._most.setToolTip("How many maps: those that vary most over the head")
        self._smooth = QCheckBox("Smooth")
        self._smooth.setToolTip("Enlarge linearly; else each value is a block, as coarse as it is")
        self._show = QPushButton("Show maps")
        self._show.setToolTip("Show the feature maps of this layer over the case")
        self._show.clicked.connect(self._emit_show)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(self.cancel_requested)
        self._remove = QPushButton("Remove")
        self._remove.setToolTip("Take all feature maps out of the layer list")
        self._remove.clicked.connect(self.remove_requested)
        self._stage = quiet()
        self._told = Banner()
        self._has_case = False
        self._build()
        self.offer_removal(False)
        self._refresh(running=False)

    def _build(self) -> None:
        layout = column(self)
        model = QHBoxLayout()
        model.addWidget(QLabel("Model"))
        model.addWidget(self._model, 1)
        layer = QHBoxLayout()
        layer.addWidget(QLabel("Layer"))
        layer.addWidget(self._layer, 1)
        layer.addWidget(QLabel("maps"))
        layer.addWidget(self._most)
        buttons = QHBoxLayout()
        buttons.addWidget(self._smooth)
        for button in (self._show, self._cancel, self._remove):
            buttons.addWidget(button, 1)
        for row in (model, layer, buttons):
            layout.addLayout(row)
        layout.addWidget(self._stage)
        layout.addWidget(self._told)

    @property
    def model(self) -> str:
        return str(self._model.value or "")

    def offer_models(self, names: Sequence[str]) -> None:
        self._model.offer([(name, name) for name in names])
        self._refresh(running=False)

    def offer_layers(self, names: Sequence[str]) -> None:
        self._layer.offer([(name, name) for name in names])
        self._stage.hide()
        self._refresh(running=False)

    def offer_case(self, has_case: bool) -> None:
        self._has_case = has_case
        self._told.clear()
        self._refresh(running=False)

    def offer_removal(self, there_are_maps: bool) -> None:
        self._remove.setEnabled(there_are_maps)

    def show_busy(self, text: str) -> None:
        self._told.clear()
        self._stage.setText(text)
        self._stage.show()
        self._refresh(running=True)

    def show_result(self, text: str) -> None:
        self._tell(text, "good")

    def show_note(self, text: str) -> None:
        self._tell(text, "info")

    def show_error(self, text: str) -> None:
        self._tell(text, "error")

    def _tell(self, text: str, kind: str) -> None:
        self._stage.hide()
        self._told.say(text, kind)
        self._refresh(running=False)

    def _refresh(self, running: bool) -> None:
        self._show.setEnabled(self._has_case and self._layer.count() > 0 and not running)
        self._show.setVisible(not running)
        self._cancel.setVisible(running)
        for widget in (self._model, self._layer, self._most, self._smooth):
            widget.setEnabled(not running)

    def _emit_model(self) -> None:
        self.offer_layers([])
        if self.model:
            self.model_changed.emit(self.model)

    def _emit_show(self) -> None:
        self.show_requested.emit(
            InsideRequest(
                self.model,
                str(self._layer.value),
                self._most.value(),
                self._smooth.isChecked(),
            )
        )
