"""Letters pressed in a list are the window's keys; arrows are the list's."""

from __future__ import annotations

from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QTreeWidgetItem, QVBoxLayout, QWidget

from napari_mmseg._napari.widgets.row_list import RowList


class Window(QWidget):
    """Notes the keys that nobody inside took."""

    def __init__(self, rows: RowList) -> None:
        super().__init__()
        QVBoxLayout(self).addWidget(rows)
        self.keys: list[int] = []

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        if event.key() != Qt.Key.Key_Shift:
            self.keys.append(event.key())


def test_letters_go_to_the_window_and_arrows_to_the_list(qtbot: QtBot):
    rows = RowList(["name", "ml"], "Click to go there", 3)
    window = Window(rows)
    qtbot.addWidget(window)
    window.show()
    with rows.refilled():
        rows.addTopLevelItems([QTreeWidgetItem([name, "1"]) for name in ("a", "n")])
    rows.setCurrentItem(rows.topLevelItem(0))
    QTest.keyClick(rows, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(rows, Qt.Key.Key_F1)
    assert window.keys == [Qt.Key.Key_N, Qt.Key.Key_F1]
    assert rows.currentItem().text(0) == "a"
    QTest.keyClick(rows, Qt.Key.Key_Down)
    assert rows.currentItem().text(0) == "n"


def test_filling_again_emits_nothing(qtbot: QtBot):
    rows = RowList(["name"], "", 3)
    qtbot.addWidget(rows)
    told = []
    rows.itemSelectionChanged.connect(lambda: told.append("selection"))
    rows.itemChanged.connect(lambda *_: told.append("item"))
    for _ in range(2):
        with rows.refilled():
            item = QTreeWidgetItem(rows, ["a"])
            item.setCheckState(0, Qt.CheckState.Checked)
            rows.setCurrentItem(item)
    assert told == []
    assert rows.topLevelItemCount() == 1
