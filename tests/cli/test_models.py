"""`napari-mmseg models`: list, show, import with terms that have to be accepted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_mmseg.cli import models

from .conftest import Command
from .test_offline import connections


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAPARI_MMSEG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "models"


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """An untrained U-Net of two levels with its manifest."""
    from safetensors.torch import save_file

    from napari_mmseg.models.networks.unet import UNet3d

    folder = tmp_path / "download"
    folder.mkdir()
    network = UNet3d(base=2, levels=2)
    save_file(network.state_dict(), folder / "weights.safetensors")
    manifest = {
        "name": "Theirs",
        "channels": ["T1", "T1ce", "T2", "FLAIR"],
        "outputs": ["WT", "TC", "ET"],
        "normalisation": "minmax",
        "orientation": "LPS",
        "spacing_mm": 1,
        "intended_use": "tests",
        "network": {"kind": "unet", "base": 2, "levels": 2},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "LICENSE.txt").write_text("Do as you like.", encoding="utf-8")
    return folder


def test_import_then_list_show_and_segment(
    run: Command, download: Path, case_folder: Path, tmp_path: Path
) -> None:
    outcome = run("models", "import", download, "--accept-terms", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["name"] == "theirs"
    assert "Do as you like." in outcome.err
    listed = run("models", "list", "--json").json["models"]
    names = [m["name"] for m in listed]
    assert names[0] == "simulated"
    assert "theirs" in names
    shown = run("models", "show", "theirs", "--json").json
    assert shown["card"]["normalisation"] == "minmax"
    assert shown["weights_sha256"] == outcome.json["weights_sha256"]
    target = tmp_path / "s.nii.gz"
    found = run("segment", case_folder, "--model", "theirs", "--out", target, "--json")
    assert found.code == 0, found.err
    assert found.json["model"] == "theirs"
    sidecar = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert "theirs" in json.dumps(sidecar)


def test_words_for_people(run: Command, download: Path) -> None:
    outcome = run("models", "import", download, "--accept-terms", "--name", "ours")
    assert "segment --model ours" in outcome.out
    assert "ours" in run("models", "list").out
    shown = run("models", "show", "ours").out
    assert "as the network gives it" in shown
    assert "fitted to the case" in run("models", "show", "simulated").out
    assert "minmax" in shown
    assert "match their hashes" in shown


def test_terms_have_to_be_accepted(
    run: Command, download: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run("models", "import", download)
    assert outcome.code == 1
    assert "--accept-terms" in outcome.err.strip().splitlines()[-1]
    assert "Do as you like." in outcome.err
    monkeypatch.setattr(models, "is_interactive", lambda: True)
    monkeypatch.setattr(models.typer, "confirm", lambda *_, **__: False)
    outcome = run("models", "import", download)
    assert "nothing was imported" in outcome.err
    assert not own_folders.exists()
    monkeypatch.setattr(models.typer, "confirm", lambda *_, **__: True)
    assert run("models", "import", download).code == 0


def test_bad_input_is_one_sentence(run: Command, tmp_path: Path) -> None:
    assert "does not exist" in run("models", "import", tmp_path / "nothing").sentence
    assert "no model was found" in run("models", "import", tmp_path).sentence
    assert "no model 'nobody'" in run("models", "show", "nobody").sentence


def test_import_opens_no_connection(download: Path, own_folders: Path, tmp_path: Path) -> None:
    command = ["models", "import", str(download), "--accept-terms"]
    assert connections(tmp_path, command, NAPARI_MMSEG_MODELS=str(own_folders)) == ""
    assert (own_folders / "theirs/card.json").exists()
