"""The benchmark of the feature transition: what it measures, draws, and goes on with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import transition


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Procedural heads, networks of two levels, one case."""
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
    for name, value in {
        "ANATOMY": tmp_path / "none", "CROP": (32, 32, 32), "BASE": 2, "LEVELS": 2, "CASES": 1,
    }.items():  # fmt: skip
        monkeypatch.setattr(transition, name, value)


def test_a_stopped_run_goes_on_and_is_judged_and_drawn(tmp_path: Path) -> None:
    begun = transition.run(steps=1, picture=tmp_path / "one.png")
    assert begun["steps"] == 1
    gone_on = transition.run(steps=2, picture=tmp_path / "new" / "two.png")
    assert gone_on["steps"] == 2
    log = tmp_path / "cache" / "runs" / "transition" / "log.jsonl"
    assert len(log.read_text().splitlines()) == 2  # the first step was not done again
    assert gone_on["l1"]["translated"] != begun["l1"]["translated"]
    # What is compared with does not depend on the training.
    assert gone_on["l1"]["input"] == begun["l1"]["input"] > 0
    assert gone_on["l1"]["untrained"] == begun["l1"]["untrained"]
    assert -1 <= gone_on["ssim"]["translated"] <= 1
    assert not gone_on["closer"]
    picture = np.asarray(Image.open(tmp_path / "new" / "two.png"))
    assert picture.shape == (2 * 32 * transition.ENLARGED, 4 * 32 * transition.ENLARGED)
    assert picture.std() > 0
