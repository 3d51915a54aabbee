"""One window writes; the second is told who does, and a lock that nobody holds is taken over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_mmseg.editing import Footprint, Mode, Stroke
from napari_mmseg.journal import InUse, load_work
from napari_mmseg.journal.lock import STALE_SECONDS, Lock, lock_file, read_holder

from .desk import blot, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "w.mmseg"


def held_by(path: Path, silent_seconds: float = 0.0, **changes: object) -> None:
    """A lock of somebody else, whose last heartbeat was some seconds ago."""
    told = {"host": "desk7", "pid": 4321, "began": 1.0, "token": "other", **changes}
    lock_file(path).write_text(json.dumps(told))
    at = time.time() - silent_seconds
    os.utime(lock_file(path), (at, at))


def test_the_second_window_is_told_and_cannot_change_anything(path):
    first, one = opened(path)
    blot(first, 1)
    one.writer.flush()
    second, two = opened(path)
    assert f"process {os.getpid()}" in two.opening.notes[0]
    np.testing.assert_array_equal(second.codes, first.codes)
    told: list[str] = []
    second.on_refused.append(told.append)
    before = path.read_bytes()
    everywhere = Footprint((0, 0, 0), np.ones(second.codes.shape, bool))
    second.apply(Stroke("ET", Mode.SET, everywhere))
    second.replace(np.zeros_like(second.codes), "model")
    second.put((np.array([0]), np.array([0]), np.array([0])), 3, "voxels")
    second.undo()
    assert len(told) == 4
    np.testing.assert_array_equal(second.codes, first.codes)
    assert two.close()
    assert path.read_bytes() == before
    assert one.close()
    third, three = opened(path)
    assert not third.is_frozen
    three.close()
    assert not lock_file(path).exists()


def test_another_computer_s_lock_counts_while_it_beats(path):
    held_by(path)
    with pytest.raises(InUse, match=r"desk7 \(process 4321\)"):
        Lock.take(path)
    held_by(path, silent_seconds=STALE_SECONDS + 1)
    lock = Lock.take(path)
    assert read_holder(lock_file(path)) == lock.holder
    lock.release()
    assert list(path.parent.iterdir()) == []


def test_the_lock_of_a_process_that_ended_is_taken_at_once(path):
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom napari_mmseg.journal.lock import Lock\n"
        "Lock.take(Path(sys.argv[1]))\nos._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    ended = read_holder(lock_file(path))
    assert ended is not None
    assert ended.pid != os.getpid()
    lock = Lock.take(path)
    assert read_holder(lock_file(path)) == lock.holder
    lock.release()


def test_a_lock_that_makes_no_sense_is_taken_over(path):
    lock_file(path).write_text("{")
    lock = Lock.take(path)
    assert read_holder(lock_file(path)) == lock.holder
    lock.release()


def test_whoever_lost_the_lock_stops_writing_and_says_so(path, monkeypatch):
    monkeypatch.setattr("napari_mmseg.journal.writer.BEAT_SECONDS", 0.05)
    told: list[str] = []
    session, journal = opened(path, on_trouble=told.append)
    blot(session, 1)
    journal.writer.flush()
    held_by(path)
    end = time.monotonic() + 10
    while not told and time.monotonic() < end:
        time.sleep(0.02)
    assert "taken over by desk7" in told[0]
    blot(session, 2)
    assert not journal.close()
    assert len(load_work(path)[0].entries) == 1
    assert read_holder(lock_file(path)).host == "desk7"


def test_the_heart_beats(path):
    lock = Lock.take(path)
    os.utime(lock_file(path), (1.0, 1.0))
    assert lock.beat() is None
    assert time.time() - lock_file(path).stat().st_mtime < 60
    lock_file(path).unlink()
    assert lock.beat() is None
    assert read_holder(lock_file(path)) == lock.holder
    lock.release()
