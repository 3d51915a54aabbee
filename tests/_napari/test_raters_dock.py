"""Several raters of a case compared and settled, on napari's model without a window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import phantom
import pytest
from napari.components import ViewerModel
from napari.utils.key_bindings import coerce_keybinding
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QPushButton, QTreeWidget

from napari_mmseg._napari.panel import Panel
from napari_mmseg._napari.raters_adjudicating import LAYER_NAME
from napari_mmseg._napari.raters_dispute_keys import MAJORITY_KEY, NEXT_KEY, PAINTED_KEY, rater_key
from napari_mmseg._napari.raters_layers import DISPUTE_NAME
from napari_mmseg._napari.raters_outline_layer import OUTLINES_NAME
from napari_mmseg._napari.raters_panel import RatersPanel
from napari_mmseg._napari.widgets import questions, raters_questions
from napari_mmseg._napari.widgets.export_box import ExportRequest
from napari_mmseg.agreement.adjudicate import Adjudication
from napari_mmseg.agreement.adjudication_log import open_log
from napari_mmseg.agreement.disagreement import disagreement
from napari_mmseg.agreement.many import agree
from napari_mmseg.case import Case
from napari_mmseg.editing import Footprint, Mode, Stroke
from napari_mmseg.io import open_case, read_annotation
from napari_mmseg.volume import Modality

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 8_000

#: BraTS 2023's values of the codes 0 to 3.
STORED = np.array([0, 2, 1, 3], dtype=np.uint8)


class Desk:
    """A case and three raters: the second shifted by a voxel, the third with an island more."""

    def __init__(self, dock: RatersPanel, panel: Panel, folder: Path, qtbot: QtBot) -> None:
        self.dock, self.panel, self.folder, self.qtbot = dock, panel, folder, qtbot
        self.viewer = panel.coordinator.viewer
        self.asked: list[tuple[str, int, list[str]]] = []

    @property
    def session(self) -> Any:
        return self.panel.coordinator.session

    def open(self, *names: str) -> None:
        self.dock.link.raters.open_paths([self.folder / f"{n}.nii.gz" for n in names])
        self.wait()

    def wait(self) -> None:
        self.qtbot.waitUntil(lambda: not self.dock.link.is_busy, timeout=WAIT_MS)

    def press(self, text: str) -> None:
        for button in self.dock.findChildren(QPushButton):
            if not button.isHidden() and text in (button.text(), button.objectName()):
                self.qtbot.mouseClick(button, LEFT)
                return
        raise AssertionError(f"no button {text}")

    def rows(self, part: Any) -> list[list[str]]:
        found = part.findChild(QTreeWidget)
        items = [found.topLevelItem(i) for i in range(found.topLevelItemCount())]
        return [[item.text(n) for n in range(found.columnCount())] for item in items]

    def settle(self) -> None:
        self.press("Settle them")
        self.wait()


@pytest.fixture
def desk(
    qtbot: QtBot,
    model_viewer: ViewerModel,
    stand_in_model: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    case = open_case(phantom.write_case(tmp_path / "case", labels=False, plain=True))
    codes = phantom.codes()
    third = codes.copy()
    third[20:23, 10:13, 4:7] = 1
    for name, rater in (("one", codes), ("two", np.roll(codes, 1, axis=0)), ("three", third)):
        file = nib.Nifti1Image(STORED[rater], phantom.ras_affine())
        file.to_filename(tmp_path / f"{name}.nii.gz")
    panel = Panel(model_viewer)
    dock = RatersPanel(panel.coordinator)
    for widget in (panel, dock):
        qtbot.addWidget(widget)
        widget.show()
    panel.coordinator.show_case(case)
    desk = Desk(dock, panel, tmp_path, qtbot)

    def ask(parent: Any, name: str, count: int, choices: list[tuple[str, str]]) -> str:
        desk.asked.append((name, count, [choice for _, choice in choices]))
        return "brats2023"

    monkeypatch.setattr(raters_questions, "ask_encoding_of_all", ask)
    monkeypatch.setattr(questions, "ask_unsaved", lambda *_: questions.Unsaved.DISCARD)
    yield desk
    dock.link.let_go()
    if panel.coordinator.session is not None:
        panel.coordinator.session.close()


def test_raters_are_opened_listed_and_asked_about_once(desk):
    assert "Open two or more" in desk.dock.agreement._said.text()
    desk.open("one", "two", "three")
    assert [(name, count) for name, count, _ in desk.asked] == [("one.nii.gz", 3)]
    rows = desk.rows(desk.dock.raters)
    assert [row[1] for row in rows] == ["one", "two", "three"]
    raters = desk.dock.link.group.annotations
    assert [row[2] for row in rows] == [f"{a.volumes_ml['WT']:.1f}" for a in raters.values()]
    expected = np.nanmean(agree(raters).regions["WT"].matrix("dice"), axis=1)
    assert [row[3] for row in rows] == [f"{dice:.3f}" for dice in expected]


def test_the_matrix_and_the_table_are_those_of_the_region_and_figure_chosen(desk):
    desk.open("one", "two", "three")
    desk.dock.sections["agreement"].expand()
    here = agree(desk.dock.link.group.annotations).regions["TC"]
    desk.dock.look.choose_region("TC")
    desk.wait()
    matrix = desk.dock.agreement.matrix
    assert matrix.text_of(0, 1) == f"{here.matrix('dice')[0, 1]:.2f}"
    assert matrix.text_of(1, 1) == ""
    assert f"{here.fleiss_kappa:.3f}" in desk.dock.agreement.table_text
    desk.dock.agreement._figure.choose("hd95_mm")
    assert matrix.text_of(0, 1) == f"{here.matrix('hd95_mm')[0, 1]:.1f}"
    assert here.matrix("hd95_mm")[0, 1] < 5
    assert "Colours from 0 to 5;" in desk.dock.agreement._scale.text()  # near is not the worst


def test_outlines_follow_slice_plane_and_ticks(desk):
    desk.open("one", "two", "three")
    desk.session.looks.go_to_slice(0, phantom.SHAPE[2] - 1 - phantom.TUMOUR[2])
    lines = desk.viewer.layers[OUTLINES_NAME]
    assert len(lines.data) > 20
    assert len({tuple(c) for c in np.round(lines.edge_color, 3)}) == 3
    desk.session.looks.go_to_slice(0, 0)
    assert len(lines.data) == 0
    desk.session.looks.show_plane("coronal")
    desk.session.looks.go_to_slice(1, phantom.SHAPE[1] - 1 - phantom.TUMOUR[1])
    desk.wait()
    assert len(lines.data) > 20
    assert set(np.unique(lines.data[:, 0, 1])) == {desk.viewer.dims.point[1]}
    tree = desk.dock.raters.findChild(QTreeWidget)
    tree.topLevelItem(1).setCheckState(0, Qt.CheckState.Unchecked)
    desk.wait()
    assert len({tuple(c) for c in np.round(lines.edge_color, 3)}) == 2
    desk.dock.look._outlines.setChecked(False)
    assert OUTLINES_NAME not in desk.viewer.layers
    assert desk.viewer.layers.selection.active is desk.session.labels


def test_lines_lie_on_the_borders_of_the_voxels(desk):
    desk.open("one")
    grid = desk.session.case.grid
    mask = desk.dock.link.group["A"].annotation.region("WT")
    index = int(np.argmax(mask.sum(axis=(1, 2))))
    desk.session.looks.go_to_slice(0, index)
    lines = desk.viewer.layers[OUTLINES_NAME].data
    middle = lines[:, 0] + lines[:, 1] / 2
    voxels = (middle - grid.display_translate) / grid.spacing
    whole = np.abs(voxels[:, 1:] - np.rint(voxels[:, 1:])) < 1e-3
    assert (whole.sum(axis=1) == 1).all()  # half way between two voxels, along one axis
    edges = np.count_nonzero(np.diff(np.pad(mask[index], 1).astype(int), axis=0)) + (
        np.count_nonzero(np.diff(np.pad(mask[index], 1).astype(int), axis=1))
    )
    assert len(lines) == edges


def test_a_rater_is_pointed_out_by_a_click_and_no_longer_by_another(desk):
    desk.open("one", "two")
    tree = desk.dock.raters.findChild(QTreeWidget)
    place = tree.visualItemRect(tree.topLevelItem(1)).center()
    lines = desk.viewer.layers[OUTLINES_NAME]
    before = lines.edge_color[:, 3].min()
    desk.qtbot.mouseClick(tree.viewport(), LEFT, pos=place)
    assert desk.dock.raters.pointed_letter == "B"
    assert lines.edge_color[:, 3].min() < before
    desk.qtbot.mouseClick(tree.viewport(), LEFT, pos=place)
    assert desk.dock.raters.pointed_letter == ""
    assert lines.edge_color[:, 3].min() == before


def test_maps_are_the_entropy_and_the_count_of_the_votes(desk):
    desk.open("one", "two", "three")
    expected = disagreement(desk.dock.link.group.annotations)
    corner = tuple(side.start for side in desk.dock.link.overlay._panel.box)
    for kind, name, wanted in (
        ("entropy", "Disagreement on WT (bits)", expected.entropy["WT"]),
        ("count", "How many count WT in", expected.count["WT"]),
    ):
        desk.dock.look._map.choose(kind)
        layer = desk.viewer.layers[name]
        part = tuple(slice(c, c + n) for c, n in zip(corner, layer.data.shape, strict=True))
        assert np.allclose(layer.data, wanted[part], atol=1e-6)
        assert np.count_nonzero(wanted) == np.count_nonzero(layer.data)
    desk.dock.look._map.choose("")
    assert "How many count WT in" not in desk.viewer.layers
    assert desk.viewer.layers.selection.active is desk.session.labels


def test_a_consensus_is_a_layer_that_is_not_painted_on(desk):
    desk.open("one", "two", "three")
    desk.dock.look._consensus.choose("majority")
    desk.wait()
    layer = desk.viewer.layers["Consensus (majority vote)"]
    one, two, three = (a.codes for a in desk.dock.link.group.annotations.values())
    votes = (one > 0).astype(int) + (two > 0) + (three > 0)
    assert np.array_equal(layer.data > 0, votes >= 2)
    assert not layer.editable
    assert "Consensus of all raters: WT" in desk.dock.look._said.text()


def test_next_goes_through_the_disagreements_by_size_and_by_key(desk):
    desk.open("one", "two", "three")
    desk.dock.disputes.list._tolerance.choose(0.0)
    desk.wait()
    rows = desk.rows(desk.dock.disputes)
    assert {row[2] for row in rows} == {"boundary", "presence"}
    sizes = [float(row[1]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    island = next(row for row in rows if row[2] == "presence" and row[0].startswith("WT"))
    assert island[3] == "C"
    desk.press("Next disagreement")
    desk.viewer.keymap[coerce_keybinding(NEXT_KEY)](desk.viewer)
    assert desk.dock.disputes.here_text.startswith(rows[1][0])
    desk.dock.disputes.list.chosen.emit(island[0])
    shown = desk.session.labels.world_to_data(desk.viewer.dims.point)
    mask = desk.dock.link.group["C"].annotation.codes - desk.dock.link.group["A"].annotation.codes
    assert mask[tuple(np.rint(shown).astype(int))] == 1
    assert np.count_nonzero(desk.viewer.layers[DISPUTE_NAME].data) == 27
    desk.dock.disputes.list._kind.choose("presence")
    assert {row[2] for row in desk.rows(desk.dock.disputes)} == {"presence"}


def test_a_disagreement_is_shown_on_the_contrast_that_its_region_is_judged_by(desk):
    desk.open("one", "two", "three")
    desk.dock.disputes.list._tolerance.choose(0.0)
    desk.wait()
    first = {row[0].split()[0].split("-")[0]: row[0] for row in desk.rows(desk.dock.disputes)}
    looks, choose = desk.session.looks, desk.dock.disputes.list.chosen.emit
    looks.show_modality(Modality.T2)
    choose(first["ET"])
    assert looks.shown_modality is Modality.T1CE
    choose(first["TC"])
    assert looks.shown_modality is Modality.T1CE
    choose(first["WT"])
    assert looks.shown_modality is Modality.FLAIR
    desk.viewer.layers.remove(looks.images[Modality.T1CE])
    choose(first["ET"])
    assert looks.shown_modality is Modality.FLAIR


def test_disputes_are_settled_undone_logged_and_resumed(desk, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_MMSEG_WORK", str(tmp_path / "work"))
    desk.open("one", "two", "three")
    desk.dock.disputes.list._tolerance.choose(0.0)
    desk.wait()
    desk.settle()
    edit = desk.session.edit
    assert desk.session.labels.name == LAYER_NAME
    start = edit.codes.copy()
    keys = [row[0] for row in desk.rows(desk.dock.disputes)]
    island = next(r[0] for r in desk.rows(desk.dock.disputes) if r[2:4] == ["presence", "C"])
    desk.dock.disputes.list.chosen.emit(island)
    desk.press("C")  # in
    assert (edit.codes != start).sum() == 27
    assert edit.undo_label == f"settle {island}: three"
    assert desk.dock.disputes.here_text.split(":")[0] != island  # it went on
    corner = Footprint((0, 0, 0), np.ones((1, 2, 2), bool))
    edit.apply(Stroke("WT", Mode.PAINT, corner))
    other = desk.dock.disputes.here_text.split(":")[0]
    desk.press("A")
    settled = {row[0]: row[4] for row in desk.rows(desk.dock.disputes)}
    assert settled[island] == "C"
    assert settled[other] == "A"
    whole = edit.codes.copy()
    desk.press("Undo")  # A
    assert desk.dock.disputes.here_text.split(":")[0] == other  # to be decided anew
    desk.press("Undo")  # the stroke
    desk.press("Undo")  # C
    assert np.array_equal(edit.codes, start)
    assert not any(row[4] for row in desk.rows(desk.dock.disputes))
    for _ in range(3):
        edit.redo()
    assert np.array_equal(edit.codes, whole)
    desk.press("As it is now")
    assert np.array_equal(desk.dock.link.disputes.adjudicator._adjudication.codes, whole)
    assert f"3 of {len(keys)} settled" in desk.dock.disputes._left.text()
    (log,) = (tmp_path / "work").glob("*.adjudication.jsonl")
    taken = [json.loads(line).get("taken") for line in log.read_text().splitlines()[1:]]
    assert taken.count("rater") == 4
    assert "one" not in log.name

    desk.panel.coordinator.show_case(desk.session.case)  # another time
    desk.open("one", "two", "three")
    desk.dock.disputes.list._tolerance.choose(0.0)
    desk.wait()
    desk.settle()
    assert "decisions of before" in desk.dock.disputes.message
    edit = desk.session.edit
    assert np.array_equal(edit.codes, whole)
    for _ in range(8):
        desk.press("Undo")
    assert np.array_equal(edit.codes, start)
    assert not desk.dock.disputes._undo.isEnabled()
    depth = edit.undo_depth
    for _ in range(depth):
        edit.undo()
    assert np.array_equal(edit.codes, whole)
    adjudication = desk.dock.link.disputes.adjudicator._adjudication
    assert np.array_equal(adjudication.codes, whole)
    for _ in range(depth):
        edit.redo()
    assert np.array_equal(adjudication.codes, start)


def test_keys_settle_while_settling_and_at_no_other_time(desk):
    desk.open("one", "two", "three")

    def press(key: str) -> None:
        desk.viewer.keymap[coerce_keybinding(key)](desk.viewer)

    def here() -> str:
        return str(desk.dock.disputes.here_text.split(":")[0])

    keys = [MAJORITY_KEY, PAINTED_KEY, *(rater_key(letter) for letter in "ABI")]
    assert not any(coerce_keybinding(key) in desk.viewer.keymap for key in keys)
    desk.settle()
    tips = {b.objectName(): b.toolTip() for b in desk.dock.findChildren(QPushButton)}
    assert tips["B"].endswith("(F2)")
    taken = {}
    for key, word in ((rater_key("B"), "B"), (MAJORITY_KEY, "majority"), (PAINTED_KEY, "by hand")):
        taken[here()] = word
        press(key)
    press(rater_key("I"))  # there is no such rater
    settled = {row[0]: row[4] for row in desk.rows(desk.dock.disputes) if row[4]}
    assert settled == taken
    desk.dock.link.group.clear()
    desk.wait()
    assert not any(coerce_keybinding(key) in desk.viewer.keymap for key in keys)


def test_the_result_is_exported_with_its_sources(desk, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_MMSEG_WORK", str(tmp_path / "work"))
    desk.open("one", "two", "three")
    desk.settle()
    desk.press("Majority")
    corner = Footprint((0, 0, 0), np.ones((1, 2, 2), bool))
    desk.session.edit.apply(Stroke("WT", Mode.PAINT, corner))  # after the last decision
    desk.panel.export.export_requested.emit(
        ExportRequest(tmp_path / "out.nii.gz", "brats2023", False, "")
    )
    desk.qtbot.waitUntil(lambda: (tmp_path / "out.json").exists(), timeout=WAIT_MS)
    told = json.loads((tmp_path / "out.json").read_text())
    assert set(told["sources"]) == {"one", "two", "three"}
    assert told["author"].startswith("adjudication:")
    back = read_annotation(tmp_path / "out.nii.gz")
    assert np.array_equal(back.codes, desk.session.edit.codes)
    desk.qtbot.waitUntil(lambda: desk.session.edit.is_saved, timeout=WAIT_MS)
    (log,) = (tmp_path / "work").glob("*.adjudication.jsonl")
    raters = {rater.name: rater.annotation for rater in desk.dock.link.group}
    again = Adjudication(raters, tolerance_mm=1.0)
    open_log(log, again)
    assert np.array_equal(again.codes, back.codes)
    desk.session.edit.undo()  # the stroke; the log hears of it with the next decision
    desk.press("A")
    adjudication = desk.dock.link.disputes.adjudicator._adjudication
    assert np.array_equal(adjudication.codes, desk.session.edit.codes)


def test_another_case_begins_without_raters(desk, case: Case):
    desk.open("one", "two")
    desk.panel.coordinator.show_case(case)
    assert len(desk.dock.link.group) == 0
    assert not {OUTLINES_NAME, DISPUTE_NAME} & {layer.name for layer in desk.viewer.layers}
    assert desk.rows(desk.dock.raters) == []
    assert desk.dock.disputes.about_text.startswith("Open two or more")


def test_files_that_do_not_fit_are_named_and_the_others_stay(desk, tmp_path):
    other = nib.Nifti1Image(np.zeros((5, 5, 5), np.uint8), np.eye(4))
    other.to_filename(tmp_path / "small.nii.gz")
    desk.open("one", "small", "two")
    assert '"small.nii.gz" has 5 x 5 x 5 voxels' in desk.dock.raters.message
    assert str(tmp_path) not in desk.dock.raters.message
    assert [row[1] for row in desk.rows(desk.dock.raters)] == ["one", "two"]


def test_labels_are_dropped_on_the_dock(desk):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(desk.folder / f"{n}.nii.gz")) for n in ("one", "two")])
    button, key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, button, key)
    QApplication.sendEvent(desk.dock, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, button, key)
    QApplication.sendEvent(desk.dock, drop)
    desk.wait()
    assert len(desk.dock.link.group) == 2


def test_in_the_volume_there_are_no_lines(desk):
    desk.open("one", "two")
    desk.viewer.dims.ndisplay = 3
    assert len(desk.viewer.layers[OUTLINES_NAME].data) == 0
    desk.viewer.dims.ndisplay = 2
    desk.wait()
    assert len(desk.viewer.layers[OUTLINES_NAME].data) > 0
