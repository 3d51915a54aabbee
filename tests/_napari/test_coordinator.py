"""The panel and a case together, on napari's model without a window."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import phantom
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QMainWindow, QPushButton

from napari_mmseg._napari.closing import CloseGuard
from napari_mmseg._napari.layers import case_tuples
from napari_mmseg._napari.panel import Panel, panel_of
from napari_mmseg._napari.widgets import questions
from napari_mmseg._napari.widgets.questions import Unsaved
from napari_mmseg._napari.widgets.segment_box import SegmentRequest
from napari_mmseg.case import Case, LabelFile
from napari_mmseg.editing import Footprint, Mode, Stroke
from napari_mmseg.errors import ModelError
from napari_mmseg.io import open_case
from napari_mmseg.volume import Modality

LEFT = Qt.MouseButton.LeftButton
RUN = SegmentRequest("stand-in", "auto", new_layer=False)
WAIT_MS = 30_000


@pytest.fixture
def panel(qtbot: QtBot, model_viewer: ViewerModel, stand_in_model: Any) -> Iterator[Panel]:
    panel = Panel(model_viewer)
    qtbot.addWidget(panel)
    panel.show()
    yield panel
    if panel.coordinator.session is not None:
        panel.coordinator.session.close()


@pytest.fixture
def opened(panel: Panel, case: Case) -> Panel:
    panel.coordinator.show_case(case)
    return panel


@pytest.fixture
def unlabelled(panel: Panel, tmp_path: Path) -> Panel:
    panel.coordinator.show_case(open_case(phantom.write_case(tmp_path / "u", labels=False)))
    return panel


def answers(monkeypatch: pytest.MonkeyPatch, answer: Unsaved) -> list[str]:
    asked: list[str] = []

    def ask(parent: object, before: str, file_name: str, kept: str) -> Unsaved:
        asked.append(before)
        return answer

    monkeypatch.setattr(questions, "ask_unsaved", ask)
    return asked


def segment(panel: Panel, qtbot: QtBot, request: SegmentRequest = RUN) -> None:
    panel.segment.run_requested.emit(request)
    qtbot.waitUntil(lambda: not panel.coordinator.segmenter.is_running, timeout=WAIT_MS)


def scratch(panel: Panel) -> None:
    """One voxel of WT, so that there is something to save."""
    footprint = Footprint((0, 0, 0), np.ones((1, 1, 1), bool))
    panel.coordinator.session.edit.apply(Stroke("WT", Mode.PAINT, footprint))


# Opening


def test_a_folder_opens_beside_the_window(panel: Panel, case_folder: Path, qtbot: QtBot) -> None:
    panel.coordinator.open_paths([case_folder])
    qtbot.waitUntil(lambda: panel.coordinator.session is not None, timeout=WAIT_MS)
    assert panel.case._title.text() == "patient one"
    assert panel.coordinator.session.edit.codes.any()  # the labels beside it
    assert panel.coordinator.session.is_saved


def test_a_folder_that_is_no_case_is_told_in_the_panel(
    panel: Panel, tmp_path: Path, qtbot: QtBot
) -> None:
    panel.coordinator.open_paths([tmp_path])
    qtbot.waitUntil(lambda: "holds no image" in panel.case._banner.text(), timeout=WAIT_MS)
    assert panel.coordinator.session is None


def test_what_the_files_lack_is_told(panel: Panel, tmp_path: Path) -> None:
    case = open_case(phantom.write_case(tmp_path / "two", ("T1", "FLAIR"), oblique_deg=9))
    panel.coordinator.show_case(case)
    facts = panel.case._summary.text()
    assert "30 × 36 × 14 voxels of 1 × 1 × 3 mm" in facts
    assert "missing: T1ce, T2" in facts
    assert "oblique by 9.0°" in facts


def test_an_unclear_label_file_is_asked_about_when_wanted(
    panel: Panel, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ask(parent: object, name: str, choices: list[tuple[str, str]]) -> str | None:
        asked.append((name, [encoding for _, encoding in choices]))
        return None if len(asked) == 1 else "brats2023"

    monkeypatch.setattr(questions, "ask_encoding", ask)
    panel.coordinator.show_case(open_case(phantom.write_case(tmp_path / "p", plain=True)))
    assert not asked
    open_it = next(b for b in panel.case.findChildren(QPushButton) if "mask" in b.text())
    qtbot.mouseClick(open_it, LEFT)
    assert not panel.coordinator.session.edit.codes.any()
    qtbot.mouseClick(open_it, LEFT)
    assert asked[0][0] == "mask.nii.gz"
    assert {"brats2023", "msd", "depth"} <= set(asked[0][1])
    assert "brats2017" not in asked[0][1]  # it has no value 3
    codes = panel.coordinator.session.case.source.to_display.apply(phantom.codes())
    assert np.array_equal(panel.coordinator.session.edit.codes, codes)


def test_any_label_file_can_be_opened(
    unlabelled: Panel, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = phantom.write_case(tmp_path / "elsewhere")
    file = next(elsewhere.glob("*-seg.nii.gz"))
    monkeypatch.setattr(questions, "ask_encoding", lambda *_: "brats2023")
    monkeypatch.setattr(questions, "ask_label_file", lambda *_: file)
    qtbot.mouseClick(
        next(b for b in unlabelled.case.findChildren(QPushButton) if b.text() == "Labels…"), LEFT
    )
    edit = unlabelled.coordinator.session.edit
    assert edit.volumes_ml()["ET"] > 0
    assert edit.undo_depth == 1


def test_labels_of_another_grid_are_refused_in_one_sentence(
    unlabelled: Panel, tmp_path: Path
) -> None:
    other = tmp_path / "other.nii.gz"
    nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)).to_filename(other)
    unlabelled.coordinator.label_opener.open(LabelFile(other, "msd"))
    assert "other.nii.gz" in unlabelled.case._banner.text()
    assert unlabelled.coordinator.session.edit.undo_depth == 0


def test_of_several_label_files_one_is_chosen(
    panel: Panel, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = phantom.write_case(tmp_path / "p", plain=True)
    stored = np.asarray(nib.load(folder / "mask.nii.gz").dataobj)
    other = np.where(stored == 3, 1, stored).astype(np.uint8)
    nib.Nifti1Image(other, phantom.ras_affine()).to_filename(folder / "seg.nii.gz")
    monkeypatch.setattr(questions, "ask_label", lambda parent, names: "seg.nii.gz")
    monkeypatch.setattr(questions, "ask_encoding", lambda *_: "brats2023")
    panel.coordinator.show_case(open_case(folder))
    open_it = next(b for b in panel.case.findChildren(QPushButton) if "one of 2" in b.text())
    qtbot.mouseClick(open_it, LEFT)
    volumes = panel.coordinator.session.edit.volumes_ml()
    assert volumes["TC"] > volumes["ET"] == 0


def test_contrasts_can_be_assigned_by_hand(opened: Panel, qtbot: QtBot) -> None:
    case = opened.coordinator.session.case
    t1, t2 = (case.volumes[m].path for m in (Modality.T1, Modality.T2))
    opened.case.files_chosen.emit({Modality.T1: t2, Modality.T2: t1})
    qtbot.waitUntil(lambda: opened.coordinator.session.case is not case, timeout=WAIT_MS)
    new = opened.coordinator.session.case
    assert (new.volumes[Modality.T1].path, new.volumes[Modality.T2].path) == (t2, t1)
    assert set(new.volumes) == {Modality.T1, Modality.T2}
    assert [ly.name for ly in opened.coordinator.viewer.layers] == ["T1", "T2", "Segmentation"]


def test_names_that_tell_nothing_are_asked_about(
    panel: Panel, case_folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    whole = open_case(case_folder)
    images = [np.asarray(v.array, np.float32) for v in whole.volumes.values()]
    nib.save(nib.Nifti1Image(np.stack(images[:2], axis=-1), np.eye(4)), tmp_path / "a.nii.gz")
    panel.coordinator.open_paths([tmp_path / "a.nii.gz"])
    open_with = next(b for b in panel.case.findChildren(QPushButton) if "with these" in b.text())
    qtbot.waitUntil(open_with.isVisible, timeout=WAIT_MS)
    choices = panel.case._file_choices
    assert {m for m, choice in choices.items() if choice.value is not None} == set()
    shown = choices[Modality.FLAIR]
    shown.setCurrentIndex(shown.findText("a.nii.gz, channel 1"))
    qtbot.mouseClick(open_with, LEFT)
    qtbot.waitUntil(lambda: panel.coordinator.session is not None, timeout=WAIT_MS)
    case = panel.coordinator.session.case
    assert case.modalities == (Modality.FLAIR,)
    assert case.volumes[Modality.FLAIR].notes == {"channel": "1"}


def test_files_read_one_by_one_become_one_case(
    panel: Panel, case_folder: Path, qtbot: QtBot
) -> None:
    for file in sorted(case_folder.glob("*-t*.nii.gz")):
        case = open_case(file)
        layers = [panel.coordinator.viewer.add_image(d, **m) for d, m, _ in case_tuples(case)]
        panel.coordinator.adopt(case, layers)
        assert all(layer.name.isalnum() for layer in panel.coordinator.viewer.layers)
        qtbot.waitUntil(lambda: not panel.coordinator.is_opening, timeout=WAIT_MS)
    assert len(panel.coordinator.session.case.volumes) == 4
    assert len(panel.coordinator.viewer.layers) == 5


def drop(panel: Panel, path: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    how = (Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(5, 5), *how)
    enter.ignore()
    QApplication.sendEvent(panel, enter)  # Qt gives the drop to the widget that took this
    if enter.isAccepted():
        QApplication.sendEvent(panel, QDropEvent(QPointF(5, 5), *how))
    return bool(enter.isAccepted())


def test_a_case_can_be_dropped(panel: Panel, case_folder: Path, qtbot: QtBot) -> None:
    assert drop(panel, case_folder)
    qtbot.waitUntil(lambda: panel.coordinator.session is not None, timeout=WAIT_MS)


def test_a_label_file_of_the_open_case_can_be_dropped(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = phantom.write_case(tmp_path / "plain", plain=True)
    assert not drop(panel, plain / "mask.nii.gz")  # no case is open
    unlabelled = phantom.write_case(tmp_path / "unlabelled", labels=False, plain=True)
    panel.coordinator.show_case(open_case(unlabelled))
    asked: list[str] = []
    monkeypatch.setattr(
        questions, "ask_encoding", lambda parent, name, _: (asked.append(name), "brats2023")[1]
    )
    assert drop(panel, plain / "mask.nii.gz")
    edit = panel.coordinator.session.edit
    assert asked == ["mask.nii.gz"]
    assert (edit.volumes_ml()["ET"] > 0, edit.undo_depth) == (True, 1)
    (tmp_path / "other").mkdir()
    image = np.asarray(nib.load(plain / "T2.nii.gz").dataobj)
    nib.Nifti1Image(image, phantom.ras_affine()).to_filename(tmp_path / "other" / "scan.nii.gz")
    nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)).to_filename(tmp_path / "far.nii.gz")
    for left in (tmp_path / "other" / "scan.nii.gz", tmp_path / "far.nii.gz"):
        assert not drop(panel, left)
    assert edit.undo_depth == 1


def test_other_things_dropped_are_left_alone(panel: Panel, tmp_path: Path) -> None:
    assert not drop(panel, tmp_path)
    assert not panel.coordinator.is_opening


# Segmenting


def test_a_result_is_one_step_of_undo(opened: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    edit = opened.coordinator.session.edit
    before = edit.codes.copy()
    segment(opened, qtbot)
    assert stand_in_model.calls == [{"model": "stand-in", "device": "auto"}]
    assert not np.array_equal(edit.codes, before)
    assert edit.annotation().author == "model:stand-in"
    assert edit.undo_depth == 1
    assert opened.regions._volumes["WT"].text() == f"{edit.volumes_ml()['WT']:.1f} ml"
    edit.undo()
    assert np.array_equal(edit.codes, before)


def test_the_panel_tells_what_was_used(unlabelled: Panel, qtbot: QtBot) -> None:
    segment(unlabelled, qtbot)
    text = unlabelled.segment._result.text()
    assert "stand-in on cpu" in text
    assert "Used T1, T1ce, T2, FLAIR." in text
    assert not unlabelled.segment._warning.isVisible()


def test_without_t1ce_the_panel_warns(panel: Panel, tmp_path: Path, qtbot: QtBot) -> None:
    panel.coordinator.show_case(open_case(phantom.write_case(tmp_path / "n", ("T1", "FLAIR"))))
    segment(panel, qtbot)
    assert "ET result is unreliable" in panel.segment._warning.text()
    assert "Missing: T1ce, T2." in panel.segment._result.text()


def test_a_result_can_go_to_a_new_layer(opened: Panel, qtbot: QtBot) -> None:
    first = opened.coordinator.session.current
    before = first.edit.codes.copy()
    segment(opened, qtbot, SegmentRequest("stand-in", "cpu", new_layer=True))
    assert np.array_equal(first.edit.codes, before)
    assert opened.coordinator.session.labels.name == "Segmentation (stand-in)"
    assert opened.coordinator.session.edit.codes.any()
    assert not opened.coordinator.session.is_saved


def test_cancelling_takes_less_than_a_second_and_changes_nothing(
    opened: Panel, qtbot: QtBot, stand_in_model: Any
) -> None:
    stand_in_model.is_held = True
    before = opened.coordinator.session.edit.codes.copy()
    opened.segment.run_requested.emit(RUN)
    qtbot.waitUntil(lambda: bool(stand_in_model.calls), timeout=WAIT_MS)
    begin = time.perf_counter()
    opened.segment.cancel_requested.emit()
    assert not opened.coordinator.segmenter.is_running
    assert time.perf_counter() - begin < 1.0
    qtbot.wait(100)
    assert np.array_equal(opened.coordinator.session.edit.codes, before)
    assert opened.coordinator.session.edit.undo_depth == 0


def test_a_failure_is_one_sentence(opened: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    stand_in_model.error = ModelError("the weights of simulated are truncated")
    segment(opened, qtbot)
    assert opened.segment._result.text() == "the weights of simulated are truncated"


def test_a_result_for_a_case_that_was_left_is_dropped(
    opened: Panel, qtbot: QtBot, stand_in_model: Any, tmp_path: Path
) -> None:
    stand_in_model.is_held = True
    opened.segment.run_requested.emit(RUN)
    other = open_case(phantom.write_case(tmp_path / "other", labels=False))
    assert opened.coordinator.show_case(other)
    stand_in_model.is_held = False
    qtbot.wait(200)
    assert not opened.coordinator.session.edit.codes.any()


def test_sliders_follow_live_and_are_one_step(unlabelled: Panel, qtbot: QtBot) -> None:
    edit = unlabelled.coordinator.session.edit
    segment(unlabelled, qtbot)
    protocol = edit.protocol
    volumes = []
    for value in (60, 70, 80):
        unlabelled.regions._sliders["WT"].setValue(value)
        qtbot.waitUntil(
            lambda v=value: edit.annotation().provenance.thresholds.get("WT") == v / 100,
            timeout=WAIT_MS,
        )
        volumes.append(edit.volumes_ml()["WT"])
    assert volumes == sorted(volumes, reverse=True)
    assert len(set(volumes)) == 3
    assert edit.undo_depth == 2
    assert edit.volumes_ml()["ET"] <= edit.volumes_ml()["TC"] <= edit.volumes_ml()["WT"]
    assert int(edit.codes.max()) <= protocol.highest_code
    edit.undo()
    assert unlabelled.regions.thresholds["WT"] == 0.5


def test_corrections_by_hand_survive_a_slider(unlabelled: Panel, qtbot: QtBot) -> None:
    segment(unlabelled, qtbot)
    scratch(unlabelled)
    edit = unlabelled.coordinator.session.edit
    unlabelled.regions._sliders["WT"].setValue(90)
    qtbot.waitUntil(lambda: edit.annotation().provenance.thresholds["WT"] == 0.9, timeout=WAIT_MS)
    assert edit.codes[0, 0, 0] == 1


def test_without_a_prediction_there_are_no_sliders(opened: Panel, qtbot: QtBot) -> None:
    assert not opened.regions._sliders["WT"].isVisible()
    segment(opened, qtbot)
    assert opened.regions._sliders["WT"].isVisible()


# Looking


def test_the_panel_follows_the_view(opened: Panel) -> None:
    session = opened.coordinator.session
    session.looks.next_modality()
    assert opened.case._contrasts._buttons["T1"].isChecked()
    session.viewer.dims.order = (2, 0, 1)
    assert opened.case._planes._buttons["sagittal"].isChecked()
    session.viewer.dims.order = (0, 2, 1)
    assert not any(b.isChecked() for b in opened.case._planes._buttons.values())
    session.toggle_outline()
    assert opened.regions._outline.isChecked()


def test_the_view_follows_the_panel(opened: Panel, qtbot: QtBot) -> None:
    session = opened.coordinator.session
    opened.case.modality_requested.emit("T2")
    assert session.looks.shown_modality is Modality.T2
    opened.case.plane_requested.emit("coronal")
    assert session.looks.plane == "coronal"
    opened.regions._checks["ET"].setChecked(False)
    assert session.labels.get_color(3)[:3] == pytest.approx(session.protocol["TC"].colour)
    opened.regions._opacity.setValue(80)
    assert session.labels.opacity == pytest.approx(0.8)


def test_a_removed_labels_layer_can_be_brought_back(opened: Panel, qtbot: QtBot) -> None:
    session = opened.coordinator.session
    session.viewer.layers.remove(session.labels)
    back = next(b for b in opened.regions.findChildren(QPushButton) if "again" in b.text())
    assert back.isVisible()
    qtbot.mouseClick(back, LEFT)
    assert session.labels in session.viewer.layers
    assert not back.isVisible()


def test_a_layer_removed_in_a_stroke_ends_the_stroke(opened: Panel) -> None:
    session = opened.coordinator.session
    session.edit.begin()
    session.edit.extend(Stroke("WT", Mode.PAINT, Footprint((0, 0, 0), np.ones((1, 1, 1), bool))))
    session.viewer.layers.remove(session.labels)
    assert not session.edit.is_open
    assert session.edit.undo_depth == 1


def test_the_edit_tools_are_joined_to_the_annotation_in_hand(opened: Panel) -> None:
    assert opened.edit.isEnabled()
    scratch(opened)
    assert "Undo (1)" in [b.text() for b in opened.edit.findChildren(QPushButton)]


# Exporting


def test_export_writes_beside_the_case_and_tells_what_was_checked(
    opened: Panel, qtbot: QtBot
) -> None:
    scratch(opened)
    opened.export._author.setText("rater-1")
    opened.export.export_requested.emit(opened.export.request)
    qtbot.waitUntil(lambda: bool(opened.export._result.text()), timeout=WAIT_MS)
    case = opened.coordinator.session.case
    path = case.labels[0].path.with_name("segmentation.nii.gz")
    assert nib.load(path).shape == phantom.SHAPE
    told = json.loads(path.with_name("segmentation.json").read_text())
    assert (told["author"], told["edits"]["WT"]["added"]) == ("rater-1", 1)
    assert told["effort"]["strokes"] == 1
    assert told["effort"]["voxels"]["WT"] == {"added": 1, "removed": 0}
    text = opened.export._result.text()
    assert "segmentation.nii.gz" in text
    assert "compared voxel by voxel" in text
    assert opened.coordinator.session.is_saved


def test_a_second_export_keeps_the_first(opened: Panel, qtbot: QtBot) -> None:
    for _ in range(2):
        opened.export._result.clear()
        opened.export.export_requested.emit(opened.export.request)
        qtbot.waitUntil(lambda: bool(opened.export._result.text()), timeout=WAIT_MS)
    assert "kept as" in opened.export._result.text()


def test_images_of_the_case_are_not_written_over(opened: Panel, qtbot: QtBot) -> None:
    image = opened.coordinator.session.case.volumes[Modality.T1].path
    before = image.read_bytes()
    scratch(opened)
    opened.export._folder = image.parent
    request = replace(opened.export.request, path=image)
    opened.export.export_requested.emit(request)
    assert "one of the images" in opened.export._result.text()
    assert image.read_bytes() == before
    assert not opened.coordinator.session.is_saved


def test_an_export_that_fails_leaves_the_changes_unsaved(opened: Panel, qtbot: QtBot) -> None:
    scratch(opened)
    opened.export._folder = Path("/proc/no such place")
    opened.export.export_requested.emit(opened.export.request)
    qtbot.waitUntil(lambda: bool(opened.export._result.text()), timeout=WAIT_MS)
    assert "Wrote" not in opened.export._result.text()
    assert not opened.coordinator.session.is_saved


def test_changes_during_an_export_are_not_called_saved(opened: Panel, qtbot: QtBot) -> None:
    opened.export.export_requested.emit(opened.export.request)
    scratch(opened)
    qtbot.waitUntil(lambda: bool(opened.export._result.text()), timeout=WAIT_MS)
    assert not opened.coordinator.session.is_saved


# Leaving


@pytest.mark.parametrize("answer", list(Unsaved))
def test_another_case_asks_about_unsaved_changes(
    opened: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Unsaved
) -> None:
    asked = answers(monkeypatch, answer)
    old = opened.coordinator.session.case
    scratch(opened)
    other = open_case(phantom.write_case(tmp_path / "other"))
    left = opened.coordinator.show_case(other)
    assert len(asked) == 1
    assert left is (answer is not Unsaved.CANCEL)
    now = opened.coordinator.session.case
    assert now is (old if answer is Unsaved.CANCEL else other)
    written = old.labels[0].path.with_name("segmentation.nii.gz").exists()
    assert written is (answer is Unsaved.SAVE)


def test_nothing_is_asked_when_nothing_changed(
    opened: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answers(monkeypatch, Unsaved.CANCEL)
    assert opened.coordinator.show_case(open_case(phantom.write_case(tmp_path / "other")))
    assert not asked
    assert len(opened.coordinator.viewer.layers) == 5


def test_saving_that_fails_does_not_leave(opened: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Unsaved.SAVE)
    scratch(opened)
    opened.export._folder = Path("/proc/no such place")
    assert not opened.coordinator.may_leave("before closing")
    assert opened.export._result.isVisible()


@pytest.mark.parametrize(("answer", "closed"), [(Unsaved.CANCEL, False), (Unsaved.DISCARD, True)])
def test_a_window_asks_before_it_closes(
    opened: Panel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, answer: Unsaved, closed: bool
) -> None:
    asked = answers(monkeypatch, answer)
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    guard = CloseGuard(window, lambda: opened.coordinator.may_leave("before closing"))
    scratch(opened)
    window.close()
    assert asked == ["before closing"]
    assert window.isVisible() is not closed
    window.removeEventFilter(guard)


def test_a_viewers_panel_is_found_again(opened: Panel) -> None:
    assert panel_of(opened.coordinator.viewer) is opened
