"""Tiny studies on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from .desk import make_cases


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or leaves an index in the user's cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(folder))
    return folder


@pytest.fixture
def cases(tmp_path: Path) -> list[Path]:
    """Six cases whose folders and files carry patients' names."""
    return make_cases(tmp_path / "incoming", 6)
