"""Numbers and pictures that hold simulated cases against real ones."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_mmseg.training.gallery import TILE, write_sheet
from napari_mmseg.training.statistics import NamedCase, measure, real_cases, summary, table


def phantom() -> NamedCase:
    """A brain of grey and white slabs with a tumour of known size, place and brightness."""
    volumes = np.zeros((4, 24, 24, 24), np.float32)
    rng = np.random.default_rng(0)
    volumes[:, 2:22, 2:22, 2:22] = rng.normal(0, 0.05, (4, 20, 20, 20))
    volumes[0, 2:22, 2:22, 12:22] += 1.0  # white matter: the brightest third of T1
    volumes[0, 2:22, 2:6, 2:12] -= 2.0  # fluid
    depth = np.zeros((24, 24, 24), np.uint8)
    depth[4:8, 12:16, 4:8] = 1
    depth[4:8, 12:16, 6:8] = 2
    depth[4:8, 14:16, 6:8] = 3
    volumes[3][depth > 0] = 2.0
    volumes[1][depth == 3] = 4.0
    return "phantom", volumes, depth


def test_volumes_shares_and_place_of_a_known_tumour() -> None:
    result = measure(*phantom())
    assert result.brain_ml == pytest.approx(8.0)
    assert result.volumes_ml == pytest.approx({"ED": 0.032, "NCR": 0.016, "ET": 0.016})
    assert result.shares == pytest.approx({"ED": 0.5, "NCR": 0.25, "ET": 0.25})
    assert result.place == pytest.approx((3.5 / 19, 11.5 / 19, 3.5 / 19))


def test_contrast_is_relative_to_white_matter_and_small_parts_have_none() -> None:
    result = measure(*phantom())
    assert result.contrast["FLAIR"]["ED"] == pytest.approx(2.0, abs=0.05)
    assert set(result.contrast["T1ce"]) == {"ED"}  # 16 voxels are too few for a number
    name, volumes, depth = phantom()
    bigger = measure(name, volumes, np.where(depth > 0, 3, 0).astype(np.uint8))
    assert set(bigger.contrast["T1ce"]) == {"ET"}


def test_a_healthy_brain_has_no_shares_and_does_not_enter_them() -> None:
    name, volumes, depth = phantom()
    healthy = measure(name, volumes, np.zeros_like(depth))
    assert healthy.shares == {}
    assert healthy.place is None
    both = summary([healthy, measure(*phantom())])
    assert both["ED share of WT"][1] == pytest.approx(0.5)
    assert both["brain ml"][1] == pytest.approx(8.0)


def test_the_table_has_a_column_for_each_group() -> None:
    one = measure(*phantom())
    text = table({"simulated": [one], "real": [one, one]})
    assert "simulated (n=1)" in text
    assert "real (n=2)" in text


def test_a_sheet_has_a_row_for_each_case(tmp_path: Path) -> None:
    from PIL import Image

    path = write_sheet({"simulated": [phantom()], "real": [phantom()]}, tmp_path / "sheet.png")
    picture = np.asarray(Image.open(path))
    assert picture.shape[1] == 5 * TILE
    assert picture.shape[0] >= 2 * TILE
    coloured = np.ptp(picture.astype(int), axis=2) > 30
    assert coloured[:, 4 * TILE :].any()  # outlines, and only there
    assert not coloured[:, : 4 * TILE].any()
    assert list(tmp_path.iterdir()) == [path]


def test_real_cases_are_read_and_unlabelled_or_broken_ones_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    for name, parts in (("good", ("t1n", "t1c", "t2w", "t2f", "seg")), ("bare", ("t1n",))):
        folder = tmp_path / name
        folder.mkdir()
        for part in parts:
            data = rng.uniform(1, 9, (20, 20, 20)).astype(np.float32)
            if part == "seg":
                data = np.zeros((20, 20, 20), np.int16)
                data[8:12, 8:12, 8:12] = 3
            image = nibabel.Nifti1Image(data, np.diag([-1.0, -1.0, 1.0, 1.0]))
            nibabel.save(image, folder / f"{name}-{part}.nii.gz")
    empty = tmp_path / "empty"
    empty.mkdir()
    found = list(real_cases([tmp_path / "good", tmp_path / "bare", empty], "brats2023"))
    assert [name for name, _, _ in found] == ["good"]
    _, volumes, depth = found[0]
    assert volumes.shape == (4, 20, 20, 20)
    assert int((depth == 3).sum()) == 64
    assert capsys.readouterr().out.count("skipped:") == 1
