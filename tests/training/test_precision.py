"""The arithmetic of a training: chosen once, kept over a resumption."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from napari_mmseg.training import precision
from napari_mmseg.training.loop import load_checkpoint, train
from napari_mmseg.training.options import TrainOptions


def small(folder: Path, **changes: object) -> TrainOptions:
    options = TrainOptions(
        anatomy=None, out=folder, steps=2, base=4, levels=3, patch=(16, 16, 16),
        whole=(16, 16, 16), crops=1, worker=False, compile=False,
    )  # fmt: skip
    return replace(options, **changes)


def written(path: Path) -> str:
    return str(json.loads(load_checkpoint(path)["options"])["precision"])


def test_the_measurement_is_taken_once() -> None:
    precision.fastest.cache_clear()
    first = precision.fastest()
    assert first in ("bf16", "fp32")
    assert precision.fastest() == first
    assert precision.fastest.cache_info().misses == 1


def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "fastest", lambda: pytest.fail("measured"))
    assert precision.resolve("fp32") == "fp32"
    assert precision.resolve("bf16") == "bf16"


@pytest.mark.parametrize("begun", ["bf16", "fp32"])
def test_a_run_goes_on_in_the_precision_it_was_begun_in(tmp_path: Path, begun: str) -> None:
    options = small(tmp_path, precision=begun)
    train(replace(options, minutes=0.0))
    path = train(replace(options, precision="auto", resume=True))
    assert written(path) == begun


def test_bfloat16_rounds_and_single_precision_does_not(tmp_path: Path) -> None:
    losses = {}
    for name in ("bf16", "fp32"):
        options = small(tmp_path / name, precision=name)
        train(options)
        lines = (options.folder / "log.jsonl").read_text().splitlines()
        losses[name] = json.loads(lines[0])["loss"]
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)
