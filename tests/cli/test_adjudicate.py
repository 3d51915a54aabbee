"""`napari-mmseg adjudicate`."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from .conftest import in_brats2017, tumour, write


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """Three raters: the second adds an island of WT, the third leaves ET out."""
    more, less = tumour(), tumour()
    more[1:4, 1:4, 1:4] = 1
    less[less == 3] = 2
    return [
        write(tmp_path / f"{name}.nii.gz", in_brats2017(codes))
        for name, codes in {"ann": tumour(), "ben": more, "cem": less}.items()
    ]


def test_disputes_are_listed(run, three):
    outcome = run("adjudicate", *three, "--encoding", "brats2017", "--json")
    assert outcome.code == 0, outcome.err
    told = outcome.json
    assert [(d["key"], d["kind"], d["voxels"]) for d in told["disputes"]] == [
        ("WT-1", "presence", 27),
        ("ET-1", "presence", 8),
    ]
    assert told["disputes"][0]["share"] == {"ann": 0, "ben": 1, "cem": 0}
    # Voxel (2, 2, 2) of the files, whose axes run to the left, back and up from the origin.
    assert told["disputes"][0]["centre_ras_mm"] == [-2, -2, 2]
    assert told["open"] == 2
    assert "2 of 2 disputes are open" in run("adjudicate", *three, "--encoding", "brats2017").out


def test_decisions_are_kept_and_the_result_names_its_sources(run, tmp_path, three):
    before = [file.read_bytes() for file in three]
    log, out = tmp_path / "log.jsonl", tmp_path / "out.nii.gz"
    with_log = ("adjudicate", *three, "--encoding", "brats2017", "--log", log, "--json")
    first = run(*with_log, "--take", "WT-1=ben", "--take", "ET-1=cem", "--name", "eve")
    assert first.json["open"] == 0
    second = run(*with_log, "--undo", 1, "--out", out)
    assert [d["taken"] for d in second.json["disputes"]] == ["ben", None]
    expected = tumour()
    expected[1:4, 1:4, 1:4] = 1
    assert np.array_equal(np.asarray(nib.load(out).dataobj), in_brats2017(expected))
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["author"] == "adjudication:adjudicator"
    assert set(told["sources"]) == {"ann", "ben", "cem", "consensus:majority"}
    assert told["warnings"] == ["1 of 2 disputes are open and as the majority has them"]
    assert [file.read_bytes() for file in three] == before


def test_what_cannot_be_taken_is_refused(run, tmp_path, three):
    arguments = ("adjudicate", *three, "--encoding", "brats2017")
    assert "no dispute 'WT-9'" in run(*arguments, "--take", "WT-9=ann").sentence
    assert "'dan' is no rater" in run(*arguments, "--take", "WT-1=dan").sentence
    assert run(*arguments, "--take", "WT-1").code == 2
    assert "a rater's file" in run(*arguments, "--out", three[0]).sentence
    assert "a rater's file" in run(*arguments, "--log", three[0]).sentence


def test_the_result_with_its_sidecar_leaves_the_log_alone(run, tmp_path, three):
    log, out = tmp_path / "case.json", tmp_path / "case.nii.gz"
    arguments = ("adjudicate", *three, "--encoding", "brats2017", "--log", log)
    assert run(*arguments).code == 0
    before = log.read_bytes()
    assert "is to be written twice" in run(*arguments, "--out", out).sentence
    assert log.read_bytes() == before
    assert run(*arguments, "--tolerance", "inf").code == 2


def test_more_cannot_be_undone_than_was_decided(run, tmp_path, three):
    log = tmp_path / "log.jsonl"
    arguments = ("adjudicate", *three, "--encoding", "brats2017", "--log", log)
    run(*arguments, "--take", "WT-1=ben")
    before = log.read_bytes()
    sentence = run(*arguments, "--undo", 2, "--take", "ET-1=cem").sentence
    assert sentence.startswith("--undo 2: 1 decision is in force, and nothing was changed")
    assert log.read_bytes() == before
    assert "no decisions are in force" in run(*arguments[:-2], "--undo", 1).sentence
