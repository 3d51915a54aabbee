"""Nothing is lost: backups, full disks, read-only folders, files that are open elsewhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import ExportError
from napari_mmseg.grid import Grid
from napari_mmseg.io import export
from napari_mmseg.io.safe_write import Draft, replace_files
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

TMPFS_BYTES = 256 * 1024


def _nothing(_: Path) -> None:
    """A check that always passes."""


def _annotation(side: int = 4) -> Annotation:
    codes = np.random.default_rng(0).integers(0, 4, (side,) * 3).astype(np.uint8)
    grid = Grid((side,) * 3, np.eye(4))
    source = SourceSpace.of(grid)
    return Annotation(codes, source.display_grid, load_protocol(), source)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_new_file(tmp_path: Path) -> None:
    assert replace_files([Draft(tmp_path / "a.txt", b"new", _nothing)]) == ()
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_every_old_file_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    for text in (b"one", b"two", b"three"):
        backups = replace_files([Draft(target, text, _nothing)])
    assert backups == (tmp_path / "a.txt.2.bak",)
    assert target.read_bytes() == b"three"
    assert (tmp_path / "a.txt.1.bak").read_bytes() == b"one"
    assert (tmp_path / "a.txt.2.bak").read_bytes() == b"two"


def test_kept_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on FAT and many network shares."""

    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    assert replace_files([Draft(target, b"new", _nothing)]) == (tmp_path / "a.txt.1.bak",)
    assert (target.read_bytes(), (tmp_path / "a.txt.1.bak").read_bytes()) == (b"new", b"old")


@pytest.mark.parametrize("links", [True, False])
def test_open_in_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Windows refuses to rename over an open file; the first of two goes back as it was."""
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_bytes(b"old a")
    second.write_bytes(b"old b")
    rename = Path.replace

    def locked(self: Path, target: Path) -> Path:
        if target == second and ".part." in self.name:
            raise PermissionError(13, "The process cannot access the file")
        return rename(self, target)

    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "replace", locked)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(ExportError, match=r'"b\.txt" was not replaced: it is open in another'):
        replace_files([Draft(first, b"new a", _nothing), Draft(second, b"new b", _nothing)])
    assert (first.read_bytes(), second.read_bytes()) == (b"old a", b"old b")
    assert {p.name for p in tmp_path.iterdir()} == {"a.txt", "b.txt"}


def test_what_fails_its_check_is_not_put_in_place(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")

    def wrong(path: Path) -> None:
        assert path.read_bytes() == b"new"
        assert path.parent == tmp_path
        raise ExportError("did not read back")

    with pytest.raises(ExportError, match="did not read back"):
        replace_files([Draft(target, b"new", wrong)])
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match='the folder "absent" does not exist'):
        export(_annotation(), tmp_path / "absent" / "seg.nii.gz")


def test_full_disk(small_disk: Path) -> None:
    old = export(_annotation(), small_disk / "seg.nii").files[0].read_bytes()
    (small_disk / "filler").write_bytes(bytes(TMPFS_BYTES // 2))
    before = {p.name for p in small_disk.iterdir()}
    with pytest.raises(ExportError, match="the disk is full"):
        export(_annotation(side=60), small_disk / "seg.nii")
    assert {p.name for p in small_disk.iterdir()} == before
    assert (small_disk / "seg.nii").read_bytes() == old


def test_read_only_disk(small_disk: Path) -> None:
    """A read-only mount: as root a mode bit proves nothing."""
    old = export(_annotation(), small_disk / "seg.nii").files[0].read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(ExportError, match="is read-only"):
        export(_annotation(), small_disk / "seg.nii")
    assert (small_disk / "seg.nii").read_bytes() == old


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 245 + ".txt")
    with pytest.raises(ExportError, match="too long, choose a shorter"):
        replace_files([Draft(target, b"new", lambda path: None)])
    assert not list(tmp_path.iterdir())
