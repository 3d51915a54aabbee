"""The allocator's settings: there in the training process, nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_mmseg.training import memory

GLIBC = memory._on_glibc()


def plain_environment() -> dict[str, str]:
    unset = (memory.VARIABLE, memory.MARK, "MALLOC_ARENA_MAX")
    return {k: v for k, v in os.environ.items() if k not in unset}


def program(folder: Path, name: str) -> Path:
    """A script that asks for the settings, says how it runs, and what a child of it sees."""
    path = folder / name
    path.write_text(
        "import os, subprocess, sys\n"
        "from napari_mmseg.training.memory import MARK, hold_memory, is_held\n"
        "if MARK not in os.environ: print('first', os.getpid(), flush=True)\n"
        "hold_memory()\n"
        "child = 'from napari_mmseg.training.memory import is_held; print(is_held())'\n"
        "inherits = subprocess.check_output([sys.executable, '-c', child], text=True).strip()\n"
        "print('held' if is_held() else 'not', os.getpid(), inherits, sys.argv[1:])\n"
    )
    return path


@pytest.mark.skipif(not GLIBC, reason="the C library is not glibc")
def test_the_program_starts_anew_once_in_the_same_process(tmp_path: Path) -> None:
    script = program(tmp_path, "napari-mmseg")
    done = subprocess.run(
        [sys.executable, str(script), "train", "--seed", "1"],
        capture_output=True, text=True, check=True, env=plain_environment(),
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    pid = first.removeprefix("first ")
    assert second == f"held {pid} True ['train', '--seed', '1']"


def test_another_program_is_left_alone(tmp_path: Path) -> None:
    script = program(tmp_path, "notebook.py")
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True, text=True, check=True, env=plain_environment(),
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].startswith("not ")


def test_what_the_user_has_set_stays() -> None:
    given = {memory.VARIABLE: "glibc.malloc.hugetlb=2", "MALLOC_ARENA_MAX": "4", "HOME": "/x"}
    changed = memory.held_environment(given)
    items = changed[memory.VARIABLE].split(":")
    assert "glibc.malloc.hugetlb=2" in items
    assert "glibc.malloc.hugetlb=1" not in items
    assert not any(item.startswith("glibc.malloc.arena_max") for item in items)
    assert memory.is_held(changed)
    assert changed["HOME"] == "/x"


def test_it_is_asked_for_only_where_it_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["/usr/bin/napari-mmseg", "train"]
    monkeypatch.setattr(memory, "_on_glibc", lambda: True)
    assert memory._wanted(command, {})
    assert memory._wanted(["/x/napari_mmseg/__main__.py"], {})
    assert memory._wanted(["/x/napari_mmseg/cli/__main__.py"], {})
    assert not memory._wanted(["/napari_mmseg/lib/pytest/__main__.py"], {})
    assert not memory._wanted(command, memory.held_environment({}))
    assert not memory._wanted(["pytest"], {})
    monkeypatch.setattr(memory, "_on_glibc", lambda: False)
    assert not memory._wanted(command, {})
