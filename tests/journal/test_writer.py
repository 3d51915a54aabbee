"""Writing that fails is said in one sentence, tried again, and loses nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from napari_mmseg.journal import load_work, table

from .desk import blot, opened


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_mmseg.journal.writer.RETRY_SECONDS", 0.05)


def until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_folder_that_cannot_be_reached_and_comes_back(tmp_path):
    away = tmp_path / "drive"
    away.write_text("not a folder")
    told: list[str] = []
    session, journal = opened(away / "w.mmseg", on_trouble=told.append)
    for seed in range(3):
        blot(session, seed)
    until(lambda: told)
    assert told == [
        'The work file is not written, the folder "drive" cannot be reached; '
        "your work goes on in memory and writing is tried again"
    ]
    away.unlink()
    assert journal.writer.flush()
    assert told[1] == "The work file is written again: nothing was lost"
    blot(session, 4)
    assert journal.close()
    np.testing.assert_array_equal(load_work(away / "w.mmseg")[0].memory.codes, session.codes)
    assert len(told) == 2


def test_a_drive_that_goes_away_in_between(tmp_path):
    folder = tmp_path / "drive"
    told: list[str] = []
    session, journal = opened(folder / "w.mmseg", on_trouble=told.append)
    blot(session, 1)
    assert journal.writer.flush()
    folder.rename(tmp_path / "pulled")
    blot(session, 2)
    until(lambda: told)
    assert "cannot be reached" in told[0]
    (tmp_path / "pulled").rename(folder)
    blot(session, 3)
    assert journal.close()
    assert len(load_work(folder / "w.mmseg")[0].entries) == 3


def test_a_file_that_is_moved_away_and_put_back(tmp_path):
    path, told = tmp_path / "w.mmseg", []
    session, journal = opened(path, on_trouble=told.append)
    blot(session, 1)
    assert journal.writer.flush()
    path.rename(tmp_path / "other")
    blot(session, 2)
    until(lambda: told)
    assert "it is no longer in the folder" in told[0]
    (tmp_path / "other").rename(path)
    assert journal.close()
    assert len(load_work(path)[0].entries) == 2


def test_a_full_disk(tmp_path, monkeypatch):
    connect = table.connect
    limit = [8]

    def small(path: Path, create: bool = False) -> sqlite3.Connection:
        connection = connect(path, create)
        connection.execute(f"PRAGMA max_page_count = {limit[0]}")
        return connection

    monkeypatch.setattr(table, "connect", small)
    told: list[str] = []
    session, journal = opened(tmp_path / "w.mmseg", on_trouble=told.append)
    for seed in range(60):
        blot(session, seed)
        until(lambda: told or journal.writer.flush(0.05))
    assert "the disk is full" in told[0]
    at_least, _ = load_work(tmp_path / "w.mmseg")
    assert 0 < len(at_least.entries) < 60
    limit[0] = 10_000
    until(lambda: not journal.writer.trouble)
    assert journal.close()
    work, damaged = load_work(tmp_path / "w.mmseg")
    assert not damaged
    assert len(work.entries) == 60
    np.testing.assert_array_equal(work.memory.codes, session.codes)


def test_closing_without_a_disk_says_that_not_all_was_written(tmp_path):
    (tmp_path / "drive").write_text("not a folder")
    session, journal = opened(tmp_path / "drive" / "w.mmseg")
    blot(session, 1)
    until(lambda: journal.writer.trouble)
    assert not journal.close()
    assert len(session.codes.nonzero()[0])  # the work itself is still in memory


def test_a_disk_that_is_really_full(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip("mounting a small disk needs an administrator")
    try:
        told: list[str] = []
        session, journal = opened(folder / "w.mmseg", on_trouble=told.append)
        for seed in range(150):
            blot(session, seed)
            if told:
                break
            journal.writer.flush(0.5)
        until(lambda: told)
        assert "the disk is full" in told[0]
        assert load_work(folder / "w.mmseg")[1] is False
        journal.close()
    finally:
        subprocess.run(["umount", str(folder)], check=True)
