"""What can be done with scribbles: solve the region near them again, wipe them off."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ...editing.refine import BOX_SIDES
from ..editing_actions import SCRIBBLE_ACTIONS
from .section import Choice


class ScribbleRow(QWidget):
    """Emits what is asked for; hidden until it is shown with something to do."""

    action_requested = Signal(object)  # EditAction
    box_side_requested = Signal(int)  # voxels

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._buttons = []
        for action in SCRIBBLE_ACTIONS:
            button = QPushButton(action.title)
            button.setToolTip(action.hint)
            button.clicked.connect(partial(self.action_requested.emit, action))
            row.addWidget(button, 1)
            self._buttons.append(button)
        self._box_side = Choice([(f"{side}³", side) for side in BOX_SIDES])
        self._box_side.setToolTip(
            "Voxels of the box around the scribbles that is solved again: "
            "a larger one reaches further and takes longer"
        )
        self._box_side.currentIndexChanged.connect(
            lambda _: self.box_side_requested.emit(self._box_side.value)
        )
        row.addWidget(self._box_side)
        self.hide()

    def show_scribbles(self, shown: bool, any_drawn: bool, busy: bool, side: int) -> None:
        """Offer to refine, in a box of `side` voxels, while scribbling or with scribbles there."""
        self._box_side.blockSignals(True)
        self._box_side.choose(side)
        self._box_side.blockSignals(False)
        self.setVisible(shown or any_drawn)
        refine, clear = self._buttons
        refine.setEnabled(any_drawn and not busy)
        refine.setText("Refining…" if busy else SCRIBBLE_ACTIONS[0].title)
        clear.setEnabled(any_drawn and not busy)
