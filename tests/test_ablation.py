"""The ablation: which cells there are, that it goes on where it stopped, and what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import _ablation_cells as cells_module
from benchmarks import ablation
from benchmarks._ablation_cells import Bench, Cell, cells, estimate, state_of
from benchmarks._ablation_page import case_means, compared, page, row, summarised, verdict
from napari_mmseg.errors import InputError


def test_every_network_meets_every_init_that_applies():
    found = list(cells(seeds=2))
    assert len({cell.name for cell in found}) == len(found)
    settings = {cell.setting for cell in found}
    networks = ("cmff", "unet", "layer", "decision", "deeplab", "segresnet")
    for network in networks:
        for loss in ("region", "dice"):
            for init in ("kaiming", "normal"):
                assert (network, init, loss) in settings
            assert ((network, "cmft", loss) in settings) == (network == "cmff")
    for loss in ("tversky", "focal", "dice+0.1*boundary"):
        assert {s[:2] for s in settings if s[2] == loss} == {
            ("unet", "kaiming"), ("cmff", "kaiming"),
        }  # fmt: skip
    # The first half is one whole seed.
    assert {cell.seed for cell in found[: len(found) // 2]} == {0}
    assert len(found) == 2 * (2 * 13 + 2 * 5)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(cells_module, "real_cases", lambda: iter(()))
    return Bench(
        tmp_path / "runs", None, steps=2, base=2, levels=2, patch=(16, 16, 16), whole=(16, 24, 16),
        cmft_crop=(32, 32, 32), shifted=1,
    )  # fmt: skip


def test_two_cells_are_trained_once_and_written_down(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wanted = [Cell("unet", "kaiming", "region", 0), Cell("cmff", "cmft", "region", 0)]
    monkeypatch.setattr(ablation, "PAGE", tmp_path / "ablation.md")
    before = estimate(bench, wanted[0])
    assert before > 0
    part = ablation.finished(bench, wanted[:1])
    assert (state_of(bench, wanted[0]), state_of(bench, wanted[1])) == ("done", "to do")
    assert estimate(bench, wanted[0]) == 0
    stamp = (bench.folder / wanted[0].name / "dice.json").stat().st_mtime_ns
    told = ablation.finished(bench, wanted, write=True)
    assert (bench.folder / wanted[0].name / "dice.json").stat().st_mtime_ns == stamp
    assert told["rows"][0] == part["rows"][0]
    assert told["missing"] == []
    assert json.loads((bench.folder / "ablation.json").read_text())["steps"] == 2
    assert (bench.folder / "cmft" / "generators.safetensors").is_file()
    text = (tmp_path / "ablation.md").read_text()
    assert "| cmff | cmft | region | 1 |" in text
    assert "| unet | kaiming | region | 1 |" in text


def test_a_cell_that_was_killed_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    cell = Cell("unet", "kaiming", "region", 0)
    monkeypatch.setattr(cells_module, "judged", lambda *_: 1 / 0)  # killed when it is judged
    with pytest.raises(ZeroDivisionError):
        bench.finish(cell)
    assert state_of(bench, cell) == "begun, 2 of 2 steps"
    monkeypatch.setattr(cells_module, "judged", lambda *_: dict.fromkeys(("WT", "TC", "ET"), 0.5))
    bench.finish(cell)
    log = (bench.folder / cell.name / "log.jsonl").read_text().splitlines()
    assert len(log) == 2  # no step was done again
    # What is left is estimated from what steps took.
    other = Cell("unet", "normal", "region", 0)
    longer = replace(bench, steps=1000)
    known = json.loads(log[-1])["step_seconds"] + json.loads(log[0])["step_seconds"]
    assert estimate(longer, other) == pytest.approx(
        cells_module.START_SECONDS + (1000 + cells_module.JUDGING_STEPS) * known / 2, rel=0.01
    )


def test_no_cell_is_begun_when_time_is_up(bench: Bench):
    wanted = [Cell("unet", "kaiming", "region", 0)]
    told = ablation.finished(bench, wanted, minutes=0.0)
    assert told["missing"] == [wanted[0].name]
    assert told["rows"] == []
    with pytest.raises(InputError, match="no cell is done"):
        ablation.finished(bench, wanted, minutes=0.0, write=True)


def test_a_plan_trains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path))
    told = ablation.run(plan=True, networks="unet,cmff", losses="dice", seeds=1)
    assert list(told["cells"].values()) == ["to do"] * 5
    assert told["count"] == 5
    assert told["minutes_left"] > 0
    assert not any(tmp_path.iterdir())
    with pytest.raises(InputError, match="no network 'vnet'"):
        ablation.run(plan=True, networks="vnet")


def of(wt: float | None, tc: float | None, et: float | None) -> dict[str, float | None]:
    return {"WT": wt, "TC": tc, "ET": et}


def test_rows_are_means_over_seeds_with_intervals_over_cases():
    first = {"a": of(0.9, 0.6, None), "b": of(0.5, 0.4, 0.3)}
    second = {"a": of(0.7, 0.8, 0.0), "b": of(0.5, 0.4, 0.3)}
    found = row([first, second])
    assert found is not None
    assert found.regions == {"WT": 0.65, "TC": 0.55, "ET": 0.2}
    # Nothing there and nothing found is right; found where nothing is, wrong.
    assert case_means([first])["a"] == pytest.approx((0.9 + 0.6 + 1.0) / 3)
    assert case_means([second])["a"] == pytest.approx((0.7 + 0.8 + 0.0) / 3)
    assert found.mean == pytest.approx((4.0 / 6 + 0.4) / 2, abs=1e-4)
    assert found.interval == (0.4, pytest.approx(4.0 / 6, abs=1e-4))
    assert found.seeds == (pytest.approx((2.5 / 3 + 0.4) / 2, abs=1e-4), 0.45)
    assert row([{}]) is None


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ((0.10, 0.12, 0.11), "it helps"),
        ((-0.10, -0.12, -0.11), "it does worse"),
        ((0.10, -0.12, 0.01), "no difference is shown"),
    ],
)
def test_cmft_helps_only_where_the_interval_says_so(gains: tuple[float, ...], said: str):
    kaiming = {str(n): of(0.5, 0.5, 0.5) for n in range(3)}
    cmft = {str(n): of(*[0.5 + gain] * 3) for n, gain in enumerate(gains)}
    difference, interval = compared([kaiming], [cmft])
    assert difference == pytest.approx(sum(gains) / 3, abs=1e-4)
    assert verdict(difference, interval) == said
    results: Any = {
        Cell("cmff", init, "dice", 0): {"shifted": found, "real": {"x": of(1.0, 1.0, None)},
                                        "seconds": 1.0}
        for init, found in (("kaiming", kaiming), ("cmft", cmft))
    }  # fmt: skip
    told = {**summarised(results), "missing": [], "steps": 2, "base": 2, "levels": 2}
    assert told["cmft_over_kaiming"][0]["verdict"] == said
    text = page(told)
    assert f"cmff, dice, shifted cases: mean Dice {difference:+.3f}" in text
    assert "| cmff, cmft, dice | 1.00 / 1.00 / - |" in text
