"""Whose figures a model gets on a case: never those of a network that learnt from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import napari_mmseg
from benchmarks import accuracy
from napari_mmseg.models import read_card
from napari_mmseg.models.seen import fingerprints
from tests.training.labelled_cases import write_case

FIGURES = {"dice": 0.75, "hd95_mm": 2.0, "volume_ml": 3.0, "reference_volume_ml": 4.0}


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return write_case(tmp_path / "cases", 1)


def model(folder: Path, **details: object) -> Path:
    """A card that tells `details`; there is no network behind it that could be run."""
    folder.mkdir()
    card = {
        "name": "tuned", "version": "1", "orientation": "IPL", "spacing_mm": 1, "stride": 2,
        "network": {"kind": "unet", "base": 2, "levels": 2, "in": 4, "out": 3},
        "channels": ["T1", "T1ce", "T2", "FLAIR"], "regions": ["WT", "TC", "ET"],
        "output": "probabilities", "thresholds": {"WT": 0.5, "TC": 0.5, "ET": 0.5},
        "files": {"tuned.safetensors": "0" * 64},
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps({**card, **details}))
    return folder


def found(case: Path) -> dict[str, tuple[Path, Path, str]]:
    return {case.name: (case, case / f"{case.name}_seg.nii.gz", "brats2017")}


def test_a_case_that_was_tuned_on_gets_the_figures_of_its_fold(case: Path, tmp_path: Path) -> None:
    images = list(fingerprints(napari_mmseg.open_case(case)))
    entry = {"images": images, "fold": 2, "regions": dict.fromkeys(("WT", "TC", "ET"), FIGURES)}
    folder = model(tmp_path / "tuned", learnt_from=images, validation={"folds": {"each": [entry]}})
    told = accuracy.measured(read_card(folder), found(case))
    assert told["mean"] == dict.fromkeys(("WT", "TC", "ET"), 0.75)
    assert told["cases"][case.name]["judged by"] == "fold 2"
    assert told["cases"][case.name]["WT Dice"] == 0.75


def test_a_case_that_was_learnt_from_gets_none(case: Path, tmp_path: Path) -> None:
    one = fingerprints(napari_mmseg.open_case(case))[2:3]
    told = accuracy.measured(read_card(model(tmp_path / "tuned", learnt_from=one)), found(case))
    assert told["mean"] == dict.fromkeys(("WT", "TC", "ET"))
    assert "learnt from" in told["cases"][case.name]["judged by"]
    assert len(told["cases"][case.name]) == 1


def test_any_other_case_is_segmented(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The experts' own labels in the place of the model's."""
    labels = found(case)[case.name][1]
    monkeypatch.setattr(
        napari_mmseg,
        "segment",
        lambda case, model, looks: napari_mmseg.read_annotation(
            labels, encoding="brats2017", like=case
        ),
    )
    folder = model(tmp_path / "tuned", learnt_from=["of another"])
    told = accuracy.measured(read_card(folder), found(case))
    assert told["mean"] == dict.fromkeys(("WT", "TC", "ET"), 1.0)
    assert told["cases"][case.name]["judged by"] == "tuned"
    assert told["invented_et_ml"] == {}
