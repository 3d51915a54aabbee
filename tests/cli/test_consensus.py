"""`napari-mmseg consensus`."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_mmseg.io import read_annotation

from .conftest import AFFINE, in_brats2017, tumour, write


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """Three raters: the second adds a slice of WT, the third leaves ET out."""
    more, less = tumour(), tumour()
    more[6, 7:13, 7:13] = 1
    less[less == 3] = 2
    return [
        write(tmp_path / f"{name}.nii.gz", in_brats2017(codes))
        for name, codes in {"ann": tumour(), "ben": more, "cem": less}.items()
    ]


def test_the_majority_is_written_with_its_sources(run, tmp_path, three):
    out = tmp_path / "out.nii.gz"
    outcome = run("consensus", *three, "--encoding", "brats2017", "--out", out)
    assert outcome.code == 0, outcome.err
    written = nib.load(out)
    assert np.array_equal(np.asarray(written.dataobj), in_brats2017(tumour()))
    assert np.array_equal(written.affine, AFFINE)
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["author"] == "consensus:majority"
    assert list(told["sources"]) == ["ann", "ben", "cem"]
    assert {len(sha256) for sha256 in told["sources"].values()} == {64}
    assert str(tmp_path) not in (tmp_path / "out.json").read_text()
    back = read_annotation(out)
    assert back.author == told["author"]
    assert back.provenance.sources == told["sources"]


@pytest.mark.parametrize("method", ["majority", "staple", "simple"])
def test_json_names_every_rater_and_file(run, tmp_path, three, method):
    outcome = run(
        *("consensus", *three, "--encoding", "brats2017", "--method", method),
        *("--out", tmp_path / "out.nii.gz", "--soft", tmp_path / "soft.nii.gz", "--json"),
    )
    assert outcome.code == 0, outcome.err
    told = outcome.json
    assert told["method"] == method
    assert set(told["raters"]["TC"]) == {"ann", "ben", "cem"}
    assert told["raters"]["WT"]["ann"]["sensitivity"] > 0.99
    assert list(told["soft"]) == ["WT", "TC", "ET"]
    soft = nib.load(told["soft"]["ET"])
    assert soft.get_data_dtype() == np.float32
    assert np.array_equal(soft.affine, AFFINE)
    share = np.asarray(soft.dataobj)
    assert 0.5 < share.max() <= 1
    assert share[tumour() == 3].min() > 0.5


def test_names_can_be_left_out(run, tmp_path, three):
    out = tmp_path / "out.nii.gz"
    outcome = run("consensus", *three, "--encoding", "brats2017", "--out", out, "--anonymous")
    assert outcome.code == 0
    text = outcome.out + (tmp_path / "out.json").read_text()
    assert "rater-3" in text
    assert "cem" not in text


def test_files_of_one_name_are_told_apart(run, tmp_path, three):
    other = tmp_path / "elsewhere"
    other.mkdir()
    write(other / "ann.nii.gz", in_brats2017(tumour()))
    outcome = run(
        *("consensus", three[0], other / "ann.nii.gz", "--encoding", "brats2017"),
        *("--out", tmp_path / "out.nii.gz", "--json"),
    )
    assert list(outcome.json["sources"]) == ["ann-1", "ann-2"]


def test_ties_are_the_users_choice(run, tmp_path, three):
    pair = three[:2]
    for ties, voxels in (("out", 6**3), ("in", 6**3 + 36)):
        out = tmp_path / f"{ties}.nii.gz"
        run("consensus", *pair, "--encoding", "brats2017", "--ties", ties, "--out", out)
        assert np.count_nonzero(np.asarray(nib.load(out).dataobj)) == voxels


def test_a_raters_file_is_never_written_over(run, three):
    before = three[0].read_bytes()
    sentence = run("consensus", *three, "--encoding", "brats2017", "--out", three[0]).sentence
    assert sentence == '"ann.nii.gz" is a rater\'s file: choose another name'
    assert three[0].read_bytes() == before


def test_nor_is_its_sidecar_or_a_result_of_the_same_run(run, tmp_path, three):
    arguments = ("consensus", *three, "--encoding", "brats2017", "--out")
    beside = run(*arguments, three[0].with_name("ann.nrrd")).sentence
    assert beside == 'the sidecar of "ann.nrrd" is that of a rater\'s file: choose another name'
    twice = run(*arguments, tmp_path / "o.nii.gz", "--heat", tmp_path / "o.nii.gz").sentence
    assert twice == '"o.nii.gz" is to be written twice, with its sidecar: choose another name'
    assert not list(tmp_path.glob("o.*"))


def test_nobody_votes_twice(run, tmp_path, three):
    out = tmp_path / "out.nii.gz"
    twice = run("consensus", three[0], *three, "--encoding", "brats2017", "--out", out).sentence
    assert twice == '"ann.nii.gz" is named 2 times: name each rater\'s file once'


def test_other_grids_are_refused(run, tmp_path, three):
    far = write(tmp_path / "far.nii.gz", in_brats2017(tumour()), np.diag([-1.0, -1.0, 2.0, 1.0]))
    arguments = ("consensus", three[0], far, "--encoding", "brats2017")
    sentence = run(*arguments, "--out", tmp_path / "out.nii.gz").sentence
    assert "far and ann lie on different grids" in sentence
    assert not (tmp_path / "out.nii.gz").exists()


def test_an_ambiguous_encoding_has_to_be_named(run, tmp_path, three):
    files = [write(tmp_path / f"d{n}.nii.gz", tumour()) for n in range(2)]
    sentence = run("consensus", *files, "--out", tmp_path / "out.nii.gz").sentence
    assert sentence.endswith("with --encoding")


def test_the_heat_map_is_nought_where_all_agree(run, tmp_path, three):
    heat = tmp_path / "heat.nii.gz"
    outcome = run(
        *("consensus", *three, "--encoding", "brats2017", "--out", tmp_path / "out.nii.gz"),
        *("--heat", heat, "--json"),
    )
    assert outcome.json["heat"] == str(heat)
    bits = np.asarray(nib.load(heat).dataobj)
    assert bits[0, 0, 0] == bits[8, 8, 8] == 0
    assert bits[10, 10, 10] == pytest.approx(0.918, abs=1e-3)  # two of three


def test_maps_show_where_raters_differ(run, tmp_path, three):
    outcome = run(
        *("consensus", *three, "--encoding", "brats2017", "--out", tmp_path / "out.nii.gz"),
        *("--maps", tmp_path / "map.nii.gz", "--json"),
    )
    files = outcome.json["maps"]
    assert list(files) == [
        "entropy", "dissent", "WT-count", "WT-entropy", "TC-count", "TC-entropy",
        "ET-count", "ET-entropy",
    ]  # fmt: skip
    assert Path(files["WT-count"]).name == "map-WT-count.nii.gz"
    images = {name: nib.load(file) for name, file in files.items()}
    maps = {name: np.asarray(image.dataobj) for name, image in images.items()}
    assert all(np.array_equal(image.affine, AFFINE) for image in images.values())
    third = -(np.log2(1 / 3) + 2 * np.log2(2 / 3)) / 3
    enhancing, slab = tumour() == 3, (slice(6, 7), slice(7, 13), slice(7, 13))
    assert (maps["ET-count"][enhancing] == 2).all()
    assert np.allclose(maps["ET-entropy"][enhancing], third)
    assert (maps["dissent"][slab] == 1).all()
    assert maps["entropy"].max() == pytest.approx(third)
    assert maps["dissent"].dtype == np.uint8


def test_no_map_is_written_over_a_rater(run, tmp_path, three):
    ann = three[0].rename(tmp_path / "map-entropy.nii.gz")
    arguments = (ann, *three[1:], "--encoding", "brats2017", "--maps", tmp_path / "map.nii.gz")
    for command in (("agree",), ("consensus", "--out", tmp_path / "out.nii.gz")):
        assert "is a rater's file" in run(command[0], *arguments, *command[1:]).sentence
    assert not (tmp_path / "map-dissent.nii.gz").exists()
