"""The Raters and worklist docks in the real window, with real keys and mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import phantom
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from napari_mmseg._napari.closing import main_window_of
from napari_mmseg._napari.panel import panel_of
from napari_mmseg._napari.raters_panel import show_raters
from napari_mmseg._napari.study_panel import show_worklist
from napari_mmseg.case import Case

WAIT_MS = 30_000


def test_docks_share_a_place_and_the_key_reaches_the_disagreements(
    viewer: Any,
    case: Case,
    tmp_path: Path,
    qtbot: QtBot,
    stand_in_model: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
    raters = show_raters(viewer)
    assert show_raters(viewer) is raters
    assert show_worklist(viewer) is show_worklist(viewer)
    panel = panel_of(viewer)
    panel.coordinator.show_case(case)
    other = np.roll(phantom.codes(), 3, axis=0)
    for name, codes in (("one", phantom.codes()), ("two", other)):
        stored = np.array([0, 2, 1, 3], dtype=np.uint8)[codes]
        nib.Nifti1Image(stored, phantom.ras_affine()).to_filename(tmp_path / f"{name}.nii.gz")
    raters.link.raters.open_paths([tmp_path / "one.nii.gz", tmp_path / "two.nii.gz"])
    qtbot.waitUntil(lambda: not raters.link.is_busy, timeout=WAIT_MS)
    window = main_window_of(raters)
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert raters.disputes.here_text.startswith("WT-")
    settle = next(b for b in raters.findChildren(QPushButton) if b.text() == "Settle them")
    QTest.mouseClick(settle, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not raters.link.is_busy, timeout=WAIT_MS)
    take = next(b for b in raters.findChildren(QPushButton) if b.objectName() == "A")
    QTest.mouseClick(take, Qt.MouseButton.LeftButton)
    edit = panel.coordinator.session.edit
    assert edit.undo_label.startswith("settle WT-")
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not raters.link.disputes.adjudicator.decisions
    QTest.keyClick(window, Qt.Key.Key_F1)
    assert [d.rater for d in raters.link.disputes.adjudicator.decisions] == ["one"]
    for companion in panel.companions.values():
        companion.let_go()
    for track in panel.coordinator.session.tracks:
        track.edit.mark_saved()
    panel.coordinator.session.close()
