"""Adjudication: decisions, undo, replay, nesting, and the log on disk."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.agreement.adjudicate import Adjudication
from napari_mmseg.agreement.adjudication_log import open_log
from napari_mmseg.agreement.consensus import consensus
from napari_mmseg.agreement.decisions import Undo, from_plain, to_plain
from napari_mmseg.agreement.panel import codes_sha256
from napari_mmseg.errors import ExportError, GeometryError, InputError

from .raters import ball, said, siblings, tumour

SHAPE = (4, 5, 3)

opinions = arrays(np.uint8, SHAPE, elements=st.sampled_from([0, 0, 1, 2, 3]))
panels = st.lists(opinions, min_size=2, max_size=4)


def by_name(codes: list[np.ndarray], protocol: object = "glioma") -> dict[str, object]:
    return {chr(ord("A") + i): said(one, protocol) for i, one in enumerate(codes)}


def three() -> dict[str, object]:
    """A rim of WT that only B has, an island of C, and an ET that A leaves out."""
    a, b, c = tumour(radius=7), tumour(radius=8), tumour(radius=7)
    a[a == 3] = 2
    c[ball(c.shape, (21, 21, 21), 1.5)] = 1
    return {"A": said(a), "B": said(b), "C": said(c)}


def decide_at_random(adjudication: Adjudication, data: st.DataObject, steps: int) -> None:
    raters = list(adjudication.sources)
    for _ in range(steps):
        what = data.draw(st.sampled_from(["rater", "majority", "consensus", "painted", "undo"]))
        if what == "undo":
            adjudication.undo()
        elif what == "painted":
            code = data.draw(st.integers(0, adjudication.protocol.highest_code))
            where = data.draw(arrays(bool, SHAPE))
            adjudication.take_painted(
                data.draw(st.sampled_from([None, *[d.key for d in adjudication.disputes]])),
                np.where(where, np.uint8(code), adjudication.codes),
            )
        elif adjudication.disputes:
            key = data.draw(st.sampled_from(adjudication.disputes)).key
            if what == "rater":
                adjudication.take_rater(key, data.draw(st.sampled_from(raters)))
            elif what == "majority":
                adjudication.take_majority(key)
            else:
                adjudication.take_consensus(key)


@given(panels, st.data())
@settings(deadline=None, max_examples=60)
def test_the_log_replays_to_the_same_result_exactly(codes, data):
    raters = by_name(codes)
    fused = consensus(raters, "staple").annotation
    before = [codes_sha256(rater) for rater in raters.values()]
    first = Adjudication(raters, consensus=fused, name="eve")
    decide_at_random(first, data, data.draw(st.integers(0, 6)))
    told = json.loads(json.dumps([to_plain(record) for record in first.log]))
    second = Adjudication(raters, consensus=fused, name="other")
    second.replay(from_plain(record) for record in told)
    assert np.array_equal(second.codes, first.codes)
    assert second.log == first.log
    assert second.decisions == first.decisions
    assert second.open == first.open
    result = first.result()
    assert (result.region("WT") >= result.region("TC")).all()
    assert (result.region("TC") >= result.region("ET")).all()
    assert [codes_sha256(rater) for rater in raters.values()] == before


@given(panels, st.data())
@settings(deadline=None, max_examples=40)
def test_undoing_everything_is_the_start(codes, data):
    adjudication = Adjudication(by_name(codes), consensus=consensus(by_name(codes)).annotation)
    start = adjudication.codes.copy()
    decide_at_random(adjudication, data, 5)
    while adjudication.undo():
        pass
    assert np.array_equal(adjudication.codes, start)
    assert adjudication.decisions == ()


@given(st.lists(arrays(np.uint8, SHAPE, elements=st.integers(0, 4)), min_size=2, max_size=3))
@settings(deadline=None, max_examples=40)
def test_a_dispute_is_as_the_rater_has_it_and_nothing_else_is_touched(codes):
    raters = by_name(codes, siblings())
    adjudication = Adjudication(raters)
    for dispute in adjudication.disputes:
        before = adjudication.codes.copy()
        decision = adjudication.take_rater(dispute.key, "B")
        here = np.zeros(SHAPE, bool)
        here[dispute.box] = dispute.mask
        now = adjudication.result()
        wanted = raters["B"].region(dispute.region)
        assert np.array_equal(now.region(dispute.region)[here], wanted[here])
        assert np.array_equal(now.codes[~here], before[~here])
        was = now.with_codes(before)
        for region, counts in decision.changed.items():
            added = (now.region(region) & ~was.region(region)).sum()
            removed = (was.region(region) & ~now.region(region)).sum()
            assert counts == {"added": added, "removed": removed}
    # One rater's side of everything is that rater, siblings or not.
    assert np.array_equal(adjudication.codes, raters["B"].codes)


def test_taking_one_raters_side_of_everything_is_that_rater():
    raters = three()
    adjudication = Adjudication(raters)
    # Parents last would erase children; the rater's own regions nest, so the order is free.
    for dispute in adjudication.disputes:
        adjudication.take_rater(dispute.key, "B")
    assert np.array_equal(adjudication.codes, raters["B"].codes)
    assert adjudication.open == ()


def test_a_decision_tells_who_when_and_what():
    ticks = iter(["2026-01-01T10:00:00+00:00", "2026-01-01T10:01:00+00:00"])
    adjudication = Adjudication(three(), name="eve", clock=lambda: next(ticks))
    island = next(d for d in adjudication.disputes if d.kind == "presence" and d.region == "WT")
    decision = adjudication.take_rater(island.key, "C")
    assert (decision.number, decision.dispute, decision.who) == (1, island.key, "eve")
    assert decision.when == "2026-01-01T10:00:00+00:00"
    assert decision.changed["WT"] == {"added": island.voxels, "removed": 0}
    assert decision.changed["ET"] == {"added": 0, "removed": 0}
    assert adjudication.undo() == decision
    assert adjudication.log[-1] == Undo(1, "eve", "2026-01-01T10:01:00+00:00")
    assert island in adjudication.open


def test_the_result_names_its_sources_and_what_was_left_open():
    raters = three()
    adjudication = Adjudication(raters, name="eve")
    result = adjudication.result()
    assert np.array_equal(result.codes, consensus(raters).annotation.codes)
    assert result.author == "adjudication:eve"
    assert result.provenance.sources == {n: codes_sha256(r) for n, r in raters.items()}
    many = len(adjudication.disputes)
    assert result.provenance.warnings == (
        f"{many} of {many} disputes are open and as the majority has them",
    )
    for dispute in adjudication.disputes:
        adjudication.take_majority(dispute.key)
    assert adjudication.result().provenance.warnings == ()


def test_it_starts_from_a_consensus_where_one_is_given():
    raters = three()
    fused = consensus(raters, "staple").annotation
    adjudication = Adjudication(raters, consensus=fused)
    assert np.array_equal(adjudication.codes, fused.codes)
    assert adjudication.result().provenance.sources["consensus:staple"] == codes_sha256(fused)
    key = adjudication.disputes[0].key
    adjudication.take_rater(key, "A")
    adjudication.take_consensus(key)
    assert np.array_equal(adjudication.codes, fused.codes)


def test_what_is_painted_is_taken_as_a_whole():
    adjudication = Adjudication(three())
    painted = adjudication.codes.copy()
    painted[0, :3, 0] = 1
    painted[12, 12, 12] = 2
    decision = adjudication.take_painted(adjudication.disputes[0].key, painted)
    assert np.array_equal(adjudication.codes, painted)
    assert sum(length for _, length, _ in decision.painted) == 4
    adjudication.undo()
    assert adjudication.codes[0, 0, 0] == 0


def test_codes_cannot_be_written_to_from_outside():
    with pytest.raises(ValueError, match="read-only"):
        Adjudication(three()).codes[0, 0, 0] = 1


def test_what_cannot_be_decided_is_refused():
    adjudication = Adjudication(three())
    key = adjudication.disputes[0].key
    with pytest.raises(InputError, match="no dispute 'WT-99'"):
        adjudication.take_majority("WT-99")
    with pytest.raises(InputError, match="'D' is no rater of this case: choose one of A, B, C"):
        adjudication.take_rater(key, "D")
    with pytest.raises(InputError, match="given no consensus: take the majority"):
        adjudication.take_consensus(key)
    with pytest.raises(InputError, match=r"\(24, 24, 24\) of uint8 are needed"):
        adjudication.take_painted(key, np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(InputError, match="a code that glioma has not"):
        adjudication.take_painted(key, np.full_like(adjudication.codes, 7))
    with pytest.raises(InputError, match="a pseudonym"):
        Adjudication(three(), name=" ")
    with pytest.raises(GeometryError, match="the consensus and A lie on different grids"):
        Adjudication(three(), consensus=said(np.zeros((2, 2, 2), np.uint8)))
    pair = {n: a for n, a in three().items() if n != "C"}
    with pytest.raises(InputError, match="from other labels than these: make it again"):
        Adjudication(three(), consensus=consensus(pair).annotation)
    assert adjudication.undo() is None
    assert adjudication.log == ()


def test_a_log_that_does_not_fit_changes_nothing():
    first = Adjudication(three())
    for dispute in first.disputes[:2]:
        first.take_rater(dispute.key, "B")
    other = three()
    other["B"] = said(tumour(radius=7.5))
    second = Adjudication(other)
    before = second.codes.copy()
    with pytest.raises(InputError):
        second.replay(first.log)
    assert np.array_equal(second.codes, before)
    assert second.log == ()


def test_a_log_resumes_where_it_was(tmp_path):
    path = tmp_path / "adjudication.jsonl"
    first = Adjudication(three(), name="eve")
    log = open_log(path, first)
    for dispute, rater in zip(first.disputes, "BAC", strict=False):
        first.take_rater(dispute.key, rater)
        log.keep()
    first.undo()
    log.keep()
    second = Adjudication(three(), name="ida")
    again = open_log(path, second)
    assert again.notes == ()
    assert np.array_equal(second.codes, first.codes)
    second.take_majority(second.open[0].key)
    again.keep()
    third = Adjudication(three())
    open_log(path, third)
    assert third.log == second.log
    assert [r.who for r in third.log] == ["eve"] * 4 + ["ida"]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert str(tmp_path) not in path.read_text()


def written(path: Path) -> Adjudication:
    adjudication = Adjudication(three())
    log = open_log(path, adjudication)
    for dispute in adjudication.disputes[:3]:
        adjudication.take_rater(dispute.key, "B")
        log.keep()
    return adjudication


def test_a_torn_last_line_is_dropped_and_said(tmp_path):
    path = tmp_path / "log.jsonl"
    before = written(path)
    data = path.read_bytes()
    last = data.rstrip(b"\n").rindex(b"\n") + 1
    for end in (last + 1, last + 40, len(data) - 1):
        path.write_bytes(data[:end])
        adjudication = Adjudication(three())
        log = open_log(path, adjudication)
        assert log.notes == (
            'the last entry of "log.jsonl" was cut off and is dropped: check the last decision',
        )
        assert adjudication.log == before.log[:2]
        adjudication.take_rater(adjudication.disputes[2].key, "B")
        log.keep()
        resumed = Adjudication(three())
        assert open_log(path, resumed).notes == ()
        assert np.array_equal(resumed.codes, before.codes)
    path.write_bytes(data[:last] + b"\0" * 30 + b"\n")
    assert open_log(path, Adjudication(three())).notes


def test_damage_before_the_last_line_is_refused(tmp_path):
    path = tmp_path / "log.jsonl"
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number, wrong in ((1, b'{"decision": 1}\n'), (2, b"nonsense\n"), (1, b"[]\n")):
        damaged = [*lines]
        damaged[number] = wrong
        path.write_bytes(b"".join(damaged))
        with pytest.raises(InputError, match=f'"log.jsonl" is damaged in line {number + 1}'):
            open_log(path, Adjudication(three()))
    path.write_bytes(b"")
    with pytest.raises(InputError, match="no adjudication log, or empty"):
        open_log(path, Adjudication(three()))
    path.write_bytes(b'{"format": "another"}\n')
    with pytest.raises(InputError, match="no adjudication log of this version"):
        open_log(path, Adjudication(three()))


def test_the_log_of_other_labels_is_refused(tmp_path):
    path = tmp_path / "log.jsonl"
    written(path)
    changed = three()
    changed["C"] = said(tumour(radius=5))
    with pytest.raises(InputError, match="the labels of C are not those that were adjudicated"):
        open_log(path, Adjudication(changed))
    with pytest.raises(InputError, match="is the log of other raters"):
        open_log(path, Adjudication({n: a for n, a in three().items() if n != "C"}))
    fused = consensus(three(), "staple").annotation
    with pytest.raises(InputError, match="begun from another consensus"):
        open_log(path, Adjudication(three(), consensus=fused))


def test_the_log_knows_its_tolerance(tmp_path):
    path = tmp_path / "log.jsonl"
    coarse = Adjudication(three(), tolerance_mm=1.0)
    log = open_log(path, coarse)
    coarse.take_rater(coarse.disputes[0].key, "B")
    log.keep()
    with pytest.raises(InputError, match=r"begun with a tolerance of 1\.0 mm, not 0\.0 mm"):
        open_log(path, Adjudication(three()))
    again = Adjudication(three(), tolerance_mm=1.0)
    open_log(path, again)
    assert np.array_equal(again.codes, coarse.codes)


def test_decisions_made_before_a_log_is_there_go_into_it(tmp_path):
    path = tmp_path / "log.jsonl"
    first = Adjudication(three())
    first.take_rater(first.disputes[0].key, "B")
    open_log(path, first)
    with pytest.raises(InputError, match="is there already and decisions were made"):
        open_log(path, first)
    second = Adjudication(three())
    open_log(path, second)
    assert second.log == first.log


def test_a_log_that_another_program_wrote_to_is_left_alone(tmp_path):
    path = tmp_path / "log.jsonl"
    adjudication = Adjudication(three())
    log = open_log(path, adjudication)
    other = Adjudication(three())
    elsewhere = open_log(path, other)
    other.take_rater(other.disputes[0].key, "A")
    elsewhere.keep()
    before = path.read_bytes()
    adjudication.take_rater(adjudication.disputes[0].key, "B")
    with pytest.raises(ExportError, match="was changed by another program"):
        log.keep()
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(ExportError, match=r'"log\.jsonl" was not written: No such file'):
        open_log(tmp_path / "nowhere" / "log.jsonl", Adjudication(three()))


def test_a_folder_in_place_of_a_log_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read: .*, name another file"):
        open_log(tmp_path, Adjudication(three()))


def test_a_full_disk_loses_no_decision(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    adjudication = Adjudication(three())
    log = open_log(path, adjudication)
    adjudication.take_rater(adjudication.disputes[0].key, "B")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ExportError, match="No space left"):
            log.keep()
    assert path.read_bytes() == before
    adjudication.take_rater(adjudication.disputes[1].key, "A")
    log.keep()
    resumed = Adjudication(three())
    open_log(path, resumed)
    assert resumed.log == adjudication.log


@pytest.mark.parametrize("given_first", [True, False])
def test_a_log_goes_on_whether_the_majority_was_given_or_taken(tmp_path, given_first):
    """The command gives the majority as its consensus, the window begins from it without."""
    path = tmp_path / "log.jsonl"
    majority = consensus(three()).annotation
    given, taken = (Adjudication(three(), consensus=c) for c in (majority, None))
    first, second = (given, taken) if given_first else (taken, given)
    log = open_log(path, first)
    keys = [dispute.key for dispute in first.disputes]
    first.take_rater(keys[0], "B")
    if given_first:
        first.take_consensus(keys[0])
    first.take_majority(keys[1])
    log.keep()
    open_log(path, second)
    assert second.decisions == first.decisions
    assert np.array_equal(second.codes, first.codes)
