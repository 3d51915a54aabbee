"""`napari-mmseg info`."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from .conftest import AFFINE, SHAPE, in_brats2017, tumour, write


def test_json_tells_modalities_grid_and_orientation(run, case_folder):
    facts = run("info", case_folder, "--json").json
    assert list(facts["modalities"]) == ["T1", "T1ce", "T2", "FLAIR"]
    assert facts["modalities"]["FLAIR"]["file"] == "BraTS2021_00000_flair.nii.gz"
    assert facts["missing"] == []
    assert facts["grid"]["shape"] == list(SHAPE)
    assert facts["grid"]["spacing_mm"] == [1, 1, 1]
    assert facts["orientation"] == "LPS"
    assert facts["grid"]["affine"] == AFFINE.tolist()
    assert facts["oblique"] is False
    assert facts["warnings"] == []


def test_readable_output_names_each_file(run, case_folder):
    outcome = run("info", case_folder)
    assert outcome.code == 0
    assert "BraTS2021_00000_t1ce.nii.gz (int16)" in outcome.out
    assert "20 x 24 x 18 voxels of 1 x 1 x 1 mm" in outcome.out


def test_an_oblique_grid_is_said_with_its_angle(run, tmp_path):
    angle = np.radians(12)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    image = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    outcome = run("info", write(tmp_path / "flair.nii.gz", image, affine), "--json")
    assert outcome.json["oblique"] is True
    assert outcome.json["obliquity_deg"] == pytest.approx(12, abs=1e-3)


def test_warnings_are_in_the_json_or_on_stderr(run, case_folder):
    write(case_folder / "coverage.nii.gz", np.ones(SHAPE, np.uint8))
    as_json = run("info", case_folder, "--json")
    assert any("coverage.nii.gz" in warning for warning in as_json.json["warnings"])
    assert as_json.err == ""
    readable = run("info", case_folder)
    assert "warning: " in readable.err
    assert "coverage" not in readable.out


def test_labels_beside_the_images_are_named_with_their_encoding(run, case_folder):
    write(case_folder / "BraTS2021_00000_seg.nii.gz", in_brats2017(tumour()))
    (label,) = run("info", case_folder, "--json").json["labels"]
    assert (label["file"], label["encoding"]) == ("BraTS2021_00000_seg.nii.gz", "brats2017")


def test_several_files_are_one_case(run, case_folder):
    files = [case_folder / f"BraTS2021_00000_{name}.nii.gz" for name in ("t1", "flair")]
    facts = run("info", *files, "--json").json
    assert list(facts["modalities"]) == ["T1", "FLAIR"]
    assert facts["missing"] == ["T1ce", "T2"]


def test_modality_option_goes_before_the_name(run, case_folder):
    file = case_folder / "BraTS2021_00000_t1.nii.gz"
    facts = run("info", "--modality", f"flair={file}", "--json").json
    assert list(facts["modalities"]) == ["FLAIR"]


def test_modality_option_names_a_channel(run, tmp_path):
    channels = np.random.default_rng(0).integers(0, 9, (6, 7, 8, 2)).astype(np.int16)
    nib.Nifti1Image(channels, AFFINE).to_filename(tmp_path / "both.nii.gz")
    file = tmp_path / "both.nii.gz"
    facts = run("info", "--modality", f"T2={file}:0", "--modality", f"T1={file}:1", "--json").json
    assert list(facts["modalities"]) == ["T1", "T2"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--modality", "FLAIR"], "NAME=FILE"),
        (["--modality", "T7=x.nii"], "T1, T1ce, T2, FLAIR"),
        (["--modality", "T1=a.nii", "--modality", "t1=b.nii"], "named twice"),
        ([], "CASE"),
    ],
)
def test_wrong_usage_exits_with_2(run, options, reason):
    outcome = run("info", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert reason in outcome.err


def test_a_missing_folder_is_one_sentence(run, tmp_path):
    assert "nowhere" in run("info", tmp_path / "nowhere", "--json").sentence


def test_an_empty_folder_is_one_sentence(run, tmp_path):
    assert "holds no image" in run("info", tmp_path).sentence


def test_two_files_of_one_contrast_say_how_to_choose(run, case_folder):
    write(case_folder / "flair_2.nii.gz", np.ones(SHAPE, np.int16))
    assert "--modality FLAIR=FILE" in run("info", case_folder).sentence
