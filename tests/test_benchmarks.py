"""The runner of the benchmarks; each benchmark's own numbers are not judged here."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as runner


def test_every_benchmark_can_be_run_by_its_name():
    assert {"import", "train-step"} <= set(runner.available())
    for name in runner.available():
        assert callable(runner.module_of(name).run)


@pytest.mark.filterwarnings("ignore::FutureWarning:monai.*")
@pytest.mark.parametrize("kind", ["unet", "cmff", "cmft"])
def test_a_training_step_is_measured(kind):
    from benchmarks.train_step import measure

    found = measure(kind, patch=(32, 32, 32), base=2, levels=3, steps=1)
    assert set(found) == {"seconds", "steps", "memory_mib", "parameters", "gflop"}
    assert found["seconds"] > 0
    assert found["parameters"] > 1000
    assert found["gflop"] > 0.01


def test_a_network_that_nobody_knows_is_refused(capsys):
    assert runner.main(["train-step", "--only", "unet,resnet"]) == 1
    assert "there is no network 'resnet'" in capsys.readouterr().err


def test_a_benchmark_may_take_a_name(capsys, monkeypatch):
    monkeypatch.setattr(runner, "module_of", lambda _: SimpleNamespace(run=_named))
    assert runner.main(["import", "--name", "second", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["called"] == "second"


def _named(name: str = "first") -> dict[str, str]:
    return {"called": name}


def test_agreement_is_measured_against_monai():
    pytest.importorskip("monai.metrics", reason="MONAI is what it is measured against")
    from benchmarks.agreement import run

    found = run(n=3, raters=4, shape=(40, 44, 36))
    assert {"speedup_vs_monai", "seconds_20_raters", "memory_mib"} <= set(found)
    assert found["max_abs_error"] < 1e-5
    assert (found["pairs"], found["monai_pairs_timed"]) == (6, 3)


def test_json_is_one_object_with_the_machine(capsys):
    assert runner.main(["import", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert 0 < result["seconds"] <= 0.15
    assert result["heavy_modules"] == []
    assert result["machine"]["cores"] >= 1


def test_the_table_shows_nested_values(capsys, monkeypatch):
    result = {
        "ratio": 0.5,
        "cases": {"one": {"WT": 0.91239, "ET": None}},
        "machine": {"cores": 2},
        "heavy": [],
    }
    monkeypatch.setattr(runner, "run", lambda _: result)
    assert runner.main(["import"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["ratio", "0.5"],
        ["cases.one", "WT 0.9124, ET -"],
        ["machine", "cores 2"],
        ["heavy", "none"],
    ]


def test_a_benchmark_takes_what_its_run_takes(capsys, monkeypatch):
    taken = {}
    monkeypatch.setattr(runner, "run", lambda name, **options: taken.update(options) or {"done": 1})
    assert runner.main(["kill", "--n", "3"]) == 0
    assert taken == {"n": 3}
    with pytest.raises(SystemExit):
        runner.main(["import", "--n", "3"])
    assert "unrecognized arguments: --n" in capsys.readouterr().err


def test_an_unknown_benchmark_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as left:
        runner.main(["nothing"])
    assert left.value.code == 2
    assert "import" in capsys.readouterr().err
