"""Tuning in folds: each case is judged by a network that never saw it, and the card says so."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from labelled_cases import Options, write_case

import napari_mmseg
from napari_mmseg.errors import InputError
from napari_mmseg.models import read_card
from napari_mmseg.models.networks import build
from napari_mmseg.models.seen import LEARNT_FROM, fingerprints, fold_figures, has_learnt_from
from napari_mmseg.training import folds as module
from napari_mmseg.training.datasets import FOLDER, stored_cases
from napari_mmseg.training.export import base_card, export_model
from napari_mmseg.training.finetune import WorseModelError
from napari_mmseg.training.folds import RECORD, Folded, deal, tune_in_folds
from napari_mmseg.training.options import TrainOptions

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter

LICENCE = "made of noise: free for all"


def constant(bias: float) -> Any:
    torch.manual_seed(0)
    network = build("unet", base=2, levels=2)
    with torch.no_grad():
        network.head.weight.mul_(1e-3)
        network.head.bias.fill_(bias)
    return network


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that sees no tumour anywhere."""
    folder = tmp_path_factory.mktemp("models") / "first"
    network = constant(-6.0)
    export_model(network, folder, "first", base_card("first", network))
    return folder


@dataclass(frozen=True)
class Desk:
    """A folder of three labelled cases, and a place for runs and models."""

    root: Path
    first: Path

    @property
    def cases(self) -> Path:
        return self.root / "cases"

    def tune(self, folds: int = 3, model: Path | None = None, **changes: Any) -> Folded:
        options = TrainOptions(
            anatomy=None, data=self.cases, name="tuned", out=self.root / "runs", steps=2, seed=3,
            base=2, levels=2, patch=(16, 16, 16), whole=(16, 24, 16), worker=False, compile=False,
        )  # fmt: skip
        return tune_in_folds(
            replace(options, **changes),
            str(model or self.first),
            folds,
            self.root / "models" / "tuned",
            LICENCE,
        )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, first: Path) -> tuple[Desk, Folded]:
    """A desk with a finished run: to be looked at, not changed."""
    desk = Desk(tmp_path_factory.mktemp("done"), first)
    for number in range(3):
        write_case(desk.cases, number)
    return desk, desk.tune()


@pytest.fixture
def copied(done: tuple[Desk, Folded], tmp_path: Path) -> Desk:
    """A finished run that may be changed."""
    shutil.copytree(done[0].root, tmp_path / "desk")
    return replace(done[0], root=tmp_path / "desk")


def test_each_case_is_judged_by_a_network_that_never_saw_it(done: tuple[Desk, Folded]) -> None:
    desk, found = done
    record = json.loads(found.record.read_text())
    assert found.record == desk.root / "runs" / "tuned" / RECORD
    names = [entry["name"] for entry in record["cases"]]
    assert names == sorted(p.name for p in desk.cases.iterdir())
    assert sorted(entry["fold"] for entry in record["cases"]) == [1, 2, 3]
    for entry in record["cases"]:
        run = found.record.parent / f"fold-{entry['fold']}"
        assert [case.name for case in stored_cases(run / FOLDER).held_out] == [entry["name"]]
        network = read_card(run / "model")
        assert len(network.details[LEARNT_FROM]) == 2 * 4
        assert not has_learnt_from(network, napari_mmseg.open_case(desk.cases / entry["name"]))


def test_the_figures_are_those_of_the_command_lines_own_path(done: tuple[Desk, Folded]) -> None:
    desk, found = done
    entry = json.loads(found.record.read_text())["cases"][0]
    folder = desk.cases / entry["name"]
    case = napari_mmseg.open_case(folder)
    network = found.record.parent / f"fold-{entry['fold']}" / "model"
    reference = napari_mmseg.read_annotation(
        folder / f"{entry['name']}_seg.nii.gz", encoding="brats2017", like=case
    )
    own = napari_mmseg.evaluate(napari_mmseg.segment(case, model=network), reference)
    for region, numbers in entry["after"].items():
        assert numbers["dice"] == pytest.approx(own[region].dice, abs=1e-4)
        assert numbers["volume_ml"] == pytest.approx(own[region].volume_ml, abs=1e-4)


def test_the_card_gives_the_folds_figures_and_names_nobody(
    done: tuple[Desk, Folded], tmp_path: Path
) -> None:
    desk, found = done
    card = read_card(found.folder)
    for name in card.files:
        card.read_verified(Path(name).suffix)
    told = card.details["validation"]["folds"]
    assert (card.name, card.details["licence"]) == ("tuned", LICENCE)
    assert (told["folds"], told["cases"]) == (3, 3)
    assert told["mean_dice"] == found.after
    assert told["mean_dice_of_first"] == found.before == dict.fromkeys(("WT", "TC", "ET"), 0.0)
    assert card.details["continues"]["model"] == "first"
    for entry in json.loads(found.record.read_text())["cases"]:
        case = napari_mmseg.open_case(desk.cases / entry["name"])
        assert has_learnt_from(card, case)
        figures = fold_figures(card, case)
        assert figures is not None
        assert (figures["fold"], figures["regions"]) == (entry["fold"], entry["after"])
    written = json.dumps(dict(card.details))
    assert "BraTS2021" not in written
    assert str(desk.root) not in written
    write_case(tmp_path, 7)
    other = napari_mmseg.open_case(tmp_path / "BraTS2021_00007")
    assert not has_learnt_from(card, other)
    assert fold_figures(card, other) is None


def test_a_case_is_known_under_another_name_and_with_fewer_images(cases: Path) -> None:
    folder = cases / "BraTS2021_00000"
    case = napari_mmseg.open_case(folder)
    (folder / "BraTS2021_00000_t1.nii.gz").unlink()
    for file in folder.iterdir():
        file.rename(folder / file.name.replace("BraTS2021_00000", "somebody"))
    same = napari_mmseg.open_case(folder.rename(cases / "somebody"))
    assert fingerprints(same) == fingerprints(case)[1:]


def test_a_stopped_run_goes_on_where_it_was(
    done: tuple[Desk, Folded], copied: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while the second fold was trained: the first is not done again, the rest is."""
    runs = copied.root / "runs" / "tuned"
    shutil.rmtree(copied.root / "models")
    for name in ("fold-2", "fold-3", "all"):
        (runs / name / "checkpoint.pt").unlink()
    record = json.loads((runs / RECORD).read_text())
    finished = record["cases"]
    record["cases"] = [e if e["fold"] == 1 else {**e, "after": None} for e in finished]
    (runs / RECORD).write_text(json.dumps(record))
    real, trained = module.train, []

    def train(run: Any, report: Any = None) -> Path:
        trained.append(run.name)
        return real(run, report)

    monkeypatch.setattr(module, "train", train)
    with pytest.raises(InputError, match="--resume"):
        copied.tune()
    found = copied.tune(resume=True)
    assert trained == ["fold-2", "fold-3", "all"]
    assert json.loads(found.record.read_text())["cases"] == finished
    same = "tuned.safetensors"
    assert read_card(found.folder).files[same] == read_card(done[1].folder).files[same]


def test_what_was_begun_otherwise_is_not_resumed(copied: Desk) -> None:
    (copied.root / "models" / "tuned").rename(copied.root / "aside")
    for changes in ({"folds": 2}, {"learning_rate": 1e-5}, {"steps": 3}):
        with pytest.raises(InputError, match="begun with another model, other cases"):
            copied.tune(resume=True, **changes)
    # Networks of unknown origin may have seen any case.
    (copied.root / "runs" / "tuned" / RECORD).unlink()
    with pytest.raises(InputError, match="there already"):
        copied.tune(resume=True)


def test_a_model_that_knows_the_cases_cannot_be_judged_on_them(copied: Desk) -> None:
    aside = (copied.root / "models" / "tuned").rename(copied.root / "aside")
    with pytest.raises(InputError, match="has learnt from BraTS2021_00000 already"):
        copied.tune(model=aside, out=copied.root / "other-runs")


def test_a_worse_model_is_kept_aside(
    tmp_path: Path, first: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Healthy brains: seeing nothing is right, and the training has gone wrong."""
    for number in range(2):
        write_case(tmp_path / "healthy", number, ill=False)
    monkeypatch.setattr(module, "network_of", lambda _: constant(6.0))
    out = tmp_path / "models" / "tuned"
    chosen = options(data=tmp_path / "healthy", name="tuned")
    with pytest.raises(WorseModelError, match=r"0\.000 against 1\.000.*tuned-rejected"):
        tune_in_folds(chosen, str(first), 2, out, LICENCE)
    assert not out.exists()
    told = read_card(tmp_path / "models" / "tuned-rejected").details["validation"]["folds"]
    assert told["mean_dice"] == dict.fromkeys(("WT", "TC", "ET"))
    assert len(told["invented_et_ml"]) == 2
    assert min(told["invented_et_ml"]) > 0


@given(st.lists(st.booleans(), min_size=2, max_size=30), st.integers(0, 99), st.data())
def test_folds_are_even_in_size_and_in_kind(with_et: list[bool], seed: int, data: Any) -> None:
    folds = data.draw(st.integers(2, len(with_et)))
    dealt = deal(with_et, folds, seed)
    assert dealt == deal(with_et, folds, seed)
    sizes = [dealt.count(fold) for fold in range(1, folds + 1)]
    assert max(sizes) - min(sizes) <= 1
    for kind in (False, True):
        of_kind = [
            sum(f == fold and et is kind for f, et in zip(dealt, with_et, strict=True))
            for fold in range(1, folds + 1)
        ]
        assert max(of_kind) - min(of_kind) <= 1


def test_folds_that_cannot_be_are_refused() -> None:
    for folds in (1, 4):
        with pytest.raises(InputError, match="3 cases cannot be dealt"):
            deal([True, False, True], folds, 0)
