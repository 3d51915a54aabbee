"""`napari-mmseg train`: what it asks of the training (which has its own tests)."""

from __future__ import annotations

import json

import pytest

from napari_mmseg.models import load_card


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path) -> list:
    """The options of runs that end at once, with the weights that they began with."""
    from napari_mmseg.models.networks.unet import UNet3d
    from napari_mmseg.training import loop

    calls: list = []

    def train(options, report=None):
        calls.append(options)
        report({"step": 1, "loss": 0.5, "minutes": 0.1})
        network = UNet3d(base=2, levels=2)
        path = tmp_path / "checkpoint.pt"
        told = {"base": 2, "levels": 2}
        loop.save_checkpoint(
            path,
            {"ema": network.state_dict(), "options": json.dumps(told), "step": 1, "seconds": 6.0},
        )
        return path

    monkeypatch.setattr(loop, "train", train)
    monkeypatch.setenv("NAPARI_MMSEG_MODELS", str(tmp_path / "models"))
    return calls


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter
def test_options_reach_the_run_and_its_model_can_be_named(run, asked, tmp_path):
    outcome = run(
        "train", "--anatomy", tmp_path, "--name", "mine", "--minutes", 1.5, "--steps", 7,
        "--seed", 3, "--resume", "--init", "simulated",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert "step 1 of 7" in outcome.err
    (options,) = asked
    assert (options.anatomy, options.name, options.minutes) == (tmp_path, "mine", 1.5)
    assert (options.steps, options.seed, options.resume) == (7, 3, True)
    assert options.init == "simulated"
    card = load_card("mine")
    assert (card.network.base, card.details["steps"], card.details["minutes"]) == (2, 1, 0.1)
    assert str(card.folder) in outcome.out
    for name in card.files:
        card.read_verified(name)


@pytest.mark.parametrize(
    "arguments", [[], ["--anatomy", "/nowhere"], ["--anatomy", "/tmp", "--steps", "0"]]
)
def test_wrong_usage_exits_with_2(run, asked, arguments):
    assert run("train", *arguments).code == 2
    assert asked == []


def test_a_name_that_is_a_path_is_refused(run, asked, tmp_path):
    assert "cannot name" in run("train", "--anatomy", tmp_path, "--name", "../x").sentence
    assert asked == []
