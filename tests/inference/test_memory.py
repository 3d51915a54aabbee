"""Free memory, within a container too."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from napari_mmseg.inference import memory
from napari_mmseg.models import Network

GB = 10**9


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cgroup with a limit of 8 GB that uses 7, of which 5 are pages of files read before."""

    class Machine:
        available = 20 * GB

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Machine)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text(f"{8 * GB}\n")
    (tmp_path / "memory.current").write_text(f"{7 * GB}\n")
    (tmp_path / "memory.stat").write_text(f"anon {2 * GB}\ninactive_file {5 * GB}\n")
    return tmp_path


def test_pages_of_files_count_as_free(container: Path) -> None:
    assert memory.free_bytes() == 6 * GB


def test_the_machine_may_have_less_than_the_limit(
    container: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil.virtual_memory(), "available", GB)
    assert memory.free_bytes() == GB


@pytest.mark.parametrize("limit", ["max", None])
def test_without_a_limit_the_machine_counts(container: Path, limit: str | None) -> None:
    if limit is None:
        (container / "memory.max").unlink()
    else:
        (container / "memory.max").write_text(limit)
    assert memory.free_bytes() == 20 * GB


def test_networks_of_several_branches_hold_more() -> None:
    unet, cmff = (memory.channels_held(Network(kind, 16, 5, 4, 3)) for kind in ("unet", "cmff"))
    assert unet == 16
    assert cmff > 2 * unet
