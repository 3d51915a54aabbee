"""A study leaves as a dataset: whole, readable, and without a patient's name."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study.desk import SECRET, make_cases, read
from typer.testing import CliRunner

from napari_mmseg.agreement.consensus import consensus
from napari_mmseg.cli.app import app
from napari_mmseg.dataset import LAYOUTS, Images, export_study
from napari_mmseg.dataset.layouts import label
from napari_mmseg.errors import ExportError, InputError
from napari_mmseg.io import open_case, read_annotation
from napari_mmseg.study import load_annotation, new_study, submit

BOTH = pytest.mark.parametrize("layout", sorted(LAYOUTS))

#: BIDS 1.10: sub, then entities in the specification's order, then a suffix that it knows.
BIDS_NAME = re.compile(
    r"sub-[A-Za-z0-9]+(_ce-[A-Za-z0-9]+)?(_label-[A-Za-z0-9]+)?(_desc-[A-Za-z0-9]+)?"
    r"_(dseg|probseg|T1w|T2w|FLAIR)\.(nii\.gz|json)"
)


def files_below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines(), delimiter="\t"))


@BOTH
def test_labels_are_the_raters_and_lie_where_their_images_lie(finished, tmp_path, layout):
    out = tmp_path / "set"
    receipt = export_study(finished, out, LAYOUTS[layout])
    used = [r for r in finished.readings() if r.state.is_finished and not r.not_gradable]
    assert any(r.mirrored for r in used)
    for reading in used:
        path = out / f"{LAYOUTS[layout].rater(reading.case, reading.rater, reading.repeat)}.nii.gz"
        back = read_annotation(path)
        assert np.array_equal(back.codes, load_annotation(reading).codes)
        assert back.author == reading.rater
        image = next(finished.case_path(reading.case).glob("*.nii.gz"))
        assert np.allclose(nib.load(path).affine, nib.load(image).affine)
        assert nib.load(path).shape == nib.load(image).shape
    assert receipt.labels == len(used) + len(receipt.cases)


@BOTH
def test_the_consensus_is_that_of_first_readings(finished, tmp_path, layout):
    export_study(finished, tmp_path / "set", LAYOUTS[layout], method="majority")
    for case in finished.cases:
        firsts = {
            r.rater: load_annotation(r)
            for r in finished.readings()
            if r.case == case and r.repeat == 0 and r.state.is_finished and not r.not_gradable
        }
        expected = consensus(firsts)
        path = tmp_path / "set" / f"{LAYOUTS[layout].consensus(case)}.nii.gz"
        assert np.array_equal(read_annotation(path).codes, expected.annotation.codes)
        sidecar = json.loads(Path(str(path).replace(".nii.gz", ".json")).read_text())
        assert set(sidecar["sources"]) == set(firsts)
        soft = nib.load(tmp_path / "set" / f"{LAYOUTS[layout].soft(case, 'WT')}.nii.gz")
        assert np.asarray(soft.dataobj).max() == pytest.approx(expected.soft["WT"].max())


@BOTH
def test_no_byte_names_a_patient(finished, tmp_path, layout):
    export_study(
        finished, tmp_path / "set", LAYOUTS[layout], images=Images(True, skull_stripped=False)
    )
    files = files_below(tmp_path / "set")
    images = [f for f in files if re.search(r"(T1w|FLAIR|t1c|t2f)\.nii", f.name)]
    assert len(images) == 4
    for path in files:
        assert SECRET.lower() not in str(path.relative_to(tmp_path)).lower()
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        assert SECRET.encode().lower() not in data.lower()
        assert b"it moves" not in data


def test_bids_names_are_those_of_the_specification(finished, tmp_path):
    out = tmp_path / "set"
    export_study(finished, out, LAYOUTS["bids"], images=Images(True, skull_stripped=False))
    below = [p for p in files_below(out) if p.parent != out]
    assert below
    for path in below:
        assert BIDS_NAME.fullmatch(path.name), path.name
        assert path.parent.name == "anat"
        assert path.name.startswith(path.parent.parent.name + "_")
    told = json.loads((out / "dataset_description.json").read_text())
    assert told["DatasetType"] == "derivative"
    assert {"Name", "BIDSVersion", "GeneratedBy"} <= set(told)
    listed = {row["participant_id"] for row in rows_of(out / "participants.tsv")}
    assert listed == {p.parent.parent.name for p in below}
    values = {int(row["index"]) for row in rows_of(out / "dseg.tsv")}
    for name in ("dseg.json", "probseg.json"):
        assert {"Description", "SpatialReference"} <= set(json.loads((out / name).read_text()))
    assert json.loads((out / "T1w.json").read_text())["SkullStripped"] is False
    labels = [p for p in below if p.name.endswith("dseg.nii.gz")]
    for path in labels:
        assert set(np.unique(np.asarray(nib.load(path).dataobj))) <= {0, *values}


def test_a_brats_folder_is_a_case_that_this_program_opens(finished, tmp_path):
    out = tmp_path / "set"
    export_study(finished, out, LAYOUTS["brats"], images=Images(True, skull_stripped=False))
    for case in finished.cases:
        opened = open_case(out / case)
        assert len(opened.volumes) == 2
        read_annotation(out / case / f"{case}-seg.nii.gz", like=opened)


def test_tables_say_how_reliable_the_labels_are(finished, tmp_path):
    out = tmp_path / "set"
    export_study(finished, out, LAYOUTS["brats"])
    agreement = rows_of(out / "agreement.tsv")
    assert {row["case"] for row in agreement} == {"case-001"}  # the other has one first reading
    first = next(row for row in agreement if row["region"] == "WT")
    assert 0 < float(first["dice"]) < 1
    assert {row["dice"] for row in agreement if row["region"] == "ET"} == {"n/a"}
    readings = rows_of(out / "readings.tsv")
    assert {row["rater"] for row in readings} == {"ann", "bob", "cleo"}
    assert {row["confidence"] for row in readings} == {"4"}
    json.loads((out / "reliability.json").read_text())


def test_the_datasheet_has_all_headings_and_says_what_is_not_known(finished, tmp_path):
    export_study(finished, tmp_path / "set", LAYOUTS["bids"])
    sheet = (tmp_path / "set" / "DATASHEET.md").read_text()
    headings = re.findall(r"^## (.*)$", sheet, re.MULTILINE)
    assert headings == [
        "Motivation", "Composition", "Collection process", "Preprocessing, cleaning, labelling",
        "Uses", "Distribution", "Maintenance",
    ]  # fmt: skip
    assert sheet.count("To be filled in by the authors") == 5
    for said in ("1 not gradable", "50% of the cases came back", "mirrored", "research use"):
        assert said in sheet


def test_a_folder_that_is_there_is_left_alone(finished, tmp_path):
    (tmp_path / "set").mkdir()
    with pytest.raises(ExportError, match='"set" is there already'):
        export_study(finished, tmp_path / "set", LAYOUTS["bids"])
    with pytest.raises(ExportError, match="does not exist"):
        export_study(finished, tmp_path / "no" / "set", LAYOUTS["bids"])


def test_what_fails_half_way_leaves_nothing(finished, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_mmseg.dataset.export.papers", fail)
    with pytest.raises(ExportError, match="No space left"):
        export_study(finished, tmp_path / "set", LAYOUTS["bids"])
    assert list(tmp_path.glob("*set*")) == []
    assert list(tmp_path.glob(".*part*")) == []


def test_a_study_that_nobody_finished_is_refused(tmp_path):
    study = new_study(tmp_path / "study", name="New", raters=("ann",))
    with pytest.raises(InputError, match='no gradable reading of the study "New" is submitted'):
        export_study(study, tmp_path / "set", LAYOUTS["bids"])


def test_a_study_whose_files_are_all_spoilt_says_where_to_look(tmp_path):
    study = new_study(
        tmp_path / "study", name="New", raters=("ann",), cases=make_cases(tmp_path / "in", 1)
    )
    item = study.worklist("ann")[0].item
    read(study, "ann", item)
    submit(study, "ann", item)
    study.reading("ann", item).path.write_bytes(b"x" * 5000)
    with pytest.raises(InputError, match=r"no reading .* can be used \(1 that are handed in"):
        export_study(study, tmp_path / "set", LAYOUTS["bids"])


def test_names_that_bids_cannot_tell_apart_are_refused():
    with pytest.raises(InputError, match="case-1 and case1 would have one name in BIDS"):
        LAYOUTS["bids"].check(("case-1", "case1"), ())
    LAYOUTS["brats"].check(("case-1", "case1"), ())


@given(st.text(max_size=20))
def test_a_label_has_letters_and_digits_only(name):
    assert re.fullmatch("[A-Za-z0-9]*", label(name))


def test_the_command_writes_a_dataset_and_a_report(finished, tmp_path):
    run = CliRunner().invoke
    made = run(
        app, ["study", "export", str(finished.folder), "--layout", "brats", "--json",
              "--out", str(tmp_path / "set")],
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["cases"] == sorted(finished.cases)
    files = {name: tmp_path / f"report.{name}" for name in ("html", "csv", "json")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    told = run(app, ["study", "report", str(finished.folder), *options])
    assert told.exit_code == 0, told.output
    assert "WT Dice" in told.stdout
    page = files["html"].read_text()
    assert "Wobbles: agreement of the raters" in page
    assert SECRET not in page
    values = json.loads(files["json"].read_text())
    assert values["readings_by_state"]["not gradable"] == 1
    rows = list(csv.DictReader(files["csv"].read_text().splitlines()))
    assert {row["repeat"] for row in rows} == {"0", "1"}
