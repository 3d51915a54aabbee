"""What becomes of a run: the weights that are kept, and a card that inference can follow."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from labelled_cases import Options, write_case

from napari_mmseg.errors import InputError
from napari_mmseg.inference.prepare import prepare
from napari_mmseg.inference.progress import Watch
from napari_mmseg.io import open_case
from napari_mmseg.models import read_card
from napari_mmseg.models.seen import LEARNT_FROM
from napari_mmseg.training import choice, presets
from napari_mmseg.training.datasets import FOLDER, stored_cases
from napari_mmseg.training.export import network_of
from napari_mmseg.training.finish import export_trained, told_of
from napari_mmseg.training.judge import held_out_dice
from napari_mmseg.training.loop import LOG, load_checkpoint, train

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter


def test_a_model_prepares_cases_as_its_training_did(
    cases: Path, tmp_path: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = dataclasses.replace(presets.preset_named("minmax128"), resize=(16, 24, 16))
    monkeypatch.setattr(presets, "PRESETS", {**presets.PRESETS, "minmax128": small})
    chosen = options(data=cases, preset="minmax128", hold_out=0.34, steps=1)
    card = read_card(export_trained(train(chosen), chosen, tmp_path / "model").parent)
    assert (card.normalisation, card.resize) == ("minmax", (16, 24, 16))
    found = stored_cases(chosen.folder / FOLDER)
    for case in found.cases:
        learnt, _ = found.read(case)
        used = prepare(open_case(cases / case.name), card, Watch())
        seen = used.channels[(slice(None), *used.interior)]
        np.testing.assert_allclose(seen, learnt, atol=1e-3)
    assert card.details["trained_on"] == "2 labelled cases given with --data"
    held_out = card.details["validation"]["held_out"]
    assert held_out["cases"] == 1
    assert set(held_out["dice"]) == {"WT", "TC", "ET", "mean"}
    told = json.dumps(dict(card.details))
    assert str(tmp_path) not in told
    assert "BraTS2021" not in told
    # Who goes on with it, on whatever images, has learnt from the same cases.
    learnt = [image for case in found.training for image in case.images]
    assert card.details[LEARNT_FROM] == sorted(learnt)
    assert len(learnt) == 2 * 4
    later = options(init=str(card.folder))
    state = {"step": 1, "seconds": 1.0}
    assert told_of(later, state)[LEARNT_FROM] == sorted(learnt)
    assert told_of(options(init="kaiming"), state)[LEARNT_FROM] == []
    assert told_of(options(init="gone since"), state)[LEARNT_FROM] == []


def test_the_best_weights_are_kept_and_the_last_go_on(
    cases: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.3, 0.9, 0.5])
    monkeypatch.setattr(choice, "dice_over", lambda *_: {"mean": next(scores)})
    chosen = options(data=cases, hold_out=0.34, steps=3, validate=1, validate_every=1)
    averages: dict[int, torch.Tensor] = {}
    first = choice.Choice.consider

    def consider(self: choice.Choice, step: int, average: dict[str, torch.Tensor]) -> float:
        averages[step] = average["head.bias"].clone()
        return first(self, step, average)

    monkeypatch.setattr(choice.Choice, "consider", consider)
    last = load_checkpoint(train(chosen))
    kept = choice.chosen(last, chosen.folder)
    assert (last["step"], kept["step"], kept["chosen_by_dice"]) == (3, 2, 0.9)
    assert torch.equal(kept["ema"]["head.bias"], averages[2])
    assert torch.equal(last["ema"]["head.bias"], averages[3])
    lines = [json.loads(line) for line in (chosen.folder / LOG).read_text().splitlines()]
    assert [line["validation"] for line in lines] == [0.3, 0.9, 0.5]


def test_looking_does_not_change_the_training(cases: Path, options: Options) -> None:
    plain = options(data=cases, hold_out=0.34, name="plain")
    looked = dataclasses.replace(plain, name="looked", validate=1, validate_every=1)
    first, second = (load_checkpoint(train(run))["network"] for run in (plain, looked))
    for name, value in first.items():
        assert torch.equal(value, second[name])


def test_without_anything_to_judge_by_it_is_said(cases: Path, options: Options) -> None:
    with pytest.raises(InputError, match="--hold-out"):
        train(options(data=cases, validate=1))


def test_without_a_choice_the_last_weights_count(tmp_path: Path) -> None:
    state = {"ema": {}, "step": 3}
    assert choice.chosen(state, tmp_path) is state


def test_a_run_learns_what_its_cases_show(tmp_path: Path, options: Options) -> None:
    for number in range(6):
        write_case(tmp_path / "six", number)
    chosen = options(
        data=tmp_path / "six", hold_out=0.34, steps=100, base=8, levels=3, learning_rate=2e-2,
        weight_decay=0.0, ema=0.9,
    )  # fmt: skip
    network = network_of(load_checkpoint(train(chosen)))
    cases = stored_cases(chosen.folder / FOLDER)
    dice = held_out_dice(network, network.stride, cases, cases.held_out)
    assert dice["WT"] > 0.9
    assert dice["TC"] > 0.8
