"""`napari-mmseg train`: what it asks of the training (which has its own tests)."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list:
    """The options of runs that do not take place."""
    from napari_mmseg.training import loop

    calls: list = []

    def train(options):
        calls.append(options)
        return Path("somewhere") / options.name

    monkeypatch.setattr(loop, "train", train)
    return calls


def test_options_reach_the_run(run, asked, tmp_path):
    outcome = run(
        "train", "--anatomy", tmp_path, "--name", "mine", "--minutes", 1.5, "--steps", 7,
        "--seed", 3, "--resume",
    )  # fmt: skip
    assert outcome.code == 0
    assert "mine" in outcome.out
    (options,) = asked
    assert (options.anatomy, options.name, options.minutes) == (tmp_path, "mine", 1.5)
    assert (options.steps, options.seed, options.resume) == (7, 3, True)


@pytest.mark.parametrize(
    "arguments", [[], ["--anatomy", "/nowhere"], ["--anatomy", "/tmp", "--steps", "0"]]
)
def test_wrong_usage_exits_with_2(run, asked, arguments):
    assert run("train", *arguments).code == 2
    assert asked == []
