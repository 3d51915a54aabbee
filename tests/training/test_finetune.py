"""Going on with a model: accepted when it got no worse, kept aside when it did."""

from __future__ import annotations

import dataclasses
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from labelled_cases import Options, write_case
from safetensors.torch import load_file, save_file

from napari_mmseg.errors import InputError, ModelError
from napari_mmseg.models import read_card
from napari_mmseg.models.networks import build
from napari_mmseg.training import finetune as module
from napari_mmseg.training.datasets import FOLDER, collect, stored_cases
from napari_mmseg.training.export import base_card, half_weights
from napari_mmseg.training.finetune import WorseModelError, finetune
from napari_mmseg.training.judge import held_out_dice
from napari_mmseg.training.loop import save_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter


def model_saying(folder: Path, bias: float, **changes: Any) -> Path:
    """A model that says the same of every voxel: nothing (bias below 0) or tumour."""
    network = constant(bias)
    name = folder.name
    folder.mkdir()
    save_file(half_weights(network), folder / f"{name}.safetensors")
    digest = sha256((folder / f"{name}.safetensors").read_bytes()).hexdigest()
    card = base_card(name, network) | {"files": {f"{name}.safetensors": digest}} | changes
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def constant(bias: float) -> Any:
    torch.manual_seed(0)
    network = build("unet", base=2, levels=2)
    with torch.no_grad():
        network.head.weight.mul_(1e-3)
        network.head.bias.fill_(bias)
    return network


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that ends with a network that sees a tumour everywhere."""

    def train(options: Any, report: Any = None, tell: Any = None) -> Path:
        path: Path = options.folder / "checkpoint.pt"
        collect(options, tell)
        told = {"network": "unet", "base": 2, "levels": 2}
        save_checkpoint(
            path,
            {"ema": constant(6.0).state_dict(), "options": json.dumps(told), "step": 1,
             "seconds": 60.0},
        )  # fmt: skip
        return path

    monkeypatch.setattr(module, "train", train)


def test_a_model_is_continued_on_the_users_cases(
    cases: Path, tmp_path: Path, options: Options
) -> None:
    """It begins by seeing nothing, so whatever it learns is not worse."""
    first = model_saying(tmp_path / "first", -6.0, trained_on="made-up heads")
    said: list[str] = []
    chosen = options(data=cases, hold_out=0.34, name="tuned")
    tuned = finetune(chosen, str(first), tmp_path / "models" / "tuned", tell=said.append)
    assert tuned.cases == 1
    assert tuned.after["mean"] >= tuned.before["mean"] == 0.0
    card = read_card(tuned.folder)
    assert card.name == "tuned"
    assert (card.network.base, card.network.levels) == (2, 2)
    for name in card.files:
        card.read_verified(Path(name).suffix)
    details = card.details
    assert details["continues"]["model"] == "first"
    assert details["trained_on"].startswith(
        "First as first: made-up heads. Then tuned on 2 labelled cases"
    )
    assert details["validation"]["held_out"]["cases"] == 1
    assert str(tmp_path) not in json.dumps(dict(details))
    assert "BraTS2021" not in json.dumps(dict(details))
    assert any("nothing simulated is replayed" in sentence for sentence in said)
    before = load_file(first / "first.safetensors")
    after = load_file(tuned.folder / "tuned.safetensors")
    assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.usefixtures("spoilt")
def test_a_worse_model_replaces_nothing(tmp_path: Path, options: Options) -> None:
    """Healthy brains: seeing nothing is right, and the training has gone wrong."""
    for number in range(2):
        write_case(tmp_path / "healthy", number, ill=False)
    first = model_saying(tmp_path / "first", -6.0)
    before = (first / "card.json").read_bytes(), (first / "first.safetensors").read_bytes()
    chosen = options(data=tmp_path / "healthy", hold_out=0.5, name="first")
    with pytest.raises(WorseModelError, match=r"0\.000 against 1\.000.*first-rejected") as caught:
        finetune(chosen, str(first), first)
    assert "\n" not in str(caught.value)
    assert before == (
        (first / "card.json").read_bytes(),
        (first / "first.safetensors").read_bytes(),
    )
    kept = read_card(tmp_path / "first-rejected")
    assert kept.name == "first-rejected"
    assert kept.details["validation"]["held_out"]["dice"]["mean"] == 0.0
    assert kept.details["validation"]["held_out"]["dice_before"]["mean"] == 1.0


def test_the_same_folder_is_replaced_whole_by_a_better_one(
    cases: Path, tmp_path: Path, options: Options, spoilt: None
) -> None:
    """On patients, seeing tumour everywhere is better than seeing none."""
    first = model_saying(tmp_path / "first", -6.0)
    (first / "left-over.txt").write_text("of the old model")
    tuned = finetune(options(data=cases, hold_out=0.34, name="first"), str(first), first)
    assert tuned.folder == first
    assert tuned.after["WT"] > tuned.before["WT"]
    assert not (first / "left-over.txt").exists()
    assert read_card(first).details["continues"]["model"] == "first"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_region_neither_there_nor_found_is_right(
    tmp_path: Path, options: Options, spoilt: None
) -> None:
    for number in range(2):
        write_case(tmp_path / "healthy", number, ill=False)
    chosen = options(data=tmp_path / "healthy", hold_out=0.5)
    collect(chosen)
    cases = stored_cases(chosen.folder / FOLDER)
    for bias, expected in ((-6.0, 1.0), (6.0, 0.0)):
        dice = held_out_dice(constant(bias), 2, cases, cases.held_out)
        assert dice == dict.fromkeys(("WT", "TC", "ET", "mean"), expected)


def test_what_cannot_be_continued_is_refused(cases: Path, tmp_path: Path, options: Options) -> None:
    chosen = options(data=cases, hold_out=0.34)
    first = model_saying(tmp_path / "first", -6.0)
    foreign = model_saying(tmp_path / "foreign", -6.0, regions=["TC", "WT", "ET"])
    scaled = model_saying(tmp_path / "scaled", -6.0, normalisation="zscore")
    for model in (foreign, scaled):
        with pytest.raises(ModelError, match="not continued"):
            finetune(chosen, str(model), tmp_path / "out")
    with pytest.raises(InputError, match="is a model foreign already"):
        finetune(chosen, str(first), foreign)
    with pytest.raises(InputError, match="is a model simulated already"):
        finetune(chosen, str(first), tmp_path / "simulated")
    with pytest.raises(InputError, match="--data"):
        finetune(dataclasses.replace(chosen, data=None), str(first), tmp_path / "out")
    with pytest.raises(InputError, match="no share"):
        finetune(dataclasses.replace(chosen, hold_out=0.0), str(first), tmp_path / "out")


def test_the_network_and_scale_are_those_of_the_model(
    cases: Path, tmp_path: Path, options: Options
) -> None:
    folder = model_saying(tmp_path / "boxed", -6.0, normalisation="minmax", resize=[128, 128, 128])
    found = module.options_for(
        read_card(folder), "boxed", options(data=cases, hold_out=0.5, base=9)
    )
    assert (found.preset, found.network, found.base, found.levels) == ("minmax128", "unet", 2, 2)
    assert found.replay == 0.0
    with pytest.raises(InputError, match="--anatomy"):
        module.options_for(
            read_card(folder), "boxed", options(data=cases, hold_out=0.5, anatomy=tmp_path)
        )
