"""The founding paper's way, small: its preset from CMFT to CMFF, killed and resumed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from napari_mmseg.training.cmft import GENERATORS, CmftOptions, train_cmft
from napari_mmseg.training.export import network_of
from napari_mmseg.training.finish import told_of
from napari_mmseg.training.loop import load_checkpoint, train
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.presets import options_with

CROP = (32, 32, 32)
SMALL = {"base": 2, "levels": 2, "checkpoint_seconds": 0.0}


class Killed(Exception):
    """Stands for the machine that goes down."""


def killed_at(step: int) -> Callable[[dict[str, float]], None]:
    def report(line: dict[str, float]) -> None:
        if line["step"] == step:
            raise Killed

    return report


def test_the_papers_preset_is_killed_and_resumed_to_the_same_network(
    cases: Path, tmp_path: Path
) -> None:
    # `napari-mmseg train --stage cmft --preset paper --data CASES`
    transition = CmftOptions(
        data=cases, preset="paper", out=tmp_path, steps=1, crop=CROP, bf16=False, **SMALL
    )
    taught = train_cmft(transition)

    # `napari-mmseg train --network cmff --init cmft --preset paper --data CASES`
    chosen = options_with(
        "paper", network="cmff", init="cmft", cmft=taught, data=cases, out=tmp_path, name="cmff",
        steps=2, patch=CROP, whole=CROP, worker=False, compile=False, precision="fp32", **SMALL,
    )  # fmt: skip
    paper = TrainOptions(
        anatomy=None, loss="dice", optimiser="adam", schedule="constant", learning_rate=1e-4,
        weight_decay=0.0, ema=0.0, crops=1,
    )  # fmt: skip
    for field in ("loss", "optimiser", "schedule", "learning_rate", "weight_decay", "ema", "crops"):
        assert getattr(chosen, field) == getattr(paper, field)
    uninterrupted = load_checkpoint(train(dataclasses.replace(chosen, name="cmff-whole")))
    with pytest.raises(Killed):
        train(chosen, killed_at(2))
    assert load_checkpoint(tmp_path / "cmff" / "checkpoint.pt")["step"] == 1
    resumed = load_checkpoint(train(dataclasses.replace(chosen, resume=True)))
    assert resumed["step"] == 2
    for part in ("network", "ema"):
        for name, value in uninterrupted[part].items():
            assert torch.equal(value, resumed[part][name]), name
    # It began with the generators, and the card of its model says how images are prepared.
    first = load_file(taught / GENERATORS)["forth.encoders.0.0.weight"]
    learnt = network_of(resumed).state_dict()["branches.0.encoders.0.0.weight"]
    assert 0 < float((learnt - first).abs().max()) < 0.02
    assert told_of(chosen, resumed)["normalisation"] == "zscore-clipped"
