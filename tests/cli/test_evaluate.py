"""`napari-mmseg evaluate`."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import AFFINE, NAMES, SHAPE, in_brats2017, tumour, write

BRATS2017 = ("--pred-encoding", "brats2017", "--ref-encoding", "brats2017")


def test_the_same_labels_in_two_encodings_agree_fully(run, tmp_path, label_file):
    depth = write(tmp_path / "depth.nii.gz", tumour())
    result = run(
        "evaluate", depth, label_file, "--pred-encoding", "depth", "--ref-encoding", "brats2017",
        "--json",
    ).json  # fmt: skip
    assert list(result) == ["WT", "TC", "ET"]
    for name, side in {"WT": 6, "TC": 4, "ET": 2}.items():
        assert result[name] == {
            "dice": 1.0,
            "hd95_mm": 0.0,
            "sensitivity": 1.0,
            "precision": 1.0,
            "volume_ml": pytest.approx(side**3 / 1000),
            "reference_volume_ml": pytest.approx(side**3 / 1000),
            "specificity": 1.0,
            "jaccard": 1.0,
            "nsd": 1.0,
            "volume_error_ml": 0.0,
            "volume_error": 0.0,
            "lesionwise_dice": 1.0,
            "lesionwise_hd95_mm": 0.0,
            "lesions": int(side**3 > 50),  # smaller ones are not scored
            "lesions_missed": 0,
            "lesions_invented": 0,
        }
    assert list(result["WT"])[:6] == [
        *("dice", "hd95_mm", "sensitivity", "precision", "volume_ml", "reference_volume_ml"),
    ]


def test_an_empty_region_is_null_and_a_missed_one_is_zero(run, tmp_path):
    no_enhancement = np.minimum(tumour(), 2)
    only_oedema = np.minimum(tumour(), 1)
    pred, ref = (
        write(tmp_path / f"{name}.nii.gz", codes)
        for name, codes in (("pred", only_oedema), ("ref", no_enhancement))
    )
    options = ("--pred-encoding", "msd", "--ref-encoding", "msd")
    result = run("evaluate", pred, ref, *options, "--json").json
    assert result["ET"]["dice"] is result["ET"]["hd95_mm"] is result["ET"]["precision"] is None
    assert (result["TC"]["dice"], result["TC"]["hd95_mm"]) == (0, None)
    table = run("evaluate", pred, ref, *options)
    assert table.code == 0
    assert [line.split()[0] for line in table.out.splitlines()] == ["region", "WT", "TC", "ET"]
    assert table.out.splitlines()[3].split()[1:3] == ["-", "-"]


def test_another_axis_order_is_turned_without_loss(run, tmp_path, label_file):
    codes = in_brats2017(tumour())
    codes[5, 9, 9] = 2  # no longer symmetric
    straight = write(tmp_path / "a.nii.gz", codes)
    turned = np.eye(4)
    turned[:3] = AFFINE[[0, 1, 2]][:, [2, 0, 1, 3]]  # axes of the file: S, L, P
    other = write(tmp_path / "b.nii.gz", np.ascontiguousarray(codes.transpose(2, 0, 1)), turned)
    result = run("evaluate", straight, other, "--json").json
    assert all(result[name]["dice"] == 1 and result[name]["hd95_mm"] == 0 for name in result)


def test_other_voxels_are_refused(run, tmp_path, label_file):
    finer = write(tmp_path / "fine.nii.gz", in_brats2017(tumour()), np.diag([-2.0, -1, 1, 1]))
    assert "different grids" in run("evaluate", finer, label_file, "--json").sentence


def test_ambiguous_labels_are_refused_with_the_choices(run, tmp_path, label_file):
    unknown = write(tmp_path / "codes.nii.gz", tumour())
    sentence = run("evaluate", unknown, label_file).sentence
    assert "codes.nii.gz" in sentence
    assert sentence.endswith(" with --pred-encoding")
    for encoding in ("brats2023", "brats2015", "msd", "depth"):
        assert encoding in sentence


def test_an_unknown_encoding_is_wrong_usage(run, label_file):
    outcome = run("evaluate", label_file, label_file, "--ref-encoding", "brats2031")
    assert (outcome.code, outcome.out) == (2, "")
    assert "depth" in outcome.err


def test_another_protocol_has_other_regions(run, tmp_path):
    lesions = write(tmp_path / "lesions.nii.gz", (tumour() > 1).astype(np.uint8))
    result = run("evaluate", lesions, lesions, "--protocol", "ms_lesion", "--json").json
    assert len(result) == 1
    assert next(iter(result.values()))["dice"] == 1


@pytest.fixture
def folders(tmp_path):
    """Predictions as files, references as folders with images; each case is worse than the last."""
    predictions, references = tmp_path / "pred", tmp_path / "ref"
    predictions.mkdir()
    for number, name in enumerate(("P1", "P2", "P3")):
        own = references / name
        own.mkdir(parents=True)
        write(own / f"{name}_seg.nii.gz", in_brats2017(tumour()))
        image = np.zeros(SHAPE, np.int16)
        image[3:-3, 3:-3, 3:-3] = np.arange(12) * 50 + 200
        for contrast in NAMES.values():
            write(own / f"{name}_{contrast}.nii.gz", image)
        moved = np.roll(tumour(), number, 0)
        write(predictions / f"{name}.nii.gz", in_brats2017(moved))
    return predictions, references


def test_folders_are_matched_by_name_and_summarised(run, folders):
    result = run("evaluate", *folders, *BRATS2017, "--json").json
    assert list(result["cases"]) == ["P1", "P2", "P3"]
    dice = [case["WT"]["dice"] for case in result["cases"].values()]
    assert dice == pytest.approx([1, 5 / 6, 4 / 6])
    summary = result["summary"]["WT"]["dice"]
    assert summary["n"] == 3
    assert summary["mean"] == pytest.approx(sum(dice) / 3)
    low, high = summary["ci95"]
    assert 4 / 6 - 1e-9 <= low < summary["mean"] < high <= 1 + 1e-9
    again = run("evaluate", *folders, *BRATS2017, "--json").json
    assert again == result  # the bootstrap is seeded
    table = run("evaluate", *folders, *BRATS2017)
    assert table.out.splitlines()[0].split() == [
        *("region", "mean", "95", "%", "from", "to", "SD", "median", "n"),
    ]
    assert table.out.splitlines()[-1] == "3 compared"


def test_what_is_left_out_of_folders_is_said(run, folders):
    predictions, _ = folders
    (predictions / "P2.nii.gz").write_bytes(b"no image")
    (predictions / "P3.nii.gz").rename(predictions / "Q3.nii.gz")
    outcome = run("evaluate", *folders, *BRATS2017, "--json")
    assert outcome.code == 0
    assert list(outcome.json["cases"]) == ["P1"]
    assert outcome.json["without_reference"] == ["Q3"]
    assert outcome.json["without_prediction"] == ["P3"]
    assert list(outcome.json["skipped"]) == ["P2"]
    said = outcome.err.splitlines()
    assert len(said) == 3
    assert all(line.startswith("warning: ") for line in said)
    assert '"P2" was skipped: "P2.nii.gz"' in outcome.err


def test_page_and_csv_are_written_with_pictures_over_the_images(run, folders, tmp_path):
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    options = ("--html", page, "--csv", table, "--images", folders[1])
    outcome = run("evaluate", *folders, *BRATS2017, *options)
    assert (outcome.code, outcome.err) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 6  # two imperfect cases, three regions
    assert "http" not in text
    assert str(tmp_path) not in text
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + 3 * 3


def test_anonymous_reports_name_no_case(run, folders, tmp_path):
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    (folders[0] / "P2.nii.gz").write_bytes(b"no image")
    (folders[0] / "P4.nii.gz").touch()
    options = ("--html", page, "--csv", table, "--images", folders[1], "--anonymous", "--json")
    outcome = run("evaluate", *folders, *BRATS2017, *options)
    assert list(outcome.json["cases"]) == ["case-1", "case-2"]
    written = outcome.out + page.read_text(encoding="utf-8") + table.read_text(encoding="utf-8")
    assert "case-1" in written
    words = written.replace("base64,", " ").split('"')
    for name in ("P1", "P2", "P3", "P4"):
        assert not [w for w in words if name in w and len(w) < 200]
    assert '"P2" was skipped' in outcome.err  # on the user's own screen


def test_one_pair_makes_a_page_too(run, tmp_path, label_file):
    page = tmp_path / "page.html"
    options = ("--html", page, *BRATS2017, "--json")
    result = run("evaluate", label_file, label_file, *options).json
    assert list(result) == ["WT", "TC", "ET"]
    assert "1 case compared" in page.read_text(encoding="utf-8")


def test_the_tolerance_of_nsd_is_the_users(run, tmp_path, label_file):
    moved = write(tmp_path / "moved.nii.gz", in_brats2017(np.roll(tumour(), 1, 0)))
    loose, tight = (
        run("evaluate", moved, label_file, *BRATS2017, "--json", "--tolerance", mm).json["WT"][
            "nsd"
        ]
        for mm in (1, 0.5)
    )
    assert loose == 1
    assert tight < 1


def test_a_folder_and_a_file_are_refused(run, folders, label_file):
    assert "two files or two folders" in run("evaluate", folders[0], label_file).sentence


def test_an_ambiguous_folder_is_refused_with_the_option(run, folders):
    write(folders[0] / "P1.nii.gz", tumour())
    sentence = run("evaluate", *folders, "--ref-encoding", "brats2017").sentence
    assert sentence.endswith(" with --pred-encoding")


@pytest.mark.parametrize("option", ["--html", "--csv"])
def test_a_target_that_cannot_be_written_is_refused_before_the_work(run, folders, tmp_path, option):
    sentence = run("evaluate", *folders, option, tmp_path / "none" / "file").sentence
    assert "create it first" in sentence
    assert "is a folder" in run("evaluate", *folders, option, tmp_path).sentence


def test_images_that_are_no_folder_are_wrong_usage(run, folders, tmp_path):
    outcome = run("evaluate", *folders, "--images", tmp_path / "none")
    assert (outcome.code, outcome.out) == (2, "")
