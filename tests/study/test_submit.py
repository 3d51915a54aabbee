"""Which step may follow which, who writes what, and that a refusal is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_mmseg.errors import InputError
from napari_mmseg.journal.lock import lock_file
from napari_mmseg.study import (
    Design,
    Proposals,
    State,
    Study,
    check,
    load_study,
    lock,
    new_study,
    note,
    open_item,
    open_review,
    reopen,
    reviewable,
    sign_off,
    submit,
    unlock,
)
from napari_mmseg.study.log import read_log
from napari_mmseg.study.states import Standing
from napari_mmseg.study.study import LEDGER, REVIEWS

from .desk import draw, first_item, read, sit


@pytest.fixture
def study(tmp_path: Path, cases: list[Path]) -> Study:
    return new_study(tmp_path / "study", seed=1, cases=cases[:2], raters=["ann", "bob"])


DEEDS = {
    "submit": lambda s, i: submit(s, "ann", i),
    "reopen": lambda s, i: reopen(s, "ann", i),
    "note": lambda s, i: note(s, "ann", i, comment="x"),
    "lock": lambda s, i: lock(s, [i], "boss"),
    "unlock": lambda s, i: unlock(s, [i], "boss"),
    "sign": lambda s, i: sign_off(s, [i], "boss"),
}

#: From each state: what may be done, and where it leads.
STEPS = {
    State.WAITING: {"submit": State.SUBMITTED, "note": State.DRAFT},
    State.DRAFT: {"submit": State.SUBMITTED, "note": State.DRAFT},
    State.SUBMITTED: {"reopen": State.DRAFT, "lock": State.LOCKED},
    State.LOCKED: {"unlock": State.SUBMITTED, "sign": State.SIGNED_OFF},
    State.SIGNED_OFF: {"unlock": State.SUBMITTED},
}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deeds=st.lists(st.sampled_from(sorted(DEEDS)), max_size=8))
def test_only_the_steps_of_the_table_are_taken(study, deeds):
    item = first_item(study)
    for file in (study.folder / "work" / "ann").iterdir():
        file.unlink()
    (study.folder / LEDGER).unlink(missing_ok=True)
    state = State.WAITING
    for deed in deeds:
        if deed in STEPS[state]:
            DEEDS[deed](study, item)
            state = STEPS[state][deed]
        else:
            with pytest.raises(InputError, match=item) as refusal:
                DEEDS[deed](study, item)
            assert "\n" not in str(refusal.value)
        assert study.reading("ann", item).state is state
    assert list(check(study)) == []
    assert next(r.state for r in study.readings() if r.item == item) is state


def test_what_the_rater_says_is_kept(study):
    item = first_item(study)
    note(study, "ann", item, confidence=2, comment=" motion in FLAIR ")
    made = submit(study, "ann", item, confidence=4, not_gradable="T1ce is missing")
    assert (made.confidence, made.comment) == (4, "motion in FLAIR")
    assert made.not_gradable == "T1ce is missing"
    assert made.submitted_at is not None
    (listed,) = [i for i in study.worklist("ann") if i.item == item]
    assert (listed.confidence, listed.not_gradable) == (4, "T1ce is missing")


def test_a_confidence_is_one_to_five(study):
    for wrong in (0, 6, -1):
        with pytest.raises(InputError, match="1 to 5"):
            submit(study, "ann", first_item(study), confidence=wrong)
    assert study.reading("ann", first_item(study)).state is State.WAITING


def test_a_submitted_reading_opens_read_only_with_what_was_drawn(study):
    item = first_item(study)
    read(study, "ann", item)
    submit(study, "ann", item)
    before = snapshot(study)
    sitting = open_item(study, "ann", item)
    assert "reopen" in sitting.read_only
    assert sitting.memory is not None
    assert sitting.memory.codes.sum() == 12
    assert snapshot(study) == before
    reopen(study, "ann", item, "saw it wrong")
    assert open_item(study, "ann", item).read_only == ""
    lines = read_log(study.folder / "work" / "ann" / f"{item}.jsonl").lines
    assert [line.told["deed"] for line in lines] == ["submit", "reopen"]
    assert lines[1].told["reason"] == "saw it wrong"


def snapshot(study: Study) -> dict[str, bytes]:
    """Every file of the study."""
    files = (f for f in study.folder.rglob("*") if f.is_file())
    return {str(f.relative_to(study.folder)): f.read_bytes() for f in files}


def test_locking_writes_nothing_into_the_raters_files(study):
    item = first_item(study)
    read(study, "ann", item)
    submit(study, "ann", item)
    before = snapshot(study)
    lock(study, [item], "boss")
    sign_off(study, [item], "chief")
    after = snapshot(study)
    assert set(after) - set(before) == {LEDGER}
    assert all(after[name] == data for name, data in before.items())
    told = [line.told for line in read_log(study.folder / LEDGER).lines]
    assert [(t["deed"], t["by"]) for t in told] == [("lock", "boss"), ("sign", "chief")]


def test_several_are_locked_or_none(study):
    one, two = (i.item for i in study.worklist("ann"))
    submit(study, "ann", one)
    with pytest.raises(InputError, match=two):
        lock(study, [one, two], "boss")
    assert study.reading("ann", one).state is State.SUBMITTED


def test_labels_changed_after_they_were_submitted_are_found(study):
    item = first_item(study)
    read(study, "ann", item)
    submit(study, "ann", item)
    assert list(check(study)) == []
    _, edit, journal = sit(study, "ann", item)  # past the screen, which would refuse
    draw(edit, (3, 5, 3))
    journal.close()
    (found,) = check(study)
    assert "other labels than were submitted" in found.sentence


def test_a_reading_changed_after_it_was_locked_is_found(study):
    item = first_item(study)
    submit(study, "ann", item)
    lock(study, [item], "boss")
    from napari_mmseg.study.log import add_line

    add_line(study.folder / "work" / "ann" / f"{item}.jsonl", {"deed": "reopen"})
    assert study.reading("ann", item).state is State.LOCKED
    assert ["after it was locked" in f.sentence for f in check(study)] == [True]


def test_nobody_submits_a_file_that_is_open_in_another_program(study):
    item = first_item(study)
    made = read(study, "ann", item)
    holder = {"host": "desk7", "pid": 4321, "began": 1.0, "token": "t"}
    lock_file(made.path).write_text(json.dumps(holder))
    with pytest.raises(InputError, match="desk7"):
        submit(study, "ann", item)


def test_a_review_is_written_down_and_changes_nothing(study):
    item = first_item(study)
    made = read(study, "ann", item)
    before = snapshot(study)
    sitting = open_review(study, "boss", item)
    assert "cannot be changed" in sitting.read_only
    assert sitting.memory is not None
    np.testing.assert_array_equal(sitting.memory.codes.sum(), 12)
    (line,) = read_log(study.folder / REVIEWS).lines
    assert (line.told["by"], line.told["rater"], line.told["item"]) == ("boss", "ann", made.item)
    after = snapshot(study)
    assert set(after) - set(before) == {REVIEWS}
    assert all(after[name] == data for name, data in before.items())


def test_a_rater_reviews_nobody_before_all_own_readings_are_submitted(study):
    item = first_item(study)
    with pytest.raises(InputError, match="still has readings"):
        open_review(study, "bob", item)
    assert not (study.folder / REVIEWS).exists()
    for own in study.worklist("bob"):
        submit(study, "bob", own.item)
    assert open_review(study, "bob", item).rater == "ann"


def test_begun_readings_are_listed_for_those_who_may_look(study):
    item = first_item(study)
    read(study, "ann", item)
    assert [r.item for r in reviewable(study, "boss")] == [item]
    with pytest.raises(InputError, match="still has readings"):
        reviewable(study, "bob")
    with pytest.raises(InputError):
        reviewable(study, "../bob")


def test_nothing_is_shown_that_cannot_be_written_down(study):
    (study.folder / REVIEWS).mkdir()
    with pytest.raises(Exception, match=REVIEWS):
        open_review(study, "boss", first_item(study))


def test_an_empty_log_stands_for_nothing_said():
    assert not Standing().is_submitted


def test_a_study_can_be_moved(study, tmp_path):
    submit(study, "ann", first_item(study))
    moved = study.folder.rename(tmp_path / "elsewhere")
    again = load_study(moved)
    assert again.reading("ann", first_item(again)).state is State.SUBMITTED
    assert open_item(again, "bob").case.volumes


def test_nothing_is_handed_in_before_its_proposal_is_made(tmp_path, cases):
    design = Design(proposal=Proposals.SHOWN)
    made = new_study(tmp_path / "s", seed=1, design=design, cases=cases[:1], raters=["ann"])
    item = first_item(made)
    with pytest.raises(InputError, match="the model's proposal, which is not there yet"):
        submit(made, "ann", item)
    assert made.reading("ann", item).state is State.WAITING
    # That images are of no use can be said without.
    assert submit(made, "ann", item, not_gradable="no FLAIR").state is State.SUBMITTED
