"""A case takes its work file up when it is opened, and lets go of it when it is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import Notification, notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTreeWidget

from napari_mmseg._napari.panel import Panel
from napari_mmseg._napari.widgets import questions
from napari_mmseg.case import Case
from napari_mmseg.editing import Footprint, Mode, Stroke
from napari_mmseg.journal import fingerprint_of, load_work

WAIT_MS = 30_000
CUBE = Footprint((2, 2, 2), np.ones((3, 3, 3), bool))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    where = tmp_path / "work"
    monkeypatch.setenv("NAPARI_MMSEG_WORK", str(where))
    monkeypatch.setenv("NAPARI_MMSEG_RATER", "reader 1")
    return where


@pytest.fixture
def told() -> Iterator[list[Notification]]:
    found: list[Notification] = []
    notification_manager.notification_ready.connect(found.append)
    yield found
    notification_manager.notification_ready.disconnect(found.append)


@pytest.fixture
def new_panel(qtbot: QtBot, stand_in_model: Any, folder: Path) -> Iterator[Callable[[], Panel]]:
    made: list[Panel] = []

    def make() -> Panel:
        panel = Panel(ViewerModel())
        qtbot.addWidget(panel)
        made.append(panel)
        return panel

    yield make
    for panel in made:
        if panel.coordinator.session is not None:
            panel.coordinator.work_file.let_go()
            panel.coordinator.session.close()


def leave(panel: Panel) -> None:
    panel.coordinator.session.edit.mark_saved()
    panel.coordinator._leave()


def test_work_goes_on_where_it_was_and_can_be_started_afresh(new_panel, case: Case, folder, told):
    first = new_panel()
    first.coordinator.show_case(case)
    edit = first.coordinator.session.edit
    before = edit.codes.copy()
    edit.apply(Stroke("ET", Mode.SET, CUBE), "brush: add ET")
    edit.apply(Stroke("WT", Mode.ERASE, CUBE), "brush: erase WT")
    edit.undo()
    after = edit.codes.copy()
    leave(first)
    (path,) = folder.iterdir()
    assert path.name == f"{fingerprint_of(case)}-reader_1.mmseg"
    told.clear()

    second = new_panel()
    second.coordinator.show_case(case)
    session = second.coordinator.session
    np.testing.assert_array_equal(session.edit.codes, after)
    assert session.labels.data is session.edit.codes
    assert (session.edit.undo_depth, session.edit.redo_depth) == (1, 1)
    (news,) = told
    assert "goes on where it was (2 steps" in news.message
    ((text, start_afresh),) = news.actions
    assert text == "Start afresh"
    start_afresh(None)
    np.testing.assert_array_equal(session.edit.codes, before)
    assert not session.edit.can_undo
    assert "kept as" in told[-1].message
    assert len(load_work(folder / f"{path.name}.1.bak")[0].entries) == 3


def test_a_popup_of_a_case_that_was_left_starts_nothing_afresh(new_panel, case: Case, told):
    first = new_panel()
    first.coordinator.show_case(case)
    first.coordinator.session.edit.apply(Stroke("ET", Mode.SET, CUBE), "brush: add ET")
    leave(first)
    told.clear()

    second = new_panel()
    second.coordinator.show_case(case)
    ((_, start_afresh),) = told[0].actions
    leave(second)
    second.coordinator.show_case(case)
    edit = second.coordinator.session.edit
    drawn = edit.codes.copy()
    start_afresh(None)
    np.testing.assert_array_equal(edit.codes, drawn)
    assert edit.undo_depth == 1
    assert "no longer open" in told[-1].message


def test_labels_that_are_given_come_on_top_of_the_work(new_panel, case: Case):
    first = new_panel()
    first.coordinator.show_case(case)
    first.coordinator.session.edit.apply(Stroke("ET", Mode.SET, CUBE))
    worked = first.coordinator.session.edit.annotation()
    leave(first)
    second = new_panel()
    second.coordinator.show_case(case, worked.with_codes(np.zeros_like(worked.codes)))
    edit = second.coordinator.session.edit
    assert not edit.codes.any()
    edit.undo()
    np.testing.assert_array_equal(edit.codes, worked.codes)


def test_a_second_window_may_look_and_not_touch(new_panel, case: Case, told, monkeypatch):
    first, second = new_panel(), new_panel()
    first.coordinator.show_case(case)
    first.coordinator.session.edit.apply(Stroke("ET", Mode.SET, CUBE))
    first.coordinator.work_file.journal.writer.flush()
    told.clear()
    second.coordinator.show_case(case)
    edit = second.coordinator.session.edit
    assert "open in another window" in told[0].message
    assert second.case._work_banner.text() == told[0].message
    assert not first.case._work_banner.text()
    np.testing.assert_array_equal(edit.codes, first.coordinator.session.edit.codes)
    told.clear()
    for _ in range(3):
        edit.apply(Stroke("WT", Mode.ERASE, CUBE))
    assert len(told) == 1
    np.testing.assert_array_equal(edit.codes, first.coordinator.session.edit.codes)
    leave(first)
    monkeypatch.setattr(questions, "ask_unsaved", None)  # nothing is asked: nothing is lost
    assert second.coordinator.show_case(case)
    edit = second.coordinator.session.edit
    edit.apply(Stroke("WT", Mode.ERASE, CUBE))
    assert edit.undo_depth == 2
    assert not second.case._work_banner.text()


def test_looking_around_is_time_at_work(new_panel, case: Case):
    panel = new_panel()
    panel.coordinator.show_case(case)
    edit = panel.coordinator.session.edit
    before = edit.effort.active_seconds
    panel.coordinator.viewer.dims.set_point(0, 3)
    assert edit.effort.active_seconds > before


def test_trouble_is_told_in_the_window(new_panel, case: Case, folder, told, qtbot: QtBot):
    folder.write_text("not a folder")
    panel = new_panel()
    panel.coordinator.show_case(case)
    panel.coordinator.session.edit.apply(Stroke("ET", Mode.SET, CUBE))
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    assert "cannot be reached" in told[0].message
    line = panel.case._work_banner
    assert line.text() == told[0].message  # for as long as it lasts
    folder.unlink()
    qtbot.waitUntil(lambda: len(told) > 1, timeout=WAIT_MS)
    assert "written again" in told[1].message
    assert not line.text()


def test_the_question_before_closing_says_whether_the_work_file_has_it(
    new_panel, case: Case, folder, monkeypatch, qtbot: QtBot
):
    asked: list[str] = []

    def ask(parent: object, before: str, file_name: str, kept: str) -> questions.Unsaved:
        asked.append(kept)
        return questions.Unsaved.CANCEL

    monkeypatch.setattr(questions, "ask_unsaved", ask)
    panel = new_panel()
    panel.coordinator.show_case(case)
    edit = panel.coordinator.session.edit
    edit.apply(Stroke("ET", Mode.SET, CUBE))
    assert not panel.coordinator.may_leave("before closing")
    folder.rename(folder.with_name("pulled"))
    edit.apply(Stroke("WT", Mode.ERASE, CUBE))
    writer = panel.coordinator.work_file.journal.writer
    qtbot.waitUntil(lambda: bool(writer.trouble), timeout=WAIT_MS)
    begin = time.monotonic()
    assert not panel.coordinator.may_leave("before closing")
    assert time.monotonic() - begin < 8.0  # the window does not hang on a drive that is gone
    folder.with_name("pulled").rename(folder)
    assert "keeps them" in asked[0]
    assert "what is discarded is lost" in asked[1]


def test_without_a_folder_there_is_no_work_file(new_panel, case: Case, folder, monkeypatch):
    monkeypatch.setenv("NAPARI_MMSEG_WORK", "off")
    panel = new_panel()
    panel.coordinator.show_case(case)
    panel.coordinator.session.edit.apply(Stroke("ET", Mode.SET, CUBE))
    leave(panel)
    assert not folder.exists()


def second_labels(panel: Panel) -> Any:
    """What a model's result "as a new layer" is, with a stroke on it."""
    session = panel.coordinator.session
    proposed = session.edit.annotation().with_codes(np.ones_like(session.edit.codes))
    track = session.add_annotation(proposed, "Segmentation (b)")
    track.edit.apply(Stroke("ET", Mode.SET, CUBE), "brush: add ET")
    return track


def test_further_labels_have_a_work_file_of_their_own(new_panel, case: Case, folder, told):
    first = new_panel()
    first.coordinator.show_case(case)
    first.coordinator.session.edit.apply(Stroke("TC", Mode.SET, CUBE))
    worked = [first.coordinator.session.edit, second_labels(first).edit]
    assert first.coordinator.session.edit is worked[1]
    assert first.coordinator.work_file._journals[1].writer.flush()  # killed from here on
    stem = f"{fingerprint_of(case)}-reader_1"
    names = {f"{stem}.mmseg", f"{stem}.layer-2.mmseg"}
    assert {path.name for path in folder.glob("*.mmseg")} == names
    worked[0].mark_saved()
    leave(first)
    told.clear()

    second = new_panel()
    second.coordinator.show_case(case)
    session = second.coordinator.session
    assert session.current is session.tracks[0]
    for track, edit in zip(session.tracks, worked, strict=True):
        np.testing.assert_array_equal(track.edit.codes, edit.codes)
        assert track.edit.undo_depth == edit.undo_depth
    further = session.tracks[1]
    assert (further.layer.name, further.layer.visible) == ("Segmentation (b)", False)
    assert "hidden: Segmentation (b)" in told[-1].message
    further.edit.undo()
    assert (further.edit.codes == 1).all()
    assert (further.edit.proposal == 1).all()


def test_further_labels_taken_out_of_the_list_do_not_come_back(new_panel, case: Case, folder):
    first = new_panel()
    first.coordinator.show_case(case)
    layer = second_labels(first).layer
    first.coordinator.viewer.layers.selection.active = first.coordinator.session.tracks[0].layer
    first.coordinator.viewer.layers.remove(layer)
    leave(first)
    assert not list(folder.glob("*.layer-2.mmseg"))
    (kept,) = folder.glob("*.layer-2.mmseg.1.bak")
    assert len(load_work(kept)[0].entries) == 2
    second = new_panel()
    second.coordinator.show_case(case)
    assert len(second.coordinator.session.tracks) == 1


def test_a_second_window_may_not_touch_further_labels_either(new_panel, case: Case, told):
    first, second = new_panel(), new_panel()
    first.coordinator.show_case(case)
    first.coordinator.session.edit.apply(Stroke("TC", Mode.SET, CUBE))
    second_labels(first)
    assert all(j.writer.flush() for j in first.coordinator.work_file._journals)
    told.clear()
    second.coordinator.show_case(case)
    assert len([n for n in told if "open in another window" in n.message]) == 1
    for track in second.coordinator.session.tracks:
        before = track.edit.codes.copy()
        track.edit.apply(Stroke("WT", Mode.ERASE, CUBE))
        np.testing.assert_array_equal(track.edit.codes, before)


def test_starting_afresh_means_the_labels_in_hand(new_panel, case: Case):
    panel = new_panel()
    panel.coordinator.show_case(case)
    first = panel.coordinator.session.edit
    first.apply(Stroke("TC", Mode.SET, CUBE))
    second = second_labels(panel).edit
    panel.coordinator.work_file.start_afresh()
    assert not second.codes.any()
    assert first.undo_depth == 1


def test_accepted_lesions_are_ticked_when_the_case_is_opened_again(new_panel, case: Case, qtbot):
    def shown(panel: Panel) -> str:
        return panel.lesions._about.text()

    first = new_panel()
    first.coordinator.show_case(case)
    first.coordinator.sections.lesions.open(True)
    assert "0 accepted" in shown(first)
    row = first.lesions.findChild(QTreeWidget).topLevelItem(0)
    row.setCheckState(0, Qt.CheckState.Checked)
    qtbot.waitUntil(lambda: "1 accepted" in shown(first), timeout=WAIT_MS)
    assert first.coordinator.session.is_saved  # the labels are as they were
    leave(first)

    second = new_panel()
    second.coordinator.show_case(case)
    second.coordinator.sections.lesions.open(True)
    assert "1 accepted" in shown(second)
    edit = second.coordinator.session.edit
    whole = Footprint((0, 0, 0), np.ones(edit.codes.shape, bool))
    edit.apply(Stroke("TC", Mode.SET, Footprint((2, 2, 2), np.ones((1, 1, 1), bool))))
    edit.apply(Stroke("WT", Mode.PAINT, whole))
    qtbot.waitUntil(lambda: "0 accepted" in shown(second), timeout=WAIT_MS)
    edit.undo()
    qtbot.waitUntil(lambda: "1 accepted" in shown(second), timeout=WAIT_MS)
