"""The work file's benchmark measures the file that it makes."""

from __future__ import annotations

from benchmarks import work_file


def test_strokes_come_back_and_are_measured(tmp_path):
    found = work_file.run(n=12, folder=tmp_path)
    assert found["strokes"] == 12
    assert 0 < found["durable_p95_s"] <= found["durable_max_s"]
    assert found["open_work_s"] > 0
    assert found["undo_mib"] < found["undo_limit_mib"]
    assert found["file_mib"] > 0
    assert not list(tmp_path.iterdir())
