"""`napari-mmseg finetune`: what it asks for, and how it says that a model was refused."""

from __future__ import annotations

import pytest

from napari_mmseg.training import finetune as training


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path) -> list:
    """The calls of the job, which accepts at once."""
    calls: list = []

    def finetune(options, model, folder, report=None, tell=None):
        calls.append((options, model, folder))
        tell("a sentence on the cases")
        scores = {"WT": 0.8, "TC": 0.7, "ET": 0.6, "mean": 0.7}
        return training.Tuned(folder, 2, scores, {**scores, "WT": 0.9})

    monkeypatch.setattr(training, "finetune", finetune)
    monkeypatch.setenv("NAPARI_MMSEG_MODELS", str(tmp_path / "models"))
    return calls


def test_options_reach_the_job_and_both_figures_are_shown(run, asked, tmp_path):
    outcome = run("finetune", "--data", tmp_path, "--hold-out", 0.3, "--name", "ours", "--seed", 4)
    assert outcome.code == 0, outcome.err
    ((options, model, folder),) = asked
    assert (options.data, options.hold_out, options.name) == (tmp_path, 0.3, "ours")
    assert (options.seed, options.learning_rate, options.anatomy) == (4, 2e-4, None)
    assert (model, folder) == ("simulated", tmp_path / "models" / "ours")
    assert "0.800" in outcome.out
    assert "0.900" in outcome.out
    assert "a sentence on the cases" in outcome.err


def test_a_worse_model_exits_with_1_and_one_sentence(run, asked, tmp_path, monkeypatch):
    def worse(*_, **__):
        raise training.WorseModelError("simulated stays: 0.41 against 0.62")

    monkeypatch.setattr(training, "finetune", worse)
    sentence = run("finetune", "--data", tmp_path).sentence
    assert sentence == "simulated stays: 0.41 against 0.62"


@pytest.mark.parametrize(
    "arguments", [[], ["--data", "/nowhere"], ["--data", ".", "--hold-out", 2]]
)
def test_wrong_usage_exits_with_2(run, asked, arguments):
    assert run("finetune", *arguments).code == 2
    assert asked == []
