"""Tiny cases on disk, a stand-in for the model, and a way to run commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

SHAPE = (20, 24, 18)
AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])  # LPS, as BraTS files are
NAMES = {"T1": "t1", "T1ce": "t1ce", "T2": "t2", "FLAIR": "flair"}


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The one line of a refusal."""
        lines = self.err.strip().splitlines()
        assert self.code == 1, self
        assert len(lines) == 1, self.err
        assert self.out == "", self.out
        assert lines[0].startswith("napari-mmseg: "), lines[0]
        return lines[0].removeprefix("napari-mmseg: ")


Command = Callable[..., Outcome]


@pytest.fixture
def run() -> Command:
    """Run `napari-mmseg ARGUMENTS` in this process."""
    from napari_mmseg.cli.app import app

    def call(*arguments: object) -> Outcome:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return call


def write(path: Path, array: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    nib.Nifti1Image(array, affine).to_filename(path)
    return path


def tumour() -> np.ndarray:
    """Codes by depth: a nested block of 6, 4 and 2 voxels a side."""
    codes = np.zeros(SHAPE, np.uint8)
    for depth, (low, high) in enumerate([(7, 13), (8, 12), (9, 11)], start=1):
        codes[low:high, low:high, low:high] = depth
    return codes


def in_brats2017(codes: np.ndarray) -> np.ndarray:
    return np.array([0, 2, 1, 4], np.uint8)[codes]


@pytest.fixture
def case_folder(tmp_path: Path) -> Path:
    """Four contrasts named as in BraTS 2021."""
    folder = tmp_path / "BraTS2021_00000"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in NAMES.values():
        image = np.zeros(SHAPE, np.int16)
        image[3:-3, 3:-3, 3:-3] = random.integers(200, 900, (14, 18, 12))
        write(folder / f"{folder.name}_{name}.nii.gz", image)
    return folder


@pytest.fixture
def label_file(tmp_path: Path) -> Path:
    """The tumour in the brats2017 encoding, in a file whose name says nothing."""
    return write(tmp_path / "truth.nii.gz", in_brats2017(tumour()))


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predict without a network: the block tumour, wherever the case lies."""
    from napari_mmseg import inference
    from napari_mmseg.annotation import Provenance
    from napari_mmseg.case import Case
    from napari_mmseg.inference import Prediction
    from napari_mmseg.models import Calibration, Curve
    from napari_mmseg.protocol import load_protocol
    from napari_mmseg.volume import Modality

    def predict(
        case: Case,
        *,
        model: str = "simulated",
        device: str = "auto",
        looks: str | None = None,
        skull: str = "keep",
        adapt: bool = True,
    ) -> Prediction:
        print("a library talks")
        missing = () if Modality.T1CE in case.volumes else ("the ET result is unreliable",)
        depth = np.ascontiguousarray(case.source.to_display.apply(tumour()))
        regions = ("WT", "TC", "ET")
        calibration = Calibration({region: Curve(1.0, 0.0) for region in regions})
        return Prediction(
            grid=case.grid,
            source=case.source,
            protocol=load_protocol(),
            regions=regions,
            probabilities=np.stack([np.where(depth > n, 230, 0) for n in range(3)]).astype(
                np.uint8
            ),
            box=(slice(None), slice(None), slice(None)),
            thresholds=dict.fromkeys(regions, 0.5),
            calibration=None if model == "uncalibrated" else calibration,
            provenance=Provenance(
                model=model,
                weights_sha256="0" * 64,
                modalities=tuple(case.modalities),
                missing=tuple(case.missing),
                device="cpu" if device == "auto" else device,
                warnings=missing,
                looks=looks or "single",
                adapted=adapt,
            ),
        )

    monkeypatch.setattr(inference, "predict", predict)
