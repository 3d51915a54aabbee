"""The kill benchmark: what counts as lost, corrupt and violated."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from journal.desk import blot, opened

from benchmarks import kill
from benchmarks._kill_robot import State, checksum
from napari_mmseg.editing import EditSession

KILLED_AT = 100.0


def worked(folder: Path, seeds: range) -> list[State]:
    """What a robot tells that is killed once all is written."""
    session, journal = opened(folder / "w.mmseg")
    states = [state_of(session, 0)]
    for number, seed in enumerate(seeds, start=1):
        blot(session, seed)
        states.append(state_of(session, number))
    assert journal.close()
    return states


def state_of(session: EditSession, count: int) -> State:
    when = KILLED_AT - 1 + count / 10
    return State(count, checksum(session.codes), session.undo_depth, session.redo_depth, when)


def test_all_that_was_told_is_there(tmp_path):
    found, judged = kill.judge(tmp_path, None, worked(tmp_path, range(4)), KILLED_AT)
    assert judged == kill.Round(acts=4)
    assert found is not None
    assert found.entries == 4
    again, judged = kill.judge(tmp_path, found, worked(tmp_path, range(4, 6)), KILLED_AT)
    assert judged == kill.Round(acts=2)
    assert again is not None
    assert again.entries == 6


def test_what_is_not_in_the_file_is_lost(tmp_path):
    states = worked(tmp_path, range(3))
    more = [State(n, 0, n, 0, KILLED_AT - 0.3 / (n - 3)) for n in (4, 5)]
    _, judged = kill.judge(tmp_path, None, [*states, *more], KILLED_AT)
    assert (judged.acts, judged.lost, judged.is_violated) == (5, 2, False)
    assert judged.oldest_lost == pytest.approx(0.3)
    empty = tmp_path / "empty"
    empty.mkdir()
    found, judged = kill.judge(empty, None, states, KILLED_AT)
    assert found is None
    assert (judged.lost, judged.is_corrupt) == (3, False)


def test_other_labels_or_another_history_are_violations(tmp_path):
    states = worked(tmp_path, range(3))
    for wrong in ({"codes": 1}, {"undo": 9}, {"redo": 1}):
        told = [*states[:-1], states[-1]._replace(**wrong)]
        _, judged = kill.judge(tmp_path, None, told, KILLED_AT)
        assert judged.is_violated


def test_a_window_that_opens_something_else_is_a_violation(tmp_path):
    found, _ = kill.judge(tmp_path, None, worked(tmp_path, range(3)), KILLED_AT)
    states = worked(tmp_path, range(3, 5))
    states[0] = states[0]._replace(codes=states[0].codes ^ 1)
    assert kill.judge(tmp_path, found, states, KILLED_AT)[1].is_violated


def test_killed_while_opening_nothing_may_have_changed(tmp_path):
    found, _ = kill.judge(tmp_path, None, worked(tmp_path, range(3)), KILLED_AT)
    assert kill.judge(tmp_path, found, [], KILLED_AT) == (found, kill.Round(acts=0))
    worked(tmp_path, range(3, 4))
    assert kill.judge(tmp_path, found, [], KILLED_AT)[1].is_violated
    (tmp_path / "w.mmseg").unlink()
    assert kill.judge(tmp_path, found, [], KILLED_AT)[1].is_corrupt


def test_a_torn_file_is_corrupt(tmp_path):
    states = worked(tmp_path, range(8))
    file = tmp_path / "w.mmseg"
    file.write_bytes(file.read_bytes()[:-5000])
    assert kill.judge(tmp_path, None, states, KILLED_AT)[1].is_corrupt
    file.write_text("nothing" * 999)
    assert kill.judge(tmp_path, None, states, KILLED_AT)[1].is_corrupt


def test_a_child_that_paints_can_be_killed(tmp_path, monkeypatch):
    """The pipes and the SIGKILL, with a robot that needs no screen."""
    if not hasattr(os, "fork"):
        pytest.skip("children are forked here, so that they know the robot of this test")

    def paint(orders, told):
        told.send("ready")
        _, seed = orders.recv()
        for count in range(10**6):
            told.send(State(count, seed, count, 0, time.monotonic()))
            time.sleep(0.001)

    monkeypatch.setattr(kill.robot, "paint", paint)
    painter = kill.Painter()
    painter.awaited()
    states, killed_at = painter.killed(tmp_path, 5, 0.05, while_opening=False)
    assert [state.count for state in states] == list(range(len(states)))
    assert len(states) > 2
    assert states[-1].at <= killed_at + 0.01
    assert not painter._process.is_alive()
