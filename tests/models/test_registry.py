"""Models are found by name, among the shipped and the user's own, or by folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_card import write

from napari_mmseg.errors import ModelError
from napari_mmseg.models import available, load_card, registry


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """An empty folder of shipped models and one of the user's."""
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    own.mkdir()
    monkeypatch.setattr(registry, "_SHIPPED", shipped)
    monkeypatch.setenv("NAPARI_MMSEG_MODELS", str(own))
    return shipped, own


def add(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir()
    return write(folder, name=name)


def test_the_default_comes_first(homes: tuple[Path, Path]) -> None:
    shipped, own = homes
    for name in ("simulated", "zeta"):
        add(shipped, name)
    add(own, "alpha")
    assert [card.name for card in available()] == ["simulated", "alpha", "zeta"]
    assert load_card("alpha").folder == own / "alpha"
    assert load_card().name == "simulated"


def test_a_folder_anywhere(homes: tuple[Path, Path], tmp_path: Path) -> None:
    folder = add(tmp_path, "elsewhere")
    assert load_card(folder).name == "elsewhere"
    assert load_card(str(folder)).name == "elsewhere"
    with pytest.raises(ModelError, match=r"holds no card\.json"):
        load_card(tmp_path)


def test_a_renamed_folder_and_a_name_that_comes_twice(homes: tuple[Path, Path]) -> None:
    shipped, own = homes
    add(shipped, "simulated")
    for folder, name in (("mine", "retrained"), ("copy", "simulated")):
        (own / folder).mkdir()
        write(own / folder, name=name)
    assert [card.name for card in available()] == ["simulated", "retrained"]
    assert load_card("retrained").folder == load_card("mine").folder == own / "mine"
    assert load_card("simulated").folder == shipped / "simulated"
    assert load_card("copy").folder == own / "copy"


def test_a_name_that_is_none(homes: tuple[Path, Path]) -> None:
    with pytest.raises(ModelError, match="no model 'unknown': choose one of none is installed"):
        load_card("unknown")
    add(homes[0], "simulated")
    with pytest.raises(ModelError, match="choose one of simulated, or name a folder"):
        load_card("unknown")


def test_a_broken_model_is_left_out_until_it_is_named(homes: tuple[Path, Path]) -> None:
    add(homes[0], "simulated")
    broken = add(homes[1], "broken")
    (broken / "card.json").write_text("{", encoding="utf-8")
    (homes[1] / "no-model").mkdir()
    assert [card.name for card in available()] == ["simulated"]
    with pytest.raises(ModelError, match="not a readable model card"):
        load_card("broken")


def test_the_shipped_default_is_whole() -> None:
    """Its files are there and are those that the card names."""
    folder = registry._SHIPPED / registry.DEFAULT_MODEL
    if not folder.is_dir():
        pytest.skip("the default model has not been trained in this checkout")
    card = load_card(registry.DEFAULT_MODEL)
    for suffix in (".safetensors", ".xml", ".bin"):
        assert card.read_verified(suffix)
    said = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    for key in ("trained_on", "steps", "validation", "intended_use", "not_for", "licence"):
        assert said.get(key), f"the card does not say {key}"


def test_a_model_that_is_being_written_is_not_there_yet(homes: tuple[Path, Path]) -> None:
    add(homes[1], ".import-half")
    assert available() == []
