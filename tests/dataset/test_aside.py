"""A folder written aside: whole or not at all, and what the dead left is swept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from napari_mmseg.dataset import LAYOUTS, export_study
from napari_mmseg.dataset.aside import sweep, written_aside

#: Begins to write a folder and waits for a word.
WRITER = """
import sys
from pathlib import Path
from napari_mmseg.dataset.aside import written_aside
with written_aside(Path(sys.argv[1])) as aside:
    (aside / "raters").mkdir()
    (aside / "raters" / "half.nii.gz").write_bytes(b"half")
    print(aside.name, flush=True)
    sys.stdin.readline()
"""


def begin(out: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another program in the middle of writing `out`, and where."""
    program = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(out)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout is not None
    return program, out.parent / program.stdout.readline().strip()


def end(program: subprocess.Popen[str]) -> None:
    program.kill()
    program.communicate()


def test_it_is_there_when_it_is_whole(tmp_path):
    out = tmp_path / "set"
    with written_aside(out) as aside:
        (aside / "a.txt").write_text("a")
        assert not out.exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "a.txt"]


def test_nothing_is_left_of_one_that_failed(tmp_path):
    def fail(out: Path) -> None:
        with written_aside(out) as aside:
            (aside / "a.txt").write_text("a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail(tmp_path / "set")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_export_left_is_swept_by_the_next(finished, tmp_path):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    program, left = begin(shelf / "set")
    other, elsewhere = begin(shelf / "other")
    end(program)
    end(other)
    assert (left / "raters" / "half.nii.gz").exists()
    export_study(finished, shelf / "set", LAYOUTS["brats"])
    # What was left of another dataset is that one's.
    assert {path.name for path in shelf.iterdir()} == {"set", elsewhere.name}


def test_what_somebody_writes_stays(tmp_path):
    program, alive = begin(tmp_path / "set")
    try:
        sweep(tmp_path / "set")
        assert (alive / "raters" / "half.nii.gz").exists()
    finally:
        end(program)
    sweep(tmp_path / "set")
    assert not alive.exists()


def test_folders_of_others_stay(tmp_path):
    program, left = begin(tmp_path / "set")
    end(program)
    # Without a writer, of another computer, of another shape of name.
    bare = tmp_path / ".0123abcd.part.set"
    bare.mkdir()
    far = tmp_path / ".0123abce.part.set"
    shutil.copytree(left, far)
    lock = far / ".writer.lock"
    lock.write_text(lock.read_text().replace('"host": "', '"host": "far-'))
    named = tmp_path / ".mine.part.set"
    shutil.copytree(left, named)
    sweep(tmp_path / "set")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [bare.name, far.name, named.name]
    )
