"""Models that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_ins import build_model

from napari_mmseg.models import Card, read_card


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes what the developer's own runs remember."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untrained U-Net with its card; do not change it."""
    return build_model(tmp_path_factory.mktemp("models") / "tiny", seed=3)


@pytest.fixture
def tiny_card(tiny_model: Path) -> Card:
    return read_card(tiny_model)
