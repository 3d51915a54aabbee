"""What a user names: a folder, or a zip that may be damaged or hostile."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from napari_mmseg.errors import ModelError
from napari_mmseg.models.importers import open_source, read_foreign, source


def pack(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_folder_is_itself(tmp_path: Path) -> None:
    with open_source(tmp_path) as folder:
        assert folder == tmp_path


def test_a_zip_is_unpacked_for_as_long_as_it_is_read(tmp_path: Path) -> None:
    members = {"top/manifest.toml": b"name", "top/LICENSE": b"free", "top/run.py": b"print()"}
    path = pack(tmp_path / "model.zip", **members)
    with open_source(path) as folder:
        assert folder.name == "model"
        assert (folder / "top/manifest.toml").read_bytes() == b"name"
        assert (folder / "top/LICENSE").read_bytes() == b"free"
        assert not (folder / "top/run.py").exists()  # programs stay packed
    assert not folder.exists()


@pytest.mark.parametrize(
    "name", ["../evil.json", "a/../../evil.json", "/evil.json", "C:/evil.json", "a\\..\\evil.json"]
)
def test_a_zip_that_would_write_elsewhere(name: str, tmp_path: Path) -> None:
    with (
        pytest.raises(ModelError, match="leads out of its folder"),
        open_source(pack(tmp_path / "model.zip", **{name: b"{}"})),
    ):
        pass
    assert not list(tmp_path.rglob("evil*"))


def test_a_zip_with_a_link(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("manifest.toml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="the link"), open_source(tmp_path / "model.zip"):
        pass


def test_a_zip_that_swells(tmp_path: Path) -> None:
    path = pack(tmp_path / "bomb.zip", **{"weights.pt": bytes(64 * 2**20)})
    assert path.stat().st_size < 2**20
    with pytest.raises(ModelError, match="refused as a trap"), open_source(path):
        pass


def test_a_zip_larger_than_any_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_BYTES", 1000)
    path = pack(tmp_path / "model.zip", **{"a.json": bytes(600), "b.json": bytes(600)})
    with pytest.raises(ModelError, match="more than any model"), open_source(path):
        pass
    monkeypatch.setattr(source, "MOST_MEMBERS", 1)
    with pytest.raises(ModelError, match="holds 2 files"), open_source(path):
        pass


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_zip(share: float, tmp_path: Path) -> None:
    path = pack(tmp_path / "model.zip", **{"manifest.toml": bytes(range(256)) * 40})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match="no readable zip file"), open_source(path):
        pass


def test_a_zip_with_damaged_content(tmp_path: Path) -> None:
    path = pack(tmp_path / "model.zip", **{"manifest.toml": bytes(range(256)) * 40})
    content = bytearray(path.read_bytes())
    content[80:90] = bytes(10)
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"), open_source(path):
        pass


def test_members_that_cannot_lie_side_by_side(tmp_path: Path) -> None:
    path = pack(tmp_path / "model.zip", **{"a.json": b"{}", "a.json/b.json": b"{}"})
    with pytest.raises(ModelError, match="cannot be unpacked"), open_source(path):
        pass


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"), open_source(tmp_path / "nowhere"):
        pass
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ModelError, match="no folder and no readable zip"):  # noqa: SIM117
        with open_source(tmp_path / "notes.txt"):
            pass
    with pytest.raises(ModelError, match="no model was found"):
        read_foreign(tmp_path)
