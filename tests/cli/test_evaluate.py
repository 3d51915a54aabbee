"""`napari-mmseg evaluate`."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import AFFINE, in_brats2017, tumour, write


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
        }


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
