"""One rater's work list in the viewer: blind, resumed, handed in, reopened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QTreeWidget, QWidget

from napari_mmseg._napari.panel import Panel
from napari_mmseg._napari.raters_panel import RatersPanel
from napari_mmseg._napari.study_panel import StudyPanel
from napari_mmseg.editing import Footprint, Mode, Stroke
from napari_mmseg.study import Design, Proposals, Study, lock, new_study

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 20_000
CUBE = Stroke("WT", Mode.PAINT, Footprint((2, 2, 2), np.ones((3, 3, 3), bool)))


@pytest.fixture
def study(tmp_path: Path, case_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """One case, which comes back mirrored; its folder is called "patient one"."""
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
    return new_study(
        tmp_path / "study",
        design=Design(Proposals.HIDDEN, repeats=1.0, mirror=True),
        seed=1,
        cases=[case_folder],
        raters=["ann", "zebra"],
    )


class Desk:
    def __init__(self, qtbot: QtBot, viewer: ViewerModel) -> None:
        self.qtbot = qtbot
        self.panel = Panel(viewer)
        self.dock = StudyPanel(self.panel.coordinator)
        for widget in (self.panel, self.dock):
            qtbot.addWidget(widget)
            widget.show()

    @property
    def session(self) -> Any:
        return self.panel.coordinator.session

    @property
    def states(self) -> list[str]:
        found = self.dock.findChild(QTreeWidget)
        items = [found.topLevelItem(i) for i in range(found.topLevelItemCount())]
        return [item.text(2) for item in items]

    def wait(self) -> None:
        self.qtbot.waitUntil(lambda: not self.dock.worklist.is_busy, timeout=WAIT_MS)

    def press(self, text: str) -> None:
        for button in self.dock.findChildren(QPushButton):
            if not button.isHidden() and button.text() == text:
                self.qtbot.mouseClick(button, LEFT)
                self.wait()
                return
        raise AssertionError(f"no button {text}")

    def leave(self) -> None:
        self.panel.coordinator._leave()


@pytest.fixture
def desk(qtbot: QtBot, stand_in_model: Any, study: Study) -> Iterator[Desk]:
    desk = Desk(qtbot, ViewerModel())
    desk.dock.worklist.load(study.folder, "ann")
    desk.wait()
    yield desk
    desk.leave()


def test_readings_are_read_kept_handed_in_and_reopened(desk, study):
    assert desk.states == ["waiting", "waiting"]
    desk.press("Next reading")
    first = desk.session.reading
    desk.session.edit.apply(CUBE)
    desk.dock.reading._sure.choose(4)
    desk.dock.reading._comment.setText("motion")
    desk.press("Submit")
    assert desk.states == ["submitted", "waiting"]
    assert desk.dock.list.about_text == "1 of 2 readings are done."
    reading = study.reading("ann", first)
    assert (reading.confidence, reading.comment) == (4, "motion")
    desk.session.edit.apply(Stroke("ET", Mode.PAINT, CUBE.footprint))
    assert desk.session.edit.codes.sum() == 27  # read-only now
    desk.press("Reopen to change it")
    assert desk.states == ["draft", "waiting"]
    desk.session.edit.apply(Stroke("ET", Mode.PAINT, CUBE.footprint))
    assert desk.session.edit.codes.sum() == 3 * 27


def test_the_next_sitting_goes_on_with_what_was_begun(desk, qtbot, study):
    desk.press("Next reading")
    first = desk.session.reading
    desk.session.edit.apply(CUBE)
    desk.dock.reading._comment.setText("to be looked at again")
    desk.dock.list.open_requested.emit(study.worklist("ann")[1].item)
    desk.wait()
    assert study.reading("ann", first).comment == "to be looked at again"
    desk.leave()
    again = Desk(qtbot, ViewerModel())
    assert again.dock.list.rater == "ann"
    again.press("Show")
    assert again.states == ["draft", "waiting"]
    again.press("Next reading")
    assert again.session.reading == first
    assert again.session.edit.codes.sum() == 27
    assert again.dock.reading.words.comment == "to be looked at again"
    again.leave()


def test_a_reading_that_is_not_gradable_needs_a_reason(desk, study):
    desk.press("Next reading")
    item = desk.session.reading
    desk.dock.reading._ungradable.setChecked(True)
    desk.press("Submit")
    assert "Say why" in desk.dock.list.message
    assert desk.states == ["waiting", "waiting"]
    desk.dock.reading._why.setText("motion")
    desk.press("Submit")
    assert study.reading("ann", item).not_gradable == "motion"


def test_a_locked_reading_is_not_reopened(desk, study):
    desk.press("Next reading")
    desk.press("Submit")
    lock(study, [desk.session.reading], "chief")
    desk.press("Show")
    assert desk.states == ["locked", "waiting"]
    assert desk.dock.reading._reopen.isHidden()
    assert not desk.dock.reading._submit.isEnabled()


def test_a_second_window_is_told_beside_the_reading_that_it_is_open_elsewhere(desk, qtbot):
    desk.press("Next reading")
    desk.session.edit.apply(CUBE)
    assert desk.dock.reading.warning == ""
    second = Desk(qtbot, ViewerModel())
    second.press("Show")
    second.dock.list.open_requested.emit(desk.session.reading)
    second.wait()
    assert "open in another window" in second.dock.reading.warning
    box = second.dock.reading
    assert "hand it in there" in box.about_text
    for part in (box._submit, box._keep, box._sure, box._comment, box._ungradable):
        assert not part.isEnabled()
    assert desk.dock.reading._submit.isEnabled()
    second.session.edit.apply(Stroke("ET", Mode.PAINT, CUBE.footprint))
    assert second.session.edit.codes.max() < 3
    second.leave()
    assert second.dock.reading.warning == ""


def test_somebody_who_is_no_rater_is_told_so_and_nothing_of_others(desk, study):
    desk.dock.worklist.load(study.folder, "nobody")
    desk.wait()
    assert "has no rater nobody" in desk.dock.list.message
    assert "zebra" not in desk.dock.list.message


def texts(desk: Desk, others: list[QWidget]) -> list[str]:
    """All that can be read in the docks and the layers."""
    viewer = desk.panel.coordinator.viewer
    found = [viewer.title, viewer.help, *(str(v) for v in (la.name for la in viewer.layers))]
    for layer in viewer.layers:
        found += [str(layer.source.path), str(layer.translate), str(layer.scale)]
    for top in (desk.dock, *others):
        for widget in top.findChildren(QWidget):
            for name in ("text", "toolTip", "title", "placeholderText"):
                if callable(getattr(widget, name, None)):
                    found.append(str(getattr(widget, name)()))
    return found


def test_nothing_tells_case_repeat_or_other_raters(desk, study, qtbot):
    raters = RatersPanel(desk.panel.coordinator)
    qtbot.addWidget(raters)
    seen = []
    for work in study.worklist("ann"):
        desk.dock.list.open_requested.emit(work.item)
        desk.wait()
        found = texts(desk, [desk.panel, raters])
        for word in ("patient one", "case-0", "zebra", str(study.folder)):
            assert not [text for text in found if word in text]
        # As a set: widgets that Qt has yet to delete may stand twice.
        seen.append({text.replace(work.item, "ITEM") for text in found})
    assert seen[0] == seen[1]  # the case, and the same case mirrored


def test_raters_are_not_compared_while_a_reading_is_open(desk, qtbot, case_folder):
    raters = RatersPanel(desk.panel.coordinator)
    qtbot.addWidget(raters)
    desk.press("Next reading")
    raters.link.raters.open_paths([case_folder / "BraTS-GLI-00001-000-seg.nii.gz"])
    assert not raters.link.raters.opener.is_running
    assert len(raters.link.group) == 0
    assert "not compared meanwhile" in raters.raters.message
    assert not raters.raters.isEnabled()
