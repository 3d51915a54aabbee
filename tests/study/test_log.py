"""A log keeps its lines through a crash, and tells when somebody has changed it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.errors import InputError, MmsegError
from napari_mmseg.study.log import add_line, read_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "r" / "x.jsonl"
    for number in range(3):
        add_line(path, {"deed": "note", "comment": f"line {number} – ü"})
    return path


def told(path: Path) -> list[str]:
    return [line.told["comment"] for line in read_log(path).lines]


def test_lines_come_back_in_order(log):
    assert told(log) == ["line 0 – ü", "line 1 – ü", "line 2 – ü"]
    assert read_log(log).problem == ""
    times = [line.at for line in read_log(log).lines]
    assert times == sorted(times)


def test_there_is_no_log_before_the_first_line(tmp_path):
    assert read_log(tmp_path / "none.jsonl").lines == ()


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(1, 400))
def test_a_crash_while_writing_loses_no_line_before_it(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("log") / "x.jsonl"
    add_line(path, {"comment": "one"})
    add_line(path, {"comment": "two"})
    whole = path.read_bytes()
    end_of_first = whole.index(b"\n", 1) + 1
    kept = max(end_of_first, len(whole) - cut)
    path.write_bytes(whole[:kept])
    before = told(path)
    assert before in (["one"], ["one", "two"])
    add_line(path, {"comment": "three"})
    assert told(path) == [*before, "three"]
    assert read_log(path).problem == ""


def test_a_first_line_that_was_torn_stops_nobody(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'\n{"comment": "on')
    add_line(path, {"comment": "one"})
    assert told(path) == ["one"]


@pytest.mark.parametrize("change", ["word", "gone", "swapped", "garbled"])
def test_a_line_changed_by_hand_is_told_of(log, change):
    lines = [line for line in log.read_text(encoding="utf-8").split("\n") if line]
    if change == "word":
        lines[1] = lines[1].replace("line 1", "line 9")
    elif change == "gone":
        del lines[1]
    elif change == "swapped":
        lines[0], lines[1] = lines[1], lines[0]
    else:
        lines[1] = lines[1][:20]
    log.write_text("\n".join(lines), encoding="utf-8")
    found = read_log(log)
    assert "changed by hand" in found.problem
    assert "x.jsonl" in found.problem
    assert "/" not in found.problem
    with pytest.raises(InputError, match="changed by hand"):
        add_line(log, {"comment": "more"})


def test_what_cannot_be_written_is_said(tmp_path):
    (tmp_path / "r").write_text("a file where a folder should be")
    with pytest.raises(MmsegError, match=r"x\.jsonl"):
        add_line(tmp_path / "r" / "x.jsonl", {"a": 1})
