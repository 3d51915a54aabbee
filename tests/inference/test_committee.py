"""Several networks of one model: the mean of their answers, as one engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from stand_ins import FakeEngine, build_model, change_card, first_channel_thrice, make_case

from napari_mmseg.errors import ModelError
from napari_mmseg.inference import predict
from napari_mmseg.inference.committee import Committee, opened
from napari_mmseg.inference.engine import Engine, EngineFailure
from napari_mmseg.models import Card, read_card
from napari_mmseg.models.members import members_of


@pytest.fixture
def pair(tmp_path: Path, tiny_model: Path) -> Path:
    """The folder of a model with one further network, of another seed."""
    folder = tmp_path / "pair"
    shutil.copytree(tiny_model, folder)
    build_model(folder / "second", seed=8)
    second = read_card(folder / "second").weights_sha256
    change_card(folder, members={"second": {"weights": second, "share": 0.25}})
    return folder


def test_the_answer_is_the_mean_by_shares(pair: Path, tiny_model: Path) -> None:
    case = make_case()
    both, first, second = (
        # Of the outermost region: the others are cut down to it, each answer or their mean.
        predict(case, model=model, device="cpu").probabilities[0].astype(float)
        for model in (pair, tiny_model, pair / "second")
    )
    assert np.abs(first - second).max() > 20
    # Rounded once instead of twice.
    assert np.abs(both - (0.75 * first + 0.25 * second)).max() <= 1.5


def test_the_hash_is_of_all_weights(pair: Path, tiny_model: Path) -> None:
    known = {read_card(folder).weights_sha256 for folder in (pair, tiny_model, pair / "second")}
    assert len(known) == 3
    prediction = predict(make_case(), model=pair, device="cpu")
    assert prediction.weights_sha256 == read_card(pair).weights_sha256


def test_a_model_without_members_is_alone(tiny_card: Card) -> None:
    fake = FakeEngine(first_channel_thrice)
    assert opened(tiny_card, lambda _card: fake) is fake


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"orientation": "RAS"}, "says otherwise of orientation"),
        ({"stride": 3}, "says otherwise of stride"),
        ({"channels": ["T1ce", "T1", "T2", "FLAIR"]}, "says otherwise of channels"),
        ({"files": {"tiny.safetensors": "0"}}, "another SHA-256"),
    ],
)
def test_what_is_no_member_is_refused(pair: Path, changes: dict[str, object], said: str) -> None:
    change_card(pair / "second", **changes)
    with pytest.raises(ModelError, match=said):
        predict(make_case(), model=pair, device="cpu")


def test_a_missing_member_is_told(pair: Path) -> None:
    shutil.rmtree(pair / "second")
    with pytest.raises(ModelError, match=r'"second" holds no card\.json'):
        predict(make_case(), model=pair, device="cpu")


def test_members_lie_in_the_models_folder(pair: Path) -> None:
    change_card(pair, members={"../second": {"weights": "0", "share": 0.5}})
    with pytest.raises(ModelError, match="lie in the model's own folder"):
        read_card(pair)


def test_the_first_is_closed_when_the_second_cannot_start(pair: Path) -> None:
    first = FakeEngine(first_channel_thrice)
    begun: list[Engine] = []

    def open_one(_card: Card) -> Engine:
        if begun:
            raise EngineFailure("no memory left")
        begun.append(first)
        return first

    with pytest.raises(EngineFailure, match="no memory left"):
        opened(read_card(pair), open_one)
    assert first.closed


def test_memory_is_shared(pair: Path) -> None:
    one, other = FakeEngine(first_channel_thrice), FakeEngine(first_channel_thrice)
    together = Committee([(one, 0.5), (other, 0.5)])
    assert together.largest_pass() == pytest.approx(one.largest_pass() / 2, rel=1e-6)
    assert together.precision == one.precision
    together.close()
    assert one.closed
    assert other.closed
    card = read_card(pair)
    assert card.share == 0.75
    assert [member.share for member in members_of(card)] == [0.25]


def test_an_engine_that_speaks_for_all() -> None:
    """One look of all networks, for what asks an engine without looks."""
    channels = np.random.default_rng(2).normal(size=(4, 2, 3, 4)).astype(np.float32)
    one = FakeEngine(first_channel_thrice)
    none = FakeEngine(lambda given: np.zeros((3, *given.shape[1:]), np.float32))
    found = Committee([(one, 0.75), (none, 0.25)]).run(channels, lambda: None)
    np.testing.assert_allclose(found, 0.75 * first_channel_thrice(channels), rtol=1e-6)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.0])
def test_shares_leave_some_to_the_models_own_network(pair: Path, share: float) -> None:
    told = {"weights": read_card(pair / "second").weights_sha256, "share": share}
    change_card(pair, members={"second": told})
    with pytest.raises(ModelError, match="leave some to the model's own network"):
        read_card(pair)
