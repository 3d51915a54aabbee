"""`napari-mmseg agree`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_mmseg.cli.raters import distinct

from .conftest import in_brats2017, tumour, write

ENCODING = ("--encoding", "brats2017")
ALGORITHMS = Path(__file__).parents[3] / "shared/data/tcga_du_7294/algorithm_segs"


@pytest.fixture
def raters(tmp_path):
    """Three raters: one moved by a voxel, one who sees no enhancement."""
    seen = {"ann": tumour(), "bob": np.roll(tumour(), 1, 0), "cy": np.minimum(tumour(), 2)}
    return [write(tmp_path / f"{name}.nii.gz", in_brats2017(codes)) for name, codes in seen.items()]


def test_pairs_and_all_raters_by_region(run, raters):
    result = run("agree", *raters, *ENCODING, "--json").json
    assert result["raters"] == ["ann", "bob", "cy"]
    assert list(result["regions"]) == ["WT", "TC", "ET"]
    whole = result["regions"]["WT"]
    assert [(p["first"], p["second"]) for p in whole["pairs"]] == [
        *(("ann", "bob"), ("ann", "cy"), ("bob", "cy")),
    ]
    assert [p["dice"] for p in whole["pairs"]] == pytest.approx([5 / 6, 1, 5 / 6])
    assert whole["pairs"][0]["jaccard"] == pytest.approx(5 / 7)
    assert whole["pairs"][0]["hd95_mm"] == pytest.approx(1)
    assert whole["volumes_ml"] == pytest.approx(dict.fromkeys(("ann", "bob", "cy"), 0.216))
    assert 0 < whole["fleiss_kappa"] <= whole["krippendorff_alpha"] < 1
    others = result["against_others"]["TC"]
    assert [one["first"] for one in others] == ["ann", "bob", "cy"]
    assert {one["second"] for one in others} == {"majority of the others"}
    enhancing = result["regions"]["ET"]
    assert (enhancing["both_empty"], enhancing["one_empty"]) == (0, 2)
    assert [p["dice"] for p in enhancing["pairs"]] == pytest.approx([1 / 2, 0, 0])
    assert [p["hd95_mm"] for p in enhancing["pairs"]][1:] == [None, None]


def test_the_table_names_pairs_raters_and_what_all_agree_on(run, raters):
    outcome = run("agree", *raters, *ENCODING)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[1].split()[:4] == ["WT", "ann,", "bob", "0.833"]
    assert lines[8].split()[:6] == ["ET", "ann,", "cy", "0.000", "0.000", "-"]
    assert lines[11].split()[:6] == ["against", "the", "majority", "of", "the", "others"]
    assert lines[14].split()[:3] == ["WT", "cy", "0.909"]  # a voxel of one of two is out
    assert [line.split()[0] for line in lines[23:26]] == ["WT", "TC", "ET"]
    assert [line.split()[0] for line in lines[28:]] == ["ann", "bob", "cy"]


def test_the_tolerance_is_the_users(run, raters):
    tight = run("agree", *raters, *ENCODING, "--tolerance", "0.5", "--json").json
    assert tight["conventions"]["nsd_tolerance_mm"] == 0.5
    assert tight["regions"]["WT"]["pairs"][0]["nsd"] < 1


def test_files_of_one_name_are_told_apart(run, tmp_path, raters):
    (tmp_path / "other").mkdir()
    twin = write(tmp_path / "other" / "ann.nii.gz", in_brats2017(tumour()))
    result = run("agree", raters[0], raters[1], twin, *ENCODING, "--json").json
    assert result["raters"] == ["ann-1", "bob", "ann-2"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("a b c", "a b c"),
        ("a a a", "a-1 a-2 a-3"),
        ("a a-1 a", "a-2 a-1 a-3"),
    ],
)
def test_names_are_distinct_whatever_they_are(names, expected):
    assert distinct(names.split()) == expected.split()


def test_one_file_is_wrong_usage(run, raters):
    outcome = run("agree", raters[0], *ENCODING)
    assert (outcome.code, outcome.out) == (2, "")
    assert "two raters or more" in outcome.err


def test_ambiguous_labels_are_refused_with_the_option(run, tmp_path, raters):
    unknown = write(tmp_path / "codes.nii.gz", tumour())
    sentence = run("agree", raters[0], unknown).sentence
    assert "codes.nii.gz" in sentence
    assert sentence.endswith(" with --encoding")


def test_other_voxels_are_refused(run, tmp_path, raters):
    finer = write(tmp_path / "fine.nii.gz", in_brats2017(tumour()), np.diag([-2.0, -1, 1, 1]))
    assert run("agree", *raters, finer, *ENCODING).sentence.startswith("ann and fine lie on")


@pytest.mark.skipif(not ALGORITHMS.is_dir(), reason="needs ../shared/data/tcga_du_7294")
def test_five_algorithms_as_five_raters(run):
    files = sorted(ALGORITHMS.iterdir())
    result = run("agree", *files, *ENCODING, "--json").json
    assert len(result["raters"]) == 5
    assert len(result["regions"]["TC"]["pairs"]) == 10
    assert result["regions"]["WT"]["mean"]["dice"] > 0.95


def test_one_page_shows_the_same_numbers(run, raters, tmp_path):
    page = tmp_path / "page.html"
    result = run("agree", *raters, *ENCODING, "--html", page, "--json").json
    assert f"<b>{result['regions']['WT']['mean']['dice']:.3f}</b>" in page.read_text()
    elsewhere = tmp_path / "no" / "page.html"
    assert "does not exist" in run("agree", *raters, *ENCODING, "--html", elsewhere).sentence


def test_a_file_named_twice_or_a_tolerance_without_end_is_refused(run, raters):
    twice = run("agree", raters[0], raters[0], *ENCODING).sentence
    assert twice == '"ann.nii.gz" is named 2 times: name each rater\'s file once'
    endless = run("agree", *raters, *ENCODING, "--tolerance", "inf", "--json")
    assert (endless.code, endless.out) == (2, "")


def test_a_page_is_never_written_over_labels(run, tmp_path, raters):
    before = raters[0].read_bytes()
    sentence = run("agree", *raters, *ENCODING, "--html", raters[0]).sentence
    assert sentence == '"ann.nii.gz" is no name of a report: end it in .html'
    assert raters[0].read_bytes() == before


def test_images_that_cannot_be_drawn_on_are_told_of(run, tmp_path, raters, case_folder):
    assert run("agree", *raters, *ENCODING, "--images", case_folder).code == 2
    page = tmp_path / "page.html"
    seen = in_brats2017(tumour())
    cut = [write(file, np.roll(seen, n, 0)[:-1]) for n, file in enumerate(raters[:2])]
    done = run("agree", *cut, *ENCODING, "--images", case_folder, "--html", page, "--json")
    assert (done.code, done.json["raters"]) == (0, ["ann", "bob"])
    assert "images was left out: the images lie on another grid than the labels" in done.err
    assert "the images lie on another grid" in page.read_text(encoding="utf-8")


def test_maps_are_offered_beside_the_tables(run, tmp_path, raters):
    outcome = run("agree", *raters, *ENCODING, "--maps", tmp_path / "map.nrrd")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count(" written\n") == 8
    assert (tmp_path / "map-entropy.nrrd").exists()
    result = run("agree", *raters, *ENCODING, "--maps", tmp_path / "map.nrrd", "--json").json
    assert Path(result["maps"]["TC-count"]).name == "map-TC-count.nrrd"
    assert "maps" not in run("agree", *raters, *ENCODING, "--json").json
