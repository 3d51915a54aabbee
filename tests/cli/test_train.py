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

    def train(options, report=None, tell=None):
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
    assert (options.network, options.loss, options.preset) == ("unet", "region", "default")
    assert options.data is None
    card = load_card("mine")
    assert (card.network.base, card.details["steps"], card.details["minutes"]) == (2, 1, 0.1)
    assert str(card.folder) in outcome.out
    for name in card.files:
        card.read_verified(name)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--anatomy", "/nowhere"],
        ["--data", "/nowhere"],
        ["--anatomy", "/tmp", "--steps", "0"],
        ["--anatomy", "/tmp", "--hold-out", "1.5"],
    ],
)
def test_wrong_usage_exits_with_2(run, asked, arguments):
    assert run("train", *arguments).code == 2
    assert asked == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter
def test_a_preset_yields_to_what_the_user_says(run, asked, tmp_path):
    run(
        "train",
        "--anatomy",
        tmp_path,
        "--preset",
        "paper",
        "--network",
        "unet",
        "--steps",
        5,
        "--base",
        8,
    )
    (options,) = asked
    assert (options.network, options.steps, options.base) == ("unet", 5, 8)
    assert (options.optimiser, options.learning_rate, options.patch) == ("adam", 1e-4, (128,) * 3)


def test_the_stage_without_labels_has_its_own_run(run, asked, tmp_path, monkeypatch):
    from napari_mmseg.training import cmft

    calls = []

    def train_cmft(options, report=None, tell=None):
        calls.append(options)
        report({"step": 1, "forth": 0.5, "back": 0.25, "minutes": 0.1, "step_seconds": 9.0})
        return tmp_path

    monkeypatch.setattr(cmft, "train_cmft", train_cmft)
    outcome = run("train", "--stage", "cmft", "--data", tmp_path, "--preset", "paper", "--seed", 5)
    assert outcome.code == 0, outcome.err
    (options,) = calls
    assert (options.name, options.data, options.preset) == ("cmft", tmp_path, "paper")
    assert (options.steps, options.seed, options.learning_rate) == (10_000, 5, 1e-4)
    assert "step 1 of 10000, forth 0.500, back 0.250, 0.1 min" in outcome.err
    assert "--init cmft --cmft cmft" in outcome.out
    assert asked == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter
@pytest.mark.parametrize("stage", ["segment", "cmft"])
def test_a_folder_without_label_maps_is_refused_before_the_training(
    run, tmp_path, monkeypatch, stage
):
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
    (tmp_path / "heads").mkdir()
    said = run("train", "--stage", stage, "--anatomy", tmp_path / "heads").sentence
    assert said == (
        'the folder "heads" holds no anatomical label map (.nii.gz): name one that does with '
        "--anatomy"
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter
def test_a_cmft_run_is_named_to_begin_with(run, asked, tmp_path):
    run("train", "--anatomy", tmp_path, "--network", "cmff", "--init", "cmft", "--cmft", "pairs")
    (options,) = asked
    assert options.init == "cmft"
    assert options.cmft is not None
    assert options.cmft.parts[-2:] == ("runs", "pairs")


def test_the_papers_preset_is_its_recipe(monkeypatch):
    from napari_mmseg.training.presets import options_with, preset_named

    options = options_with("paper")
    assert (options.network, options.loss, options.steps) == ("cmff", "dice", 30_000)
    assert (options.crops, options.schedule, options.ema) == (1, "constant", 0.0)
    assert preset_named("paper").normalisation == "zscore-clipped"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--preset", "mine"], "default, paper, minmax128"),
        (["--preset", "paper", "--data", "."], "--data or on --anatomy alone"),
    ],
)
def test_what_does_not_go_together_is_refused(run, asked, tmp_path, arguments, said):
    assert said in run("train", "--anatomy", tmp_path, *arguments).sentence
    assert asked == []


def test_a_name_that_is_a_path_is_refused(run, asked, tmp_path):
    assert "cannot name" in run("train", "--anatomy", tmp_path, "--name", "../x").sentence
    assert asked == []
