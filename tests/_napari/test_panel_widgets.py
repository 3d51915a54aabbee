"""The panel's sections on their own: what they emit and what they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QWidget

from napari_mmseg._napari.layers import SUBTRACTION_NAME
from napari_mmseg._napari.widgets.case_box import CaseBox
from napari_mmseg._napari.widgets.case_files import choices
from napari_mmseg._napari.widgets.export_box import ExportBox
from napari_mmseg._napari.widgets.region_box import RegionBox, volume_text
from napari_mmseg._napari.widgets.section import Banner, Section, listed
from napari_mmseg._napari.widgets.segment_box import ModelOffer, SegmentBox, SegmentRequest
from napari_mmseg._napari.widgets.tall_area import TallArea
from napari_mmseg.case import Case
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import Modality

GLIOMA = load_protocol("glioma")
LEFT = Qt.MouseButton.LeftButton


def button(widget: QWidget, text: str) -> QPushButton:
    return next(b for b in widget.findChildren(QPushButton) if b.text().startswith(text))


@pytest.fixture
def case_box(qtbot: QtBot) -> CaseBox:
    box = CaseBox(["axial", "coronal", "sagittal"])
    qtbot.addWidget(box)
    box.show()
    box.show_case("patient", "facts", [Modality.T1, Modality.FLAIR], [], can_subtract=True)
    return box


@pytest.fixture
def region_box(qtbot: QtBot) -> RegionBox:
    box = RegionBox()
    qtbot.addWidget(box)
    box.show()
    box.show_protocol(GLIOMA)
    return box


@pytest.fixture
def segment_box(qtbot: QtBot) -> SegmentBox:
    box = SegmentBox()
    qtbot.addWidget(box)
    box.show()
    box.offer_models([ModelOffer("simulated", "good on ten cases"), ModelOffer("mine")])
    return box


@pytest.fixture
def export_box(qtbot: QtBot, tmp_path: Path) -> ExportBox:
    box = ExportBox()
    qtbot.addWidget(box)
    box.show()
    box.offer_case(tmp_path, GLIOMA)
    return box


def test_contrasts_and_planes_are_asked_for(case_box: CaseBox, qtbot: QtBot) -> None:
    with qtbot.waitSignal(case_box.modality_requested) as asked:
        qtbot.mouseClick(button(case_box, "FLAIR"), LEFT)
    assert asked.args == ["FLAIR"]
    with qtbot.waitSignal(case_box.subtraction_requested):
        qtbot.mouseClick(button(case_box, "T1ce −"), LEFT)
    with qtbot.waitSignal(case_box.plane_requested) as asked:
        qtbot.mouseClick(button(case_box, "Coronal"), LEFT)
    assert asked.args == ["coronal"]


def test_marking_what_is_shown_asks_for_nothing(case_box: CaseBox, qtbot: QtBot) -> None:
    with (
        qtbot.assertNotEmitted(case_box.modality_requested),
        qtbot.assertNotEmitted(case_box.subtraction_requested),
    ):
        case_box.show_modality("FLAIR")
        case_box.show_modality(SUBTRACTION_NAME)
        case_box.show_modality(None)
    assert not any(button(case_box, name).isChecked() for name in ("T1", "FLAIR"))


def test_warnings_are_shown_and_can_be_put_away(case_box: CaseBox, qtbot: QtBot) -> None:
    case_box.show_case("p", "", [Modality.T1], ["a file was left out", "odd header"], False)
    assert case_box._banner.isVisible()
    assert case_box._banner.text() == "• A file was left out\n• Odd header"
    case_box.show_case("p", "", [Modality.T1], [], False)
    assert not case_box._banner.isVisible()


def test_files_are_assigned_by_hand(case_box: CaseBox, case: Case, qtbot: QtBot) -> None:
    files, now = choices(case)
    case_box.offer_files(files, now)
    t1, t2 = now[Modality.T1], now[Modality.T2]
    case_box._file_choices[Modality.T1].choose(t2)
    case_box._file_choices[Modality.T2].choose(t1)
    case_box._file_choices[Modality.FLAIR].choose(None)
    case_box._which.setChecked(True)
    with qtbot.waitSignal(case_box.files_chosen) as chosen:
        qtbot.mouseClick(button(case_box, "Open with"), LEFT)
    assert chosen.args == [{Modality.T1: t2, Modality.T2: t1, Modality.T1CE: now[Modality.T1CE]}]


def test_labels_are_not_offered_as_contrasts(case: Case) -> None:
    files, now = choices(case)
    assert set(now.values()) == set(files.values())
    assert not any("seg" in name for name in files)


def test_hiding_a_region_names_it(region_box: RegionBox, qtbot: QtBot) -> None:
    with qtbot.waitSignal(region_box.hidden_changed) as hidden:
        region_box._checks["ET"].setChecked(False)
    assert hidden.args == [{"ET"}]


def test_volumes_are_told_in_ml(region_box: RegionBox) -> None:
    region_box.show_volumes({"WT": 186.494, "TC": 0.0, "ET": 0.012, "other": 1.0})
    assert [region_box._volumes[n].text() for n in ("WT", "TC", "ET")] == [
        "186.5 ml",
        "0.0 ml",
        "0.01 ml",
    ]
    assert volume_text(0.05) == "0.1 ml"


def test_sliders_come_with_probabilities_and_emit_all_thresholds(
    region_box: RegionBox, qtbot: QtBot
) -> None:
    assert not region_box._sliders["WT"].isVisible()
    with qtbot.assertNotEmitted(region_box.thresholds_changed):
        region_box.show_thresholds({"WT": 0.5, "TC": 0.4, "ET": 0.3})
    assert region_box._sliders["WT"].isVisible()
    with qtbot.waitSignal(region_box.thresholds_changed) as changed:
        region_box._sliders["TC"].setValue(70)
    assert changed.args == [{"WT": 0.5, "TC": 0.7, "ET": 0.3}]
    assert region_box._slider_texts["TC"].text() == "0.70"
    region_box.show_thresholds(None)
    assert not region_box._sliders["WT"].isVisible()


def test_another_protocol_has_other_rows(region_box: RegionBox) -> None:
    region_box.show_protocol(load_protocol("ms_lesion"))
    assert len(region_box.thresholds) == 1


def test_nothing_can_be_run_without_a_case_or_a_model(segment_box: SegmentBox) -> None:
    run = button(segment_box, "Segment")
    assert not run.isEnabled()
    segment_box.offer_case(True)
    assert run.isEnabled()
    segment_box.offer_models([])
    assert not run.isEnabled()


def test_what_speaks_for_a_model_is_told_where_it_is_chosen(segment_box: SegmentBox) -> None:
    assert segment_box._about.text() == "good on ten cases"
    assert segment_box._about.isVisible()
    segment_box._model.choose("mine")
    assert not segment_box._about.isVisible()
    segment_box._model.choose("simulated")
    assert segment_box._about.isVisible()


def test_a_request_says_model_and_device(segment_box: SegmentBox, qtbot: QtBot) -> None:
    segment_box.offer_case(True)
    segment_box._model.choose("mine")
    segment_box._device.choose("cpu")
    with qtbot.waitSignal(segment_box.run_requested) as asked:
        qtbot.mouseClick(button(segment_box, "Segment"), LEFT)
    assert asked.args == [SegmentRequest("mine", "cpu", new_layer=False)]


def test_while_it_runs_it_can_only_be_cancelled(segment_box: SegmentBox, qtbot: QtBot) -> None:
    segment_box.offer_case(True)
    segment_box.show_progress("The network looks", 0.4)
    assert not button(segment_box, "Segment").isEnabled()
    with qtbot.waitSignal(segment_box.cancel_requested):
        qtbot.mouseClick(button(segment_box, "Cancel"), LEFT)
    segment_box.show_result("done", ["without T1ce the ET result is unreliable"])
    assert button(segment_box, "Segment").isEnabled()
    assert not button(segment_box, "Cancel").isVisible()
    assert "unreliable" in segment_box._warning.text()
    assert segment_box._warning.isVisible()


def test_the_export_name_follows_the_format(export_box: ExportBox, tmp_path: Path) -> None:
    assert export_box.path == tmp_path / "segmentation.nii.gz"
    export_box._format.choose(".mha")
    assert export_box.path == tmp_path / "segmentation.mha"


def test_an_export_request_has_all_choices(
    export_box: ExportBox, qtbot: QtBot, tmp_path: Path
) -> None:
    export_box._encoding.choose("msd")
    export_box._author.setText("rater 2 ")
    export_box._per_region.setChecked(True)
    with qtbot.waitSignal(export_box.export_requested) as asked:
        qtbot.mouseClick(button(export_box, "Export"), LEFT)
    request = asked.args[0]
    assert request.path == tmp_path / "segmentation.nii.gz"
    assert (request.encoding, request.per_region, request.author) == ("msd", True, "rater 2")


def test_the_encoding_is_explained(export_box: ExportBox) -> None:
    assert export_box._encoding.value == "brats2023"
    export_box._encoding.choose("brats2017")
    assert export_box._meaning.text() == GLIOMA.encodings["brats2017"].title


def test_browsing_keeps_name_and_format_together(
    export_box: ExportBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(name: str) -> None:
        monkeypatch.setattr(
            "napari_mmseg._napari.widgets.export_box.QFileDialog.getSaveFileName",
            lambda *a, **k: (str(tmp_path / "sub" / name) if name else "", ""),
        )
        export_box._browse()

    choose("mine.nrrd")
    assert export_box.path == tmp_path / "sub" / "mine.nrrd"
    assert export_box._format.value == ".nrrd"
    choose("other")
    assert export_box.path == tmp_path / "sub" / "other.nrrd"
    choose("")
    assert export_box.path.parent == tmp_path / "sub"


def test_sections_fold(qtbot: QtBot) -> None:
    inside = QWidget()
    section = Section("Title", inside)
    qtbot.addWidget(section)
    section.show()
    section.expand(False)
    assert not inside.isVisible()
    section.expand()
    assert inside.isVisible()


def test_the_panel_is_never_narrower_than_its_texts(qtbot: QtBot) -> None:
    content = Section("Title", wide := QWidget())
    area = TallArea(content)
    qtbot.addWidget(area)
    area.show()
    assert area.minimumWidth() < 333
    wide.setMinimumWidth(333)
    qtbot.waitUntil(lambda: area.minimumWidth() >= 333, timeout=2000)


def test_a_long_name_does_not_widen_the_panel(qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    sentence = f'"{"y" * 250}.nii.gz" is too long a name: choose a shorter one'
    banner.say(sentence)
    banner.show()
    assert banner.minimumSizeHint().width() < 390
    assert banner.text() == sentence


def test_one_sentence_needs_no_mark() -> None:
    assert listed(["only this"]) == "Only this"
