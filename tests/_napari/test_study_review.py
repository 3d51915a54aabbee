"""Review mode in the viewer: only for those who may look, read-only, and written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_mmseg._napari.panel import Panel
from napari_mmseg._napari.study_panel import StudyPanel
from napari_mmseg.editing import Footprint, Mode, Stroke
from napari_mmseg.study import Study, new_study, submit
from napari_mmseg.study.log import read_log
from napari_mmseg.study.study import REVIEWS

WAIT_MS = 20_000
CUBE = Stroke("WT", Mode.PAINT, Footprint((2, 2, 2), np.ones((3, 3, 3), bool)))


@pytest.fixture
def study(tmp_path: Path, case_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
    return new_study(tmp_path / "study", seed=1, cases=[case_folder], raters=["ann", "zebra"])


class Desk:
    def __init__(self, qtbot: QtBot, study: Study) -> None:
        self.qtbot, self.study = qtbot, study
        self.panel = Panel(ViewerModel())
        self.dock = StudyPanel(self.panel.coordinator)
        for widget in (self.panel, self.dock):
            qtbot.addWidget(widget)
            widget.show()

    @property
    def session(self) -> Any:
        return self.panel.coordinator.session

    @property
    def listed(self) -> list[list[str]]:
        rows = self.dock.review._list
        found = [rows.topLevelItem(i) for i in range(rows.topLevelItemCount())]
        return [[item.text(n) for n in range(4)] for item in found]

    def sit(self, who: str) -> None:
        self.dock.worklist.load(self.study.folder, who)
        self.wait()

    def wait(self) -> None:
        def idle() -> bool:
            return not (self.dock.worklist.is_busy or self.dock.reviewing.is_busy)

        self.qtbot.waitUntil(idle, timeout=WAIT_MS)

    def press(self, text: str) -> None:
        button = next(b for b in self.dock.findChildren(QPushButton) if b.text() == text)
        button.click()
        self.wait()


@pytest.fixture
def desk(qtbot: QtBot, stand_in_model: Any, study: Study) -> Iterator[Desk]:
    desk = Desk(qtbot, study)
    desk.sit("ann")
    desk.press("Next reading")
    desk.session.edit.apply(CUBE)
    yield desk
    desk.panel.coordinator._leave()


def test_a_rater_who_has_work_left_sees_nobody_elses(desk):
    desk.press("List all readings")
    assert "still has readings to finish" in desk.dock.review.message
    assert desk.listed == []


def test_a_reading_is_listed_shown_read_only_and_written_down(desk, study):
    item = desk.session.reading
    desk.press("Submit")
    desk.sit("boss")  # is no rater of the study
    desk.press("List all readings")
    assert desk.listed == [[item, "ann", study.assignments[0].case, "submitted"]]
    desk.dock.review._list.setCurrentItem(desk.dock.review._list.topLevelItem(0))
    desk.press("Open to review")
    assert "by ann is shown" in desk.dock.review.message
    edit = desk.session.edit
    assert edit.codes.sum() == 27
    edit.apply(Stroke("ET", Mode.PAINT, CUBE.footprint))
    assert edit.codes.sum() == 27
    (line,) = read_log(study.folder / REVIEWS).lines
    told = line.told
    assert (told["by"], told["rater"], told["item"]) == ("boss", "ann", item)


def test_the_list_goes_when_a_rater_sits_down(desk, study):
    desk.press("Submit")
    desk.sit("boss")
    desk.press("List all readings")
    assert desk.listed
    desk.dock.list.show_study("study", "zebra")
    desk.qtbot.mouseClick(desk.dock.list._show, Qt.MouseButton.LeftButton)
    desk.wait()
    assert desk.listed == []


def test_who_has_finished_may_look(desk, study):
    desk.press("Submit")
    for work in study.worklist("zebra"):
        submit(study, "zebra", work.item)
    desk.press("List all readings")
    assert {row[1] for row in desk.listed} == {"ann", "zebra"}
