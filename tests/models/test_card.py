"""A model's card: read whole or refused in one sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from napari_mmseg.errors import ModelError
from napari_mmseg.models import read_card
from napari_mmseg.volume import Modality

CARD: dict[str, Any] = {
    "name": "tiny",
    "version": "1",
    "network": {"kind": "unet", "base": 4, "levels": 3, "in": 4, "out": 3},
    "channels": ["T1", "T1ce", "T2", "FLAIR"],
    "regions": ["WT", "TC", "ET"],
    "orientation": "IPL",
    "spacing_mm": 1.0,
    "stride": 4,
    "output": "probabilities",
    "files": {"tiny.safetensors": "", "tiny.xml": "", "tiny.bin": ""},
    "thresholds": {"WT": 0.5, "TC": 0.4, "ET": 0.3},
    "not_for": ["children"],
}


def write(folder: Path, **changes: Any) -> Path:
    card = {key: value for key, value in (CARD | changes).items() if value is not None}
    files = dict(card.get("files", {}))
    for name in files:
        if Path(name).name == name:
            (folder / name).write_bytes(name.encode())
            files[name] = hashlib.sha256(name.encode()).hexdigest()
    if "files" in card:
        card["files"] = files
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def test_what_a_card_says(tmp_path: Path) -> None:
    card = read_card(write(tmp_path))
    assert card.channels == (Modality.T1, Modality.T1CE, Modality.T2, Modality.FLAIR)
    assert card.regions == ("WT", "TC", "ET")
    assert card.thresholds == {"WT": 0.5, "TC": 0.4, "ET": 0.3}
    assert card.protocol == "glioma"
    assert card.weights_sha256 == hashlib.sha256(b"tiny.safetensors").hexdigest()
    assert card.normalisation == "robust"
    assert card.window is None
    assert card.details["not_for"] == ["children"]
    assert card.read_verified(".bin") == b"tiny.bin"


@pytest.mark.parametrize("key", [k for k in CARD if k != "not_for"])
def test_an_entry_that_is_missing_is_named(key: str, tmp_path: Path) -> None:
    write(tmp_path, **{key: None})
    with pytest.raises(ModelError, match=f"not a complete model card: it lacks '{key}'"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": ["T1", "CT", "T2", "FLAIR"]}, "CT"),
        ({"orientation": "IPI"}, "'IPI' is no orientation"),
        ({"output": "labels"}, "output is 'labels'"),
        ({"spacing_mm": 0}, "positive"),
        ({"stride": 0}, "positive"),
        ({"channels": ["T1"]}, "do not match"),
        ({"files": {"../outside.bin": ""}}, "own folder"),
        ({"network": []}, "indices"),
        ({"normalisation": "histogram"}, "normalisation is 'histogram', not one of robust"),
        ({"window": [8, 8]}, "unpack"),
        ({"window": [8, 0, 8]}, "three positive sides"),
        ({"thresholds": {"WT": 0.5, "TC": 0.5}}, "it lacks 'ET'"),
    ],
)
def test_an_entry_that_cannot_be(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    write(tmp_path, **changes)
    with pytest.raises(ModelError, match=said) as refusal:
        read_card(tmp_path)
    assert "\n" not in str(refusal.value)


def test_no_card_or_no_json(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no card\.json"):
        read_card(tmp_path)
    (tmp_path / "card.json").write_text("<html>", encoding="utf-8")
    with pytest.raises(ModelError, match="not a readable model card"):
        read_card(tmp_path)
    (tmp_path / "card.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="not a readable model card"):
        read_card(tmp_path)


def test_a_file_is_read_only_if_it_is_the_one_the_card_names(tmp_path: Path) -> None:
    card = read_card(write(tmp_path))
    (tmp_path / "tiny.bin").write_bytes(b"tiny.biN")
    with pytest.raises(ModelError, match=r"tiny\.bin is truncated, damaged or of another model"):
        card.read_verified(".bin")
    (tmp_path / "tiny.bin").unlink()
    with pytest.raises(ModelError, match=r"the model tiny lacks its file tiny\.bin"):
        card.read_verified(".bin")
    with pytest.raises(ModelError, match=r"lists no \.onnx file"):
        card.read_verified(".onnx")
