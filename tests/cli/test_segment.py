"""`napari-mmseg segment`: the frame around the model, with a stand-in for the network."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from .conftest import AFFINE, in_brats2017, tumour

pytestmark = pytest.mark.usefixtures("fake_model")


def test_json_is_one_object_of_the_agreed_shape(run, case_folder, tmp_path):
    out = tmp_path / "out.nii.gz"
    outcome = run("segment", case_folder, "--out", out, "--json")
    assert outcome.code == 0
    result = outcome.json  # what a library prints is not in it
    assert set(result) == {
        "seconds", "volumes_ml", "modalities", "missing", "model", "device", "peak_rss_mb",
        "warnings", "looks", "adapted", "expected_dice",
    }  # fmt: skip
    assert set(result["seconds"]) == {"load", "predict", "save", "total"}
    seconds = result["seconds"]
    assert 0 < seconds["load"] + seconds["predict"] + seconds["save"] <= seconds["total"] + 0.02
    assert result["volumes_ml"] == pytest.approx({"WT": 0.216, "TC": 0.064, "ET": 0.008})
    assert result["modalities"] == ["T1", "T1ce", "T2", "FLAIR"]
    assert (result["missing"], result["warnings"]) == ([], [])
    assert (result["model"], result["device"]) == ("simulated", "cpu")
    assert 20 < result["peak_rss_mb"] < 20_000


@pytest.mark.parametrize(
    ("options", "values"),
    [([], [0, 2, 1, 3]), (["--encoding", "brats2017"], [0, 2, 1, 4])],
)
def test_the_file_is_on_the_source_grid_in_the_encoding(
    run, case_folder, tmp_path, options, values
):
    out = tmp_path / "out.nii.gz"
    assert run("segment", case_folder, "--out", out, *options).code == 0
    written = nib.load(out)
    assert np.array_equal(np.asarray(written.dataobj), np.array(values)[tumour()])
    assert np.array_equal(written.affine, AFFINE)
    sidecar = json.loads((tmp_path / "out.json").read_text())
    assert sidecar["encoding"] == (options[1] if options else "brats2023")
    assert sidecar["model"] == "simulated"


def test_readable_output_shows_volumes_and_where_the_file_is(run, case_folder, tmp_path):
    outcome = run("segment", case_folder, "--out", tmp_path / "out.nii.gz")
    assert [line.split() for line in outcome.out.splitlines()[:4]] == [
        ["region", "ml", "expected", "Dice"],
        ["WT", "0.2", "0.91"], ["TC", "0.1", "0.83"], ["ET", "0.0", "0.45"]
    ]  # fmt: skip
    assert "out.nii.gz" in outcome.out


def test_without_calibration_no_dice_is_promised(run, case_folder, tmp_path):
    outcome = run("segment", case_folder, "--out", tmp_path / "o.nii", "--model", "uncalibrated")
    assert [line.split() for line in outcome.out.splitlines()[:2]] == [
        ["region", "ml"], ["WT", "0.2"]
    ]  # fmt: skip
    assert json.loads((tmp_path / "o.json").read_text())["expected_dice_of_proposal"] == {}


def test_how_often_to_look_is_asked_for_and_told(run, case_folder, tmp_path):
    out = tmp_path / "out.nii.gz"
    outcome = run("segment", case_folder, "--out", out, "--looks", "thorough", "--json")
    assert outcome.json["looks"] == "thorough"
    sidecar = json.loads((tmp_path / "out.json").read_text())
    assert sidecar["looks"] == "thorough"
    assert sidecar["expected_dice_of_proposal"] == outcome.json["expected_dice"]
    assert set(outcome.json["expected_dice"]) == {"WT", "TC", "ET"}


@pytest.mark.parametrize(("options", "adapted"), [((), True), (("--no-adapt",), False)])
def test_whether_the_answer_was_fitted_is_asked_for_and_told(
    options, adapted, run, case_folder, tmp_path
):
    out = tmp_path / "out.nii.gz"
    assert run("segment", case_folder, "--out", out, "--json", *options).json["adapted"] is adapted
    assert json.loads((tmp_path / "out.json").read_text())["adapted"] is adapted


def test_uncertainty_is_an_image_on_the_source_grid(run, case_folder, tmp_path):
    unsure = tmp_path / "unsure.nii.gz"
    options = ("--out", tmp_path / "out.nii.gz", "--uncertainty", unsure)
    assert run("segment", case_folder, *options).code == 0
    written = nib.load(unsure)
    values = np.asarray(written.dataobj)
    assert np.array_equal(written.affine, AFFINE)
    # Entropy of 0.9 inside each region, of a 510th elsewhere.
    inside = tumour() > 0
    assert values[inside] == pytest.approx(0.47, abs=0.01)
    assert values[~inside] == pytest.approx(0.02, abs=0.01)


def test_uncertainty_does_not_go_into_the_labels_file(run, case_folder, tmp_path):
    out = tmp_path / "out.nii.gz"
    assert run("segment", case_folder, "--out", out, "--uncertainty", out).code == 2
    assert (
        "out.png"
        in run("segment", case_folder, "--out", out, "--uncertainty", tmp_path / "out.png").sentence
    )
    assert not out.exists()


def test_a_missing_t1ce_is_flagged(run, case_folder, tmp_path):
    (case_folder / "BraTS2021_00000_t1ce.nii.gz").unlink()
    result = run("segment", case_folder, "--out", tmp_path / "o.nii.gz", "--json").json
    assert result["missing"] == ["T1ce"]
    assert any("ET" in warning for warning in result["warnings"])


def test_the_result_evaluates_without_naming_its_encoding(run, case_folder, tmp_path, label_file):
    out = tmp_path / "out.nii.gz"
    run("segment", case_folder, "--out", out)
    result = run("evaluate", out, label_file, "--json").json
    assert [result[name]["dice"] for name in result] == [1, 1, 1]


def test_an_existing_file_is_kept_as_a_backup(run, case_folder, tmp_path):
    out = tmp_path / "out.nii.gz"
    out.write_bytes(b"precious")
    assert run("segment", case_folder, "--out", out).code == 0
    assert [p.read_bytes() for p in tmp_path.glob("out.nii.gz*.bak")] == [b"precious"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("out.png", "out.png"), ("nowhere/out.nii.gz", "does not exist"), ("", "folder")],
)
def test_a_target_that_cannot_be_written_is_refused_before_the_model_runs(
    run, case_folder, tmp_path, monkeypatch, name, reason
):
    from napari_mmseg import inference

    monkeypatch.setattr(inference, "predict", lambda *_, **__: pytest.fail("the model ran"))
    assert reason in run("segment", case_folder, "--out", tmp_path / name).sentence


def test_an_input_image_is_never_overwritten(run, case_folder, monkeypatch):
    from napari_mmseg import inference

    monkeypatch.setattr(inference, "predict", lambda *_, **__: pytest.fail("the model ran"))
    image = case_folder / "BraTS2021_00000_t1.nii.gz"
    before = image.read_bytes()
    sentence = run("segment", case_folder, "--out", image).sentence
    assert image.name in sentence
    assert image.read_bytes() == before


@pytest.mark.parametrize(
    "options",
    [
        ["--device", "tpu"],
        ["--encoding", "klingon"],
        ["--modality", "T1"],
        ["--no-such-option"],
    ],
)
def test_wrong_usage_exits_with_2_before_any_work(run, case_folder, tmp_path, options):
    out = tmp_path / "out.nii.gz"
    outcome = run("segment", case_folder, "--out", out, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert not out.exists()


def test_out_must_be_named(run, case_folder):
    assert run("segment", case_folder).code == 2


def test_paths_with_spaces_and_other_alphabets(run, case_folder, tmp_path):
    odd = tmp_path / "Fälle von Größe 7" / "患者 1"
    odd.mkdir(parents=True)
    for file in case_folder.iterdir():
        file.rename(odd / file.name)
    out = odd / "Ergebnis für später.nii.gz"
    assert run("segment", odd, "--out", out, "--json").code == 0
    assert np.array_equal(np.asarray(nib.load(out).dataobj) > 0, in_brats2017(tumour()) > 0)


def test_an_unforeseen_error_is_one_sentence_with_a_way_to_details(
    run, case_folder, tmp_path, monkeypatch
):
    from napari_mmseg import inference

    def broken(*_, **__):
        raise RuntimeError("the engine\nfell over")

    monkeypatch.setattr(inference, "predict", broken)
    monkeypatch.setenv("NAPARI_MMSEG_DEBUG", "")
    sentence = run("segment", case_folder, "--out", tmp_path / "o.nii.gz", "--json").sentence
    assert "RuntimeError: the engine fell over" in sentence
    assert "NAPARI_MMSEG_DEBUG" in sentence
    detailed = run("--debug", "segment", case_folder, "--out", tmp_path / "o.nii.gz")
    assert detailed.code == 1
    assert "Traceback" in detailed.err
