"""The Segment section: choose a model and a device, run, cancel, see what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from ..segment_texts import LOOKS
from .section import Banner, Choice, breakable, column, listed, quiet

DEVICES: list[tuple[str, object]] = [
    ("Automatic", "auto"),
    ("CPU", "cpu"),
    ("GPU (CUDA)", "cuda"),
]

_STEPS = 1000


@dataclass(frozen=True)
class ModelOffer:
    """A model to choose: its name, what speaks for it and on what terms it comes."""

    name: str
    about: str = ""


@dataclass(frozen=True)
class SegmentRequest:
    """What the user asked the model to do."""

    model: str
    device: str
    new_layer: bool
    looks: str | None = None
    strip: bool = False
    adapt: bool = True


class SegmentBox(QWidget):
    """Emits requests; shows progress, the result's facts and what to beware of."""

    run_requested = Signal(object)  # SegmentRequest
    cancel_requested = Signal()
    uncertainty_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._model = Choice()
        self._model.setToolTip("The network to run; all work is done on this machine")
        self._model.currentIndexChanged.connect(self._show_about)
        self._about = quiet()
        self._device = Choice(DEVICES)
        self._device.setToolTip("Automatic takes a CUDA GPU where there is one")
        self._new_layer = QCheckBox("As a new layer")
        self._looks = Choice(LOOKS)
        self._looks.setToolTip(
            "How often the network looks, to answer with the mean: once; at the mirrored brain too "
            "(twice the network's time); or thoroughly, for WT also without T1ce, T2 and FLAIR in "
            "turn (three times), which is worth it where one contrast is poor"
        )
        self._strip = QCheckBox("Remove skull first")
        self._strip.setToolTip(
            "For images that still show the head: a small network finds the brain on T1, and the "
            "model sees nothing else; the images on the screen stay as they are"
        )
        self._adapt = QCheckBox("Fit to this case")
        self._adapt.setChecked(True)
        self._adapt.setToolTip(
            "Learn from the network's answer how each tissue looks in these very images, and move "
            "its edges accordingly; off: the network's answer as it is"
        )
        self._uncertainty = QCheckBox("Show uncertainty")
        self._uncertainty.setToolTip("A layer that is bright where the model is unsure")
        self._uncertainty.toggled.connect(self.uncertainty_wanted)
        self._run = QPushButton("Segment")
        self._run.setToolTip("Segment the open case with the chosen model")
        self._run.clicked.connect(self._emit_run)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(self.cancel_requested)
        self._progress = QProgressBar()
        self._progress.setRange(0, _STEPS)
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(8)
        self._stage = quiet()
        self._warning = Banner()
        self._result = Banner()
        self._has_case = False
        self._offered: dict[str, ModelOffer] = {}
        layout = column(self)
        choices = QHBoxLayout()
        choices.addWidget(QLabel("Model"))
        choices.addWidget(self._model, 1)
        choices.addWidget(QLabel("on"))
        choices.addWidget(self._device, 1)
        layout.addLayout(choices)
        layout.addWidget(self._about)
        self._new_layer.setToolTip("Beside the present segmentation instead of in its place")
        options = QHBoxLayout()
        options.addWidget(self._new_layer)
        options.addWidget(self._strip)
        options.addStretch(1)
        layout.addLayout(options)
        answer = QHBoxLayout()
        answer.addWidget(self._adapt)
        answer.addWidget(QLabel("Look"))
        answer.addWidget(self._looks, 1)
        layout.addLayout(answer)
        buttons = QHBoxLayout()
        buttons.addWidget(self._run, 1)
        buttons.addWidget(self._cancel)
        layout.addLayout(buttons)
        for widget in (self._progress, self._stage, self._warning, self._result):
            layout.addWidget(widget)
        layout.addWidget(self._uncertainty)
        self.offer_uncertainty(False)
        self.show_idle()

    def offer_models(self, models: Sequence[ModelOffer]) -> None:
        self._offered = {model.name: model for model in models}
        self._model.offer([(model.name, model.name) for model in models])
        self._show_about()
        self._refresh_buttons(running=False)

    def offer_case(self, has_case: bool) -> None:
        self._has_case = has_case
        self._result.clear()
        self._warning.clear()
        self._refresh_buttons(running=False)

    def show_progress(self, stage: str, fraction: float) -> None:
        self._progress.setVisible(True)
        self._stage.setVisible(True)
        self._stage.setText(stage)
        self._progress.setValue(round(fraction * _STEPS))
        self._refresh_buttons(running=True)

    def show_idle(self) -> None:
        self._progress.hide()
        self._progress.setValue(0)
        self._stage.hide()
        self._refresh_buttons(running=False)

    def show_preview(self) -> None:
        self._result.say("A quick look on coarser voxels; the full result follows.", "info")

    def offer_uncertainty(self, there: bool, shown: bool = False) -> None:
        """Is there a model's result to be unsure of, and is its layer shown? Emits nothing."""
        self._uncertainty.setEnabled(there)
        self._uncertainty.blockSignals(True)
        self._uncertainty.setChecked(shown)
        self._uncertainty.blockSignals(False)

    def show_result(self, text: str, warnings: Sequence[str]) -> None:
        self.show_idle()
        self._result.say(text, "good")
        self._warning.say(listed(warnings), "warning")

    def show_error(self, text: str) -> None:
        self.show_idle()
        self._warning.clear()
        self._result.say(text, "error")

    def show_note(self, text: str) -> None:
        self.show_idle()
        self._warning.clear()
        self._result.say(text, "info")

    def _show_about(self) -> None:
        """Tell what speaks for the model that is chosen."""
        offer = self._offered.get(str(self._model.value))
        self._about.setText(breakable(offer.about) if offer else "")
        self._about.setVisible(bool(self._about.text()))

    def _refresh_buttons(self, running: bool) -> None:
        self._run.setEnabled(self._has_case and self._model.count() > 0 and not running)
        self._cancel.setVisible(running)
        for widget in (
            self._model,
            self._device,
            self._new_layer,
            self._looks,
            self._strip,
            self._adapt,
        ):
            widget.setEnabled(not running)

    def _emit_run(self) -> None:
        self._result.clear()
        self._warning.clear()
        self.run_requested.emit(
            SegmentRequest(
                str(self._model.value),
                str(self._device.value),
                self._new_layer.isChecked(),
                str(self._looks.value) or None,
                self._strip.isChecked(),
                self._adapt.isChecked(),
            )
        )
