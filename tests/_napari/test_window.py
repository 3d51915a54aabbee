"""The real window: few tests, each with a viewer of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest

from napari_mmseg._napari import launch
from napari_mmseg._napari.closing import main_window_of
from napari_mmseg._napari.panel import Panel, panel_of, show_panel
from napari_mmseg._napari.widgets import questions
from napari_mmseg._napari.widgets.questions import Unsaved
from napari_mmseg.case import Case
from napari_mmseg.editing import Footprint, Mode, Stroke

WAIT_MS = 30_000


@pytest.fixture(autouse=True)
def no_model_needed(stand_in_model: Any) -> None:
    """The panel lists a stand-in model, whether or not weights are there."""


def scratch(panel: Panel) -> None:
    footprint = Footprint((0, 0, 0), np.ones((1, 1, 1), bool))
    panel.coordinator.session.edit.apply(Stroke("WT", Mode.PAINT, footprint))


def test_the_reader_brings_the_panel_and_keys_reach_it(
    viewer: Any, case_folder: Path, qtbot: QtBot
) -> None:
    viewer.open(str(case_folder), plugin="napari-mmseg")
    qtbot.waitUntil(lambda: panel_of(viewer) is not None, timeout=WAIT_MS)
    panel = panel_of(viewer)
    qtbot.waitUntil(lambda: panel.coordinator.session is not None, timeout=WAIT_MS)
    session = panel.coordinator.session
    assert len(viewer.layers) == 5
    assert session.labels.data is session.edit.codes
    window = main_window_of(panel)
    QTest.keyClick(window, Qt.Key.Key_Period)
    assert session.looks.shown_name == "T1"
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert session.looks.plane == "coronal"
    assert viewer.canvas.overlays["mmseg_top"].text == "S"
    QTest.keyClick(window, Qt.Key.Key_H)
    assert not session.labels.visible
    session.close()


def test_the_window_asks_before_unsaved_changes_are_lost(
    viewer: Any, case: Case, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    answers = [Unsaved.CANCEL]
    monkeypatch.setattr(questions, "ask_unsaved", lambda *_: answers[0])
    panel = show_panel(viewer)
    panel.coordinator.show_case(case)
    scratch(panel)
    window = main_window_of(panel)
    window.show()
    qtbot.waitUntil(lambda: panel.is_guarded, timeout=WAIT_MS)
    assert not window.close()
    assert window.isVisible()
    answers[0] = Unsaved.DISCARD
    panel.coordinator.session.edit.mark_saved()
    window.hide()


def test_a_picture_of_the_window_shows_case_and_panel(
    plugin: Any, case: Case, tmp_path: Path, make_napari_viewer: Any, monkeypatch: Any
) -> None:
    import napari

    monkeypatch.setattr(napari, "Viewer", lambda **_: make_napari_viewer(show=True))
    picture = tmp_path / "pictures" / "window.png"
    launch.view(case, screenshot=picture)
    image = QImage(str(picture))
    assert image.width() >= 1000
    assert image.height() >= 700
    pixels = np.array(
        [image.pixelColor(x, image.height() // 2).value() for x in range(0, image.width(), 3)]
    )
    assert (pixels < 10).any()  # black around the head
    assert len(np.unique(pixels)) > 20  # and the head's texture
