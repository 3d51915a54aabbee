"""The latency benchmark: its window's mouse and keys reach napari, its sums are right."""

from __future__ import annotations

import os
import sys
from shutil import which
from typing import Any

import numpy as np
import pytest

from benchmarks import latency
from benchmarks._display import display, environment
from benchmarks._latency_case import CENTRE, SHAPE, target
from benchmarks._latency_desk import LEAST_ROUNDS, NAPARI_SIZE, Taken, _line, _rounds
from benchmarks._latency_window import Seen, Window


def test_the_made_up_tumour_is_nested_and_lies_in_the_head():
    codes = target()
    assert codes.shape == SHAPE
    assert codes[CENTRE] == 3
    assert set(np.unique(codes)) == {0, 1, 2, 3}
    assert not codes[0].any()


def test_a_line_runs_through_one_slice_of_the_image():
    for number in range(30):
        line = np.array(_line(number))
        assert (line[:, 0] == CENTRE[0]).all()
        assert (line >= 0).all()
        assert (line < SHAPE).all()


def test_rounds_end_with_the_time_but_some_are_always_measured():
    assert list(_rounds(5, 60.0)) == [-1, 0, 1, 2, 3, 4]
    assert list(_rounds(9, -1.0)) == list(range(-1, LEAST_ROUNDS))
    assert list(_rounds(1, -1.0)) == [-1, 0]


def test_ratios_are_of_p95s_and_one_slow_round_does_not_spoil_them():
    quiet = [(Seen(2.0, 30.0, 40.0), Seen(1.0, 20.0, 20.0))] * 10
    busy = [(Seen(2.0, 900.0, 40.0), Seen(1.0, 20.0, 20.0))] * 10
    row = latency.row([quiet, busy, quiet])
    assert (row["handled_ratio"], row["ratio"], row["work_ratio"]) == (2.0, 1.5, 2.0)
    assert (row["ours_ms"], row["napari_ms"], row["samples"]) == (900.0, 20.0, 30)
    assert latency.worst({"nested 2D": row, "nested 3D": {**row, "ratio": 9.0}}, "nested") == 9.0


def test_undo_names_the_slowest_kind_of_step():
    told = latency.undo_times(
        {
            "undo a": [Taken(0.01, 0.01, 0.003)] * 9,
            "redo b": [Taken(0.02, 0.02, 0.004), Taken(0.04, 0.02, 0.005)],
        }
    )
    assert told["undo_worst"] == {"redo b": 0.03}
    assert told["undo_samples"] == 11
    assert 0.02 <= told["undo_p95_s"] <= 0.04
    assert 0.004 <= told["undo_handled_p95_s"] <= 0.005


def test_variables_are_only_set_for_as_long_as_they_are_wanted(monkeypatch):
    monkeypatch.setenv("MMSEG_THERE", "before")
    with environment(MMSEG_THERE="now", MMSEG_NEW="now"):
        assert (os.environ["MMSEG_THERE"], os.environ["MMSEG_NEW"]) == ("now", "now")
    assert os.environ["MMSEG_THERE"] == "before"
    assert "MMSEG_NEW" not in os.environ


@pytest.mark.skipif(sys.platform != "linux", reason="a screen is made up on Linux only")
@pytest.mark.skipif(which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_screen_is_made_up_where_there_is_none(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    with display():
        assert os.environ["DISPLAY"].startswith(":")
    assert "DISPLAY" not in os.environ
    monkeypatch.setenv("DISPLAY", ":7")
    with display():
        assert os.environ["DISPLAY"] == ":7"


def test_the_window_s_mouse_and_keys_reach_napari(make_napari_viewer: Any) -> None:
    from qtpy.QtCore import Qt

    viewer = make_napari_viewer(show=True)
    layer = viewer.add_labels(np.zeros((5, 40, 40), np.uint8))
    layer.mode, layer.brush_size = "paint", 3
    window = Window(viewer)
    window.settle(0.3)
    seen = window.stroke([(2, 20, 10), (2, 20, 15), (2, 20, 20)], layer)
    assert len(seen) == 2
    assert all(0 < one.handled <= one.work for one in seen)
    assert all(one.drawn > 0 for one in seen)
    assert (layer.data[2, 20, 10:21] == 1).all()
    assert not np.delete(layer.data, 2, axis=0).any()
    window.key(Qt.Key.Key_Right)
    assert viewer.dims.current_step[0] == 3
    assert NAPARI_SIZE % 2 == 1
    viewer.close()
