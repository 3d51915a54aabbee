"""The picture takes the keyboard from the panel when the mouse enters it, and from nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QDoubleSpinBox, QHBoxLayout, QLineEdit, QWidget

from napari_mmseg._napari.key_focus import KeysFollowMouse


@pytest.fixture
def window(qtbot: Any) -> tuple[QWidget, QWidget, QDoubleSpinBox, QLineEdit]:
    """A picture, a number field in the panel, and a field of somebody else's beside them."""
    window, picture, panel = QWidget(), QWidget(), QWidget()
    field, other = QDoubleSpinBox(), QLineEdit()
    QHBoxLayout(panel).addWidget(field)
    layout = QHBoxLayout(window)
    for widget in (picture, panel, other):
        layout.addWidget(widget)
    KeysFollowMouse(picture, panel)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window, picture, field, other


def test_a_number_field_lets_go_of_the_keys_and_keeps_what_was_typed(window, qtbot):
    _, picture, field, _ = window
    field.setFocus()
    field.lineEdit().selectAll()
    qtbot.keyClicks(field.lineEdit(), "7")
    QApplication.sendEvent(picture, QEvent(QEvent.Type.Enter))
    assert QApplication.focusWidget() is picture
    assert field.value() == 7.0


def test_what_is_not_in_the_panel_keeps_the_keys(window):
    _, picture, _, other = window
    other.setFocus()
    QApplication.sendEvent(picture, QEvent(QEvent.Type.Enter))
    assert QApplication.focusWidget() is other
