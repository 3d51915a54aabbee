"""`napari-mmseg study ...`: from a folder of cases to readings that are locked."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.journal import Journal
from napari_mmseg.study import load_study, open_item

from .conftest import SHAPE, in_brats2017, tumour, write


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    """A folder of three cases."""
    folder = tmp_path / "incoming"
    for number in range(3):
        case = folder / f"patient{number}"
        case.mkdir(parents=True)
        image = np.random.default_rng(number).integers(1, 900, SHAPE).astype(np.int16)
        for name in ("flair", "t1ce"):
            write(case / f"patient{number}_{name}.nii.gz", image)
    return folder


@pytest.fixture
def made(run, incoming, tmp_path) -> Path:
    folder = tmp_path / "study"
    done = run(
        "study", "new", folder, "--cases", incoming, "--raters", "ann,bob", "--seed", 4,
        "--repeats", 0.34, "--mirror", "--json",
    )  # fmt: skip
    assert done.json == {
        "name": "study", "cases": 3, "raters": 2, "readings": 8, "repeats": 2, "seed": 4
    }  # fmt: skip
    return folder


def next_of(run, folder: Path, rater: str) -> str:
    return run("study", "status", folder, "--rater", rater, "--json").json["next"]


def draw(folder: Path, rater: str, item: str) -> None:
    sitting = open_item(load_study(folder), rater, item)
    edit, place = EditSession(sitting.start), sitting.place
    journal = Journal(edit, place.file, place.fingerprint, place.rater)
    edit.apply(Stroke("WT", Mode.PAINT, Footprint((4, 5, 6), np.ones((2, 3, 4), bool))), "brush: x")
    journal.close()


def test_from_cases_to_locked_readings(run, made):
    item = next_of(run, made, "ann")
    draw(made, "ann", item)
    rows = run("study", "status", made, "--json").json["raters"]
    assert [(r["rater"], r["readings"], r["draft"], r["waiting"]) for r in rows] == [
        ("ann", 4, 1, 3),
        ("bob", 4, 0, 4),
    ]
    done = run("study", "submit", made, "--rater", "ann", item, "--confidence", 4)
    assert done.out == f"reading {item} is submitted\n"
    assert "submitted already" in run("study", "submit", made, "--rater", "ann", item).sentence
    assert run("study", "lock", made, "--by", "boss", item).out == "1 reading locked\n"
    assert "unlock" in run("study", "reopen", made, "--rater", "ann", item).sentence
    assert run("study", "sign", made, "--by", "boss", item).code == 0
    assert run("study", "status", made, "--json").json["raters"][0]["signed off"] == 1
    assert next_of(run, made, "ann") != item
    assert run("study", "check", made).out == "all files belong to the study and are whole\n"


def test_the_list_of_a_rater_tells_no_case_and_no_repeat(run, made):
    for more in ((), ("--json",)):
        told = run("study", "status", made, "--rater", "ann", *more).out
        for word in ("case-", "patient", "bob", "repeat", "mirror", "proposal"):
            assert word not in told
    told = run("study", "status", made, "--readings").out
    assert "case-001" in told
    assert "mirrored" in told


def test_what_does_not_belong_is_listed_with_exit_code_1(run, made):
    (made / "work" / "eve").mkdir()
    done = run("study", "check", made, "--json")
    assert done.code == 1
    assert [f["sentence"] for f in done.json["findings"]] == [
        'work holds "eve", which is no rater of the study: move it out'
    ]
    assert run("study", "status", made).code == 0


def test_more_raters_and_cases_come_later(run, made, case_folder):
    before = load_study(made).assignments
    done = run("study", "add", made, "--raters", "cyd", "--cases", case_folder, "--json")
    assert (done.json["cases"], done.json["raters"]) == (4, 3)
    assert load_study(made).assignments[: len(before)] == before
    assert run("study", "add", made).code == 2


@pytest.mark.parametrize("raters", ["../eve", "a/b", "con", "ann,ANN"])
def test_a_pseudonym_that_cannot_be_one_is_refused(run, incoming, tmp_path, raters):
    done = run("study", "new", tmp_path / "s", "--cases", incoming, "--raters", raters)
    assert "rater" in done.sentence.replace("reading patient", "")


def test_a_folder_that_is_no_study_is_refused(run, tmp_path):
    for command in ("status", "check"):
        assert "is no study" in run("study", command, tmp_path).sentence


def test_proposals_are_made_by_the_model_and_shown(run, incoming, tmp_path, fake_model):
    folder = tmp_path / "study"
    run("study", "new", folder, "--cases", incoming, "--raters", "a,b", "--proposal", "randomised")
    assert run("study", "propose", folder).out == "3 proposals made, 0 were there\n"
    assert run("study", "propose", folder).out == "0 proposals made, 3 were there\n"
    study = load_study(folder)
    for assignment in study.assignments:
        start = open_item(study, assignment.rater, assignment.item).start
        assert start.codes.any() == assignment.proposal_shown
        if assignment.proposal_shown:
            assert (start.codes > 0).sum() == (tumour() > 0).sum()


def test_proposals_can_be_label_files_that_are_there(run, incoming, tmp_path):
    labels = tmp_path / "labels"
    labels.mkdir()
    for number in range(3):
        write(labels / f"patient{number}.nii.gz", in_brats2017(tumour()))
    folder = tmp_path / "study"
    run("study", "new", folder, "--cases", incoming, "--raters", "a", "--proposal", "shown")
    (labels / "patient2.nii.gz").rename(tmp_path / "away.nii.gz")
    options = ("--from", labels, "--encoding", "brats2017")
    refusal = run("study", "propose", folder, *options)
    assert refusal.code == 1
    assert "case-003" in refusal.err
    (tmp_path / "away.nii.gz").rename(labels / "patient2.nii.gz")
    assert run("study", "propose", folder, *options).out == "1 proposal made, 2 were there\n"
    study = load_study(folder)
    stored = nib.load(folder / study.plan.cases[0].proposal)
    assert (np.asarray(stored.dataobj) > 0).sum() == (tumour() > 0).sum()


def test_what_study_open_hands_to_the_viewer(run, made, monkeypatch):
    from napari_mmseg.cli import study_reading

    shown = []
    monkeypatch.setattr(study_reading, "open_sitting", lambda *given: shown.append(given))
    item = next_of(run, made, "bob")
    done = run("study", "open", made, "--rater", "bob")
    assert (done.code, done.out, done.err) == (0, "", f"reading {item}\n")
    ((sitting, screenshot),) = shown
    assert (sitting.item, sitting.case.id, screenshot) == (item, item, None)
    assert run("study", "review", made, "--by", "boss", item).code == 0
    assert shown[1][0].read_only
    refused = run("study", "review", made, "--by", "ann", item)
    assert "still has readings" in refused.sentence
    assert len((made / "review.jsonl").read_text().split()) > 0
    assert (made / "review.jsonl").read_text().count('"review"') == 1


def test_a_study_says_what_is_to_be_done_next(run, tmp_path, incoming):
    folder = tmp_path / "study"
    empty = run("study", "new", folder).out.splitlines()
    assert empty[0].startswith("study: 0 cases, 0 raters, 0 readings, 0 of them repeats (seed ")
    assert empty[1] == f"next: napari-mmseg study add {folder} --cases DIR --raters ann,bob"
    added = run("study", "add", folder, "--raters", "ann").out.splitlines()[1]
    assert added == f"next: napari-mmseg study add {folder} --cases DIR"
    whole = run("study", "add", folder, "--cases", incoming / "patient0").out.splitlines()
    assert whole[0].startswith("study: 1 case, 1 rater, 1 reading, 0 of them repeats")
    assert whole[1] == f"next: each rater: napari-mmseg study open {folder} --rater NAME"
    shown = run(
        "study", "new", tmp_path / "shown", "--cases", incoming, "--raters", "ann",
        "--proposal", "shown",
    )  # fmt: skip
    assert "next: napari-mmseg study propose " in shown.out


def test_a_confidence_that_is_none_is_wrong_usage(run, made):
    item = next_of(run, made, "ann")
    wrong = run("study", "submit", made, "--rater", "ann", item, "--confidence", 7)
    assert (wrong.code, wrong.out) == (2, "")
    assert "a confidence is a whole number from 1 to 5, not 7" in wrong.err
    assert next_of(run, made, "ann") == item
