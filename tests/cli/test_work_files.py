"""`napari-mmseg history` and `napari-mmseg recover`."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_mmseg.annotation import Annotation
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.grid import Grid
from napari_mmseg.journal import Journal, load_work
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

SHAPE = (4, 20, 24)
SQUARE = np.ones((1, 6, 6), bool)


@pytest.fixture
def work_file(tmp_path: Path) -> Path:
    """A proposal of 36 voxels of WT, two strokes, the second taken back."""
    affine = np.diag([-3.0, -1.0, -1.0, 1.0])[[2, 1, 0, 3]]
    grid = Grid(SHAPE, affine)
    start = np.zeros(SHAPE, np.uint8)
    start[2, 2:8, 2:8] = 1
    session = EditSession(Annotation(start, grid, load_protocol(), SourceSpace.of(grid)))
    path = tmp_path / "study" / "case-r1.mmseg"
    journal = Journal(session, path, "case", "r1")
    session.apply(Stroke("TC", Mode.PAINT, Footprint((2, 5, 2), SQUARE)), "brush: add TC")
    session.apply(Stroke("WT", Mode.ERASE, Footprint((2, 2, 2), SQUARE)), "brush: erase WT")
    session.undo()
    journal.close()
    return path


def test_the_steps_and_the_effort_are_listed(run, work_file):
    told = run("history", work_file, "--json").json
    assert [(s["deed"], s["tool"], s["regions"], s["plane"]) for s in told["steps"]] == [
        ("step", "brush", "TC", "axial"),
        ("step", "brush", "WT", "axial"),
        ("undo", "brush", "WT", "axial"),
    ]
    first, second, third = (s["voxels"] for s in told["steps"])
    assert first["WT"] == {"added": 18, "removed": 0}
    assert first["TC"] == {"added": 36, "removed": 0}
    assert second["WT"] == {"added": 0, "removed": 36}
    assert third["WT"] == {"added": 36, "removed": 0}
    effort = told["effort"]
    assert (effort["strokes"], effort["undos"], effort["redos"]) == (2, 1, 0)
    assert effort["voxels"]["WT"] == {"added": 18, "removed": 36}
    assert effort["net"]["WT"] == {"added": 18, "removed": 0}
    assert effort["untouched"] == {"WT": 1.0, "TC": None, "ET": None}


def test_the_list_can_be_read(run, work_file):
    lines = run("history", work_file).out.splitlines()
    assert "brush: add TC" in lines[1]
    assert "+18 -0" in lines[1]
    assert "2 (1 undone, 0 redone)" in "\n".join(lines)


def test_a_film_shows_the_slice_that_changed(run, work_file, tmp_path):
    out = tmp_path / "film.gif"
    assert run("history", work_file, "--film", out).code == 0
    with Image.open(out) as film:
        frames = []
        for number in range(film.n_frames):
            film.seek(number)
            frames.append(np.asarray(film.convert("RGB")))
    assert len(frames) == 4
    assert min(frames[0].shape[:2]) >= 240
    np.testing.assert_array_equal(frames[1], frames[3])  # the second stroke was taken back
    assert (frames[0] != frames[1]).any()
    assert "is there already" in run("history", work_file, "--film", out).sentence
    assert "GIF" in run("history", work_file, "--film", tmp_path / "film.mp4").sentence


def test_a_study_is_a_table(run, work_file, tmp_path):
    (work_file.parent / "broken-r1.mmseg").write_text("no work file" * 999)
    out = tmp_path / "effort.csv"
    assert run("history", work_file.parent, "--csv", out).code == 0
    with out.open() as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    row = rows[work_file.name]
    assert (row["rater"], row["strokes"], row["voxels.WT.added"]) == ("r1", "2", "18")
    assert row["untouched.WT"] == "1.0"
    assert row["problem"] == ""
    assert "no row of a work file" in rows["broken-r1.mmseg"]["problem"]


def test_a_cut_file_is_recovered(run, work_file, tmp_path):
    data = work_file.read_bytes()
    work_file.write_bytes(data[: len(data) // 4096 * 4096 - 4096] + b"\0" * 4096)
    out = tmp_path / "whole.mmseg"
    outcome = run("recover", work_file, "--out", out, "--json")
    assert outcome.json["was_damaged"]
    assert not load_work(out)[1]
    assert work_file.read_bytes()[:4096] == data[:4096]
    assert "is there already" in run("recover", work_file, "--out", out).sentence


def test_the_recovered_file_has_a_name_by_itself(run, work_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = run("recover", work_file).out
    assert told == "case-r1.mmseg was whole: 2 steps are in case-r1-recovered.mmseg\n"
    assert len(load_work(tmp_path / "case-r1-recovered.mmseg")[0].entries) == 3
    assert "is a folder" in run("recover", work_file.parent).sentence


def test_what_is_not_there_is_said(run, tmp_path):
    for command in ("history", "recover"):
        said = run(command, tmp_path / "none.mmseg").sentence
        assert said.startswith('"none.mmseg" does not exist: name a work file')
    assert "no work file" in run("history", tmp_path).sentence
    empty = tmp_path / "empty" / "nothing.mmseg"
    empty.parent.mkdir()
    empty.touch()
    for command in ("history", "recover"):
        assert run(command, empty).sentence.startswith('"nothing.mmseg" is empty: ')
    assert "does not exist" in run("history", tmp_path / "no", "--csv", tmp_path / "o.csv").sentence
