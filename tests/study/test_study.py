"""A study is made, added to, read and listed."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import ExportError, InputError
from napari_mmseg.grid import Grid
from napari_mmseg.io import export, open_case, read_annotation
from napari_mmseg.protocol import load_protocol
from napari_mmseg.study import (
    CaseEntry,
    Design,
    Plan,
    Proposals,
    State,
    Study,
    add_cases,
    add_raters,
    cases_in,
    load_annotation,
    load_study,
    new_study,
    open_item,
    set_proposal,
    submit,
)
from napari_mmseg.study import study as study_module
from napari_mmseg.study.plan import plan_text, read_plan

from .desk import SECRET, draw, first_item, make_cases, read, sit


@pytest.fixture
def study(tmp_path: Path, cases: list[Path]) -> Study:
    design = Design(Proposals.HIDDEN, repeats=0.5, mirror=True)
    return new_study(
        tmp_path / "study", design=design, seed=5, cases=cases[:4], raters=["ann", "bob"]
    )


def test_what_was_made_is_what_is_loaded(study):
    again = load_study(study.folder)
    assert again.assignments == study.assignments
    assert plan_text(again.plan) == plan_text(study.plan)
    assert again.problems == ()
    assert [c.id for c in again.plan.cases] == [f"case-{n:03d}" for n in range(1, 5)]
    assert len(again.assignments) == 2 * (4 + 2)
    assert all(r.state is State.WAITING for r in again.readings())


def test_a_study_that_is_there_is_not_made_again(study, cases):
    with pytest.raises(InputError, match="is a study already"):
        new_study(study.folder, cases=cases, raters=["cyd"])


def test_nothing_is_made_when_a_case_or_rater_cannot_be_used(tmp_path, cases):
    for bad in (["../x"], ["ann", "Ann"], ["con"]):
        with pytest.raises(InputError):
            new_study(tmp_path / "s", cases=cases, raters=bad)
    with pytest.raises(InputError):
        new_study(tmp_path / "s", cases=[tmp_path / "none"], raters=["ann"])
    assert not (tmp_path / "s").exists()


def test_adding_keeps_what_was_handed_out(study, tmp_path):
    more = make_cases(tmp_path / "more", 2, first=50)
    later = add_raters(add_cases(study, more), ["cyd"])
    assert later.assignments[: len(study.assignments)] == study.assignments
    assert load_study(study.folder).assignments == later.assignments
    assert {(a.rater, a.case) for a in later.assignments} == {
        (r, f"case-{n:03d}") for r in ("ann", "bob", "cyd") for n in range(1, 7)
    }
    with pytest.raises(InputError, match="in the study already"):
        add_cases(later, more[:1])
    with pytest.raises(InputError, match="already"):
        add_raters(later, ["BOB"])


def test_copied_cases_need_their_source_no_more_and_lose_its_names(tmp_path, cases):
    made = new_study(tmp_path / "study", cases=cases[:2], raters=["ann"], copy=True, seed=1)
    for folder in cases:
        for file in folder.iterdir():
            file.unlink()
    assert open_item(made, "ann").case.volumes
    names = [p.name for p in made.folder.rglob("*")]
    assert not [n for n in names if SECRET in n]
    assert SECRET not in (made.folder / "study.toml").read_text()


def test_cases_are_found_in_a_folder(tmp_path, cases):
    assert cases_in(cases[0].parent) == cases
    assert cases_in(cases[0]) == [cases[0]]
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(InputError):
            cases_in(folder)


def test_a_reading_goes_from_waiting_to_a_draft(study):
    item = first_item(study)
    made = read(study, "ann", item)
    listed = next(r for r in study.readings() if r.item == item)
    assert listed == made
    assert (made.state, made.rater, made.strokes) == (State.DRAFT, "ann", 1)
    assert made.path == study.folder / "work" / "ann" / f"{item}.mmseg"
    assert study.next_item("ann") == item
    submit(study, "ann", item)
    assert study.next_item("ann") != item


def test_work_goes_on_where_it_was(study):
    item = first_item(study)
    read(study, "ann", item)
    sitting, edit, journal = sit(study, "ann")
    assert sitting.item == item
    assert edit.codes.sum() == 12
    assert edit.undo_depth == 1
    journal.close()


def test_the_labels_of_a_repeat_come_back_unmirrored(study):
    again = next(a for a in study.assignments if a.repeat)
    first = next(a for a in study.assignments if (a.rater, a.case) == (again.rater, again.case))
    corner = (2, 3, 0)
    plain = load_annotation(read(study, first.rater, first.item, corner))
    turned = load_annotation(read(study, again.rater, again.item, corner))
    np.testing.assert_array_equal(turned.codes, plain.codes[:, :, ::-1])
    assert turned.grid.same_as(plain.grid)
    assert (turned.author, turned.protocol.name) == (again.rater, "glioma")
    case = open_case(study.case_path(again.case))
    out = study.folder / "out.nii.gz"
    export(load_annotation(study.reading(again.rater, again.item), case), out, encoding="msd")
    back = read_annotation(out, encoding="msd", like=case)
    np.testing.assert_array_equal(back.codes, turned.codes)


def test_a_mirrored_repeat_is_shown_mirrored(study):
    again = next(a for a in study.assignments if a.repeat)
    case = open_case(study.case_path(again.case))
    seen = open_item(study, again.rater, again.item).case
    for modality, volume in case.volumes.items():
        np.testing.assert_array_equal(seen.volumes[modality].array, volume.array[:, :, ::-1])


def test_a_reading_without_work_is_empty(study):
    reading = study.reading("ann", first_item(study))
    assert not load_annotation(reading).codes.any()
    assert not reading.path.exists()


@pytest.fixture
def shown(tmp_path: Path, cases: list[Path]) -> Study:
    """A study of one rater whose two cases have proposals, one of them to be seen mirrored."""
    design = Design(Proposals.SHOWN, repeats=1.0, mirror=True)
    made = new_study(tmp_path / "shown", design=design, seed=2, cases=cases[:2], raters=["ann"])
    (made.folder / "proposals").mkdir()
    for entry in made.plan.cases:
        case = open_case(made.case_path(entry.id))
        codes = np.zeros(case.grid.shape, np.uint8)
        codes[1:3, 1:5, 0:2] = 1
        proposal = Annotation(
            codes, case.grid, load_protocol(), case.source, author="model:simulated"
        )
        file = f"proposals/{entry.id}.nii.gz"
        export(proposal, made.folder / file)
        made = set_proposal(made, entry.id, file)
    return made


def test_a_shown_proposal_is_where_the_rater_begins_on_the_right_side(shown):
    for assignment in shown.assignments:
        sitting, edit, journal = sit(shown, "ann", assignment.item)
        side = edit.codes[:, :, ::-1] if assignment.mirrored else edit.codes
        assert side[1:3, 1:5, 0:2].all()
        assert side.sum() == 16
        assert sitting.model_allowed
        assert sitting.start.author == "model:simulated"
        draw(edit, (4, 6, 3))
        journal.close()
        labels = load_annotation(shown.reading("ann", assignment.item))
        assert labels.codes[1:3, 1:5, 0:2].all()
        assert labels.author == "ann"


def test_a_proposal_left_as_it_was_is_the_reading(shown):
    item = first_item(shown)
    made = submit(shown, "ann", item)
    assert not made.path.exists()
    labels = load_annotation(made)
    assert labels.codes[1:3, 1:5, 0:2].all()
    assert labels.codes.sum() == 16


def test_a_proposal_that_was_begun_with_stays(shown):
    item = first_item(shown)
    made = read(shown, "ann", item)
    with pytest.raises(InputError, match="begun"):
        set_proposal(shown, made.case, "proposals/other.nii.gz")


def test_a_proposal_that_is_missing_is_said(tmp_path, cases):
    made = new_study(
        tmp_path / "s", design=Design(Proposals.SHOWN), cases=cases[:1], raters=["ann"]
    )
    with pytest.raises(InputError, match="study propose"):
        open_item(made, "ann")


def test_images_that_changed_are_refused(study, cases):
    for number, case in enumerate(cases):
        (other,) = make_cases(case.parent / "other", 1, first=70 + number)
        for file in case.iterdir():
            name = file.name.partition("_")[2]
            file.write_bytes((other / f"{other.name}_{name}").read_bytes())
    with pytest.raises(InputError, match="not those the study was made with"):
        open_item(study, "ann")


# The index


def test_only_files_that_changed_are_read_again(study, monkeypatch):
    for item in study.worklist("ann")[:3]:
        read(study, "ann", item.item)
    age(study)
    seen: list[str] = []
    glance = study_module.glance_at
    monkeypatch.setattr(
        study_module, "glance_at", lambda path: (seen.append(path.name), glance(path))[1]
    )
    first = list(study.readings())
    assert len(seen) == 3
    assert list(study.readings()) == first
    assert len(seen) == 3
    item = first_item(study)
    read(study, "ann", item, (4, 5, 2))
    seen.clear()
    assert [r.strokes for r in study.readings() if r.item == item] == [2]
    assert seen == [f"{item}.mmseg"]


def age(study: Study) -> None:
    """Files written a moment ago are not remembered: they could change once more unnoticed."""
    for file in (study.folder / "work").rglob("*"):
        if file.is_file():
            os.utime(file, ns=(10**18, 10**18))


@pytest.mark.parametrize("harm", ["garbage", "gone", "another table", "no json", "a folder"])
def test_a_damaged_index_is_made_again(study, own_cache, harm):
    item = first_item(study)
    read(study, "ann", item)
    age(study)
    before = list(study.readings())
    (index,) = (own_cache / "studies").iterdir()
    if harm == "no json":
        with sqlite3.connect(index) as connection:
            connection.execute("UPDATE file SET facts = '{'")
        connection.close()
    else:
        index.unlink()
    if harm == "garbage":
        index.write_bytes(b"no database at all" * 100)
    elif harm == "another table":
        with sqlite3.connect(index) as connection:
            connection.execute("CREATE TABLE file (x)")
            connection.execute(f"PRAGMA user_version = {study_module._LAYOUT}")
        connection.close()
    elif harm == "a folder":
        index.mkdir()
    assert list(study.readings()) == before
    assert list(study.readings()) == before


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(study, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "file"))
    read(study, "ann", first_item(study))
    age(study)
    assert [r.state for r in study.readings("ann")].count(State.DRAFT) == 1


# What is written by hand


def test_entries_that_cannot_be_used_are_left_out_and_said(study):
    file = study.folder / "study.toml"
    text = file.read_text()
    file.write_text(text.replace('["ann", "bob"]', '["ann", "bob", "../eve", "NUL", "Ann"]'))
    lines = study.folder / "assignments.jsonl"
    lines.write_text(
        lines.read_text()
        + "no json\n"
        + '{"rater": "../eve", "case": "case-001", "item": "aaaaaaaa", "repeat": 0, '
        '"mirrored": false, "proposal_shown": false, "order": 1}\n'
        + '{"rater": "ann", "case": "case-001", "item": "../aaaaaa", "repeat": 0, '
        '"mirrored": false, "proposal_shown": false, "order": 1}\n'
    )
    again = load_study(study.folder)
    assert again.raters == ("ann", "bob")
    assert again.assignments == study.assignments
    assert len(again.problems) == 6
    assert all("\n" not in problem for problem in again.problems)
    assert open_item(again, "ann").item


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "lacks or misstates"),
        ("schema = ", "cannot be understood"),
        ("schema = 2", "newer version"),
        ("schema = 'x'", "lacks or misstates"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused(tmp_path, text, sentence):
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(InputError, match=sentence):
        load_study(tmp_path)


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no study"):
        load_study(tmp_path)


@settings(max_examples=50, deadline=None)
@given(
    name=st.text(max_size=20),
    path=st.text(min_size=1, max_size=20),
    repeats=st.floats(0, 1),
    numbers=st.lists(st.floats(-300, 300), min_size=3, max_size=3),
)
def test_any_text_and_number_survives_the_plans_file(
    tmp_path_factory, name, path, repeats, numbers
):
    affine = np.diag([1.5, -1.0, 1 / 3, 1.0])
    affine[:3, 3] = numbers
    if any("\ud800" <= letter <= "\udfff" for letter in name + path):
        return  # no text in any encoding
    entry = CaseEntry("c", path, "f", Grid((2, 3, 4), affine), "p/x.nii", "msd")
    plan = Plan(name, "glioma", 3, Design(Proposals.RANDOMISED, repeats, True, 2), ("a",), (entry,))
    file = tmp_path_factory.mktemp("plan") / "study.toml"
    file.write_text(plan_text(plan), encoding="utf-8", newline="\n")
    back = read_plan(file)
    assert replace(back, cases=()).__dict__ == replace(plan, cases=()).__dict__
    assert back.cases[0].__dict__ == entry.__dict__


def test_a_study_may_follow_another_protocol(tmp_path, cases):
    made = new_study(tmp_path / "ms", protocol="ms_lesion", cases=cases[:1], raters=["ann"])
    item = first_item(made)
    assert open_item(made, "ann", item).start.protocol.name == "ms_lesion"
    assert load_annotation(made.reading("ann", item)).protocol.name == "ms_lesion"
    with pytest.raises(InputError, match="no protocol"):
        new_study(tmp_path / "none", protocol="liver")


def test_a_copy_touches_nothing_that_is_there(tmp_path, cases):
    folder = tmp_path / "study"
    (folder / "cases").mkdir(parents=True)
    own = folder / "cases" / "case-001"
    cases[1].rename(own)
    before = sorted(own.iterdir())
    with pytest.raises(ExportError, match="with other images: move it out"):
        new_study(folder, cases=[cases[0]], raters=["ann"], copy=True)
    assert sorted(own.iterdir()) == before
    # The same images: a copy that was there already, whole.
    made = new_study(folder, cases=[own], raters=["ann"], copy=True)
    assert made.case_path("case-001") == own
    assert sorted(own.iterdir()) == before


def test_a_copy_that_was_stopped_is_made_again(tmp_path, cases):
    left = tmp_path / "study" / "cases" / ".part.case-001"
    left.mkdir(parents=True)
    (left / "FLAIR.nii.gz").write_bytes(b"half")
    made = new_study(tmp_path / "study", cases=cases[:1], raters=["ann"], copy=True)
    assert [file.name for file in made.case_path("case-001").parent.iterdir()] == ["case-001"]
    assert open_item(made, "ann").case


def test_a_rater_without_readings_has_not_finished_them(tmp_path):
    made = new_study(tmp_path / "study", raters=["ann"])
    with pytest.raises(InputError, match="ann has no readings yet"):
        open_item(made, "ann")
