"""Labelled cases in a folder, and options for tiny runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from labelled_cases import Options, write_case

from napari_mmseg.training.options import TrainOptions


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A folder of three labelled cases."""
    root = tmp_path / "cases"
    for number in range(3):
        write_case(root, number)
    return root


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Options of a run of a few steps on tiny crops."""

    def make(**changes: object) -> TrainOptions:
        small = TrainOptions(
            anatomy=None, out=tmp_path / "runs", steps=2, seed=3, base=2, levels=2,
            patch=(16, 16, 16), whole=(16, 24, 16), steps_per_case=2, worker=False, compile=False,
        )  # fmt: skip
        return dataclasses.replace(small, **changes)  # type: ignore[arg-type]

    return make
