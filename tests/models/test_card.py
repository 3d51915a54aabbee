"""A model's card: read whole or refused in one sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_mmseg.errors import ModelError
from napari_mmseg.models import read_card
from napari_mmseg.models.appearance import Brighter, Sparse
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
    assert card.looks == "single"
    assert card.window is None
    assert card.calibration is None
    assert card.details["not_for"] == ["children"]
    assert card.read_verified(".bin") == b"tiny.bin"


APPEARANCE: dict[str, Any] = {
    "gaussians": {"outside": 6, "WT": 1, "TC": 2, "ET": 1},
    "weights": {"WT": 0.4, "TC": 0.2, "ET": 0.3},
    "offsets": {"TC": -1.0},
    "brighter": {
        "ET": [
            {"modality": "T1ce", "percentile": 95},
            {"modality": "T1ce", "minus": "T1", "percentile": 80},
        ]
    },
    "powers": {"TC": 2},
    "sure": {"ET": 0.8},
    "sparse": {"TC": {"below": 0.2, "above": 0.4, "offset": 0.5, "power": 1, "seen_in": "T1ce"}},
}


SPARSE = APPEARANCE["sparse"]["TC"]


@pytest.mark.parametrize(("share", "weight"), [(0, 1), (0.2, 1), (0.3, 0.5), (0.4, 0), (1, 0)])
def test_a_way_for_few_is_gone_over_to_by_and_by(share: float, weight: float) -> None:
    assert Sparse(0.2, 0.4, 0.0, 1.0, Modality.T1CE).weight(share) == pytest.approx(weight)


def test_what_a_card_says_of_the_look_of_tissues(tmp_path: Path) -> None:
    assert read_card(write(tmp_path)).appearance is None
    told = read_card(write(tmp_path, appearance=APPEARANCE)).appearance
    assert told is not None
    assert told.gaussians == (6, 1, 2, 1)
    assert told.weights == (0.4, 0.2, 0.3)
    assert told.offsets == (0.0, -1.0, 0.0)
    assert told.powers == (1.0, 2.0, 1.0)
    assert told.sure == {"ET": 0.8}
    assert told.sparse == {"TC": Sparse(0.2, 0.4, 0.5, 1.0, seen_in=Modality.T1CE)}
    where_sparse = told.where_sparse(1, told.sparse["TC"])
    assert where_sparse.offsets == (0.0, 0.5, 0.0)
    assert where_sparse.powers == (1.0, 1.0, 1.0)
    assert told.brighter["ET"] == (
        Brighter(Modality.T1CE, 95.0),
        Brighter(Modality.T1CE, 80.0, minus=Modality.T1),
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gaussians": {"outside": 0, "WT": 1, "TC": 1, "ET": 1}}, "one gaussian or more"),
        ({"gaussians": {"WT": 1, "TC": 1, "ET": 1}}, "outside"),
        ({"weights": {"WT": 1.4, "TC": 0.2, "ET": 0.3}}, "between 0 and 1"),
        ({"weights": {"WT": 0.4, "TC": 0.2}}, "ET"),
        ({"brighter": {"ET": [{"modality": "T3", "percentile": 95}]}}, "T3"),
        ({"brighter": {"XT": [{"modality": "T1ce", "percentile": 95}]}}, "XT"),
        ({"brighter": {"ET": [{"modality": "T1ce", "percentile": 101}]}}, "between 0 and 100"),
        ({"powers": {"ET": 0}}, "positive"),
        ({"sure": {"XT": 0.8}}, "XT"),
        ({"sure": {"ET": 8}}, "between 0 and 1"),
        ({"sparse": {"ET": SPARSE}}, "inside ET"),
        ({"sparse": {"TC": SPARSE | {"below": 0.5}}}, "from a share below to one above"),
        ({"sparse": {"TC": SPARSE | {"power": 0}}}, "power is positive"),
        ({"sparse": {"TC": {"below": 0.2, "above": 0.4, "offset": 0}}}, "power"),
        ({"sparse": {"TC": SPARSE | {"seen_in": "T3"}}}, "T3"),
    ],
)
def test_a_wrong_look_of_tissues_is_refused(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    write(tmp_path, appearance=APPEARANCE | change)
    with pytest.raises(ModelError, match=said):
        read_card(tmp_path)


CALIBRATION: dict[str, Any] = {
    "method": "platt",
    "parameters": {
        "WT": {"slope": 1.0, "intercept": 0.0},
        "TC": {"slope": 0.5, "intercept": -1.0},
        "ET": {"slope": 2.0, "intercept": 0.5},
    },
    "ece": {"before": {"WT": 0.2}, "after": {"WT": 0.05}},
    "expected_dice": {"mean_absolute_error": {"WT": 0.1}},
}


def test_a_calibration_and_what_is_known_of_it(tmp_path: Path) -> None:
    calibration = read_card(write(tmp_path, calibration=CALIBRATION)).calibration
    assert calibration is not None
    assert calibration.dice_error == {"WT": 0.1}
    assert calibration.evidence["ece"]["after"] == {"WT": 0.05}
    # A slope of 1 without intercept changes nothing but half a level at the ends.
    np.testing.assert_allclose(calibration.curves["WT"].levels(), np.arange(256) / 255, atol=0.002)
    p = (np.arange(256) + 0.5) / 256
    odds = np.sqrt(p / (1 - p)) * np.exp(-1.0)
    np.testing.assert_allclose(calibration.curves["TC"].levels(), odds / (1 + odds), rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "guess"}, "calibration method is 'guess'"),
        ({"parameters": {"WT": {"slope": 1.0, "intercept": 0.0}}}, "it lacks 'TC'"),
        ({"parameters": {key: {"slope": 0, "intercept": 0} for key in CARD["regions"]}}, "above 0"),
        ({"parameters": {key: {"slope": 1} for key in CARD["regions"]}}, "it lacks 'intercept'"),
        ({"parameters": dict.fromkeys(CARD["regions"], 1.0)}, "not a complete model card"),
    ],
)
def test_a_calibration_that_cannot_be(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    write(tmp_path, calibration=CALIBRATION | changes)
    with pytest.raises(ModelError, match=said):
        read_card(tmp_path)


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
        ({"looks": "twice"}, "looks is 'twice', not one of single, mirrored, thorough"),
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
