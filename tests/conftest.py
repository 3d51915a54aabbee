"""What all tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_work_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves work files in the user's folder, or goes on with what is there."""
    monkeypatch.setenv("NAPARI_MMSEG_WORK", "off")
