"""Brain extraction: geometry, refusals and the command."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from napari_mmseg.cli.app import app
from napari_mmseg.errors import InputError, ModelError
from napari_mmseg.inference import brain as module
from napari_mmseg.inference.brain import extract_brain, without_skull
from napari_mmseg.io import open_case, read_volume
from napari_mmseg.models import load_card
from napari_mmseg.preprocess.head import scale_head
from napari_mmseg.volume import Modality


def head(shape: tuple[int, int, int], edges: tuple[float, float, float]) -> NDArray[np.float32]:
    """A ball of brain (bright) off the centre of the image, with a dark hole, inside a shell."""
    axes = [(np.arange(n) + 0.5) * edge for n, edge in zip(shape, edges, strict=True)]
    a, b, c = np.meshgrid(*axes, indexing="ij")
    size = [n * edge for n, edge in zip(shape, edges, strict=True)]
    distance = np.sqrt(
        (a - 0.4 * size[0]) ** 2 + (b - 0.55 * size[1]) ** 2 + (c - size[2] / 2) ** 2
    )
    image = np.where(distance < 30, 100.0, np.where(distance < 40, 30.0, 0.0))
    return np.where(distance < 5, 10.0, image).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A brain-extraction model's files, its weights random."""
    from napari_mmseg.models.networks import build
    from napari_mmseg.training.export import export_model
    from napari_mmseg.training.strip import brain_card

    network = build("unet", 1, 1, base=4, levels=3).eval()
    folder = tmp_path_factory.mktemp("strip")
    return export_model(network, folder, "strip", brain_card("strip", network)).parent


@pytest.fixture
def bright_is_brain(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of what the network finds: bright voxels are brain."""
    monkeypatch.setattr(module, "_predict", lambda image, card: (image > 0.6).astype(np.float32))


def written(path: Path, image: NDArray[np.float32], affine: NDArray[np.float64]) -> Path:
    nibabel.save(nibabel.Nifti1Image(image, affine), path)
    return path


@pytest.mark.usefixtures("bright_is_brain")
@pytest.mark.parametrize(
    ("edges", "flips"),
    [((1.0, 1.0, 1.0), (1, 1, 1)), ((1.0, 1.0, 1.0), (-1, 1, -1)), ((0.9, 0.9, 4.0), (-1, -1, 1))],
)
def test_the_mask_lies_on_the_brain_whatever_the_voxels(
    tmp_path: Path, model: Path, edges: tuple[float, float, float], flips: tuple[int, int, int]
) -> None:
    shape = tuple(int(96 / edge) for edge in edges)
    image = head(shape, edges)  # type: ignore[arg-type]
    affine = np.diag([f * e for f, e in zip(flips, edges, strict=True)] + [1.0])
    volume, _ = read_volume(written(tmp_path / "head.nii.gz", image, affine))
    mask = extract_brain(volume, model)
    truth = (volume.array > 60) | (volume.array == 10)  # the hole is brain too
    assert mask.shape == volume.array.shape
    dice = 2 * (mask & truth).sum() / (mask.sum() + truth.sum())
    assert dice > (0.97 if max(edges) < 2 else 0.9)


@pytest.mark.usefixtures("bright_is_brain")
def test_a_case_loses_its_skull_in_every_contrast(tmp_path: Path, model: Path) -> None:
    image = head((64, 64, 64), (1.5, 1.5, 1.5))
    affine = np.diag([-1.5, -1.5, 1.5, 1.0])
    written(tmp_path / "p_t1.nii.gz", image, affine)
    written(tmp_path / "p_flair.nii.gz", 5 + image, affine)
    case = open_case(tmp_path)
    bare = without_skull(case, model)
    outside = case.volumes[Modality.T1].array < 5
    for modality, volume in bare.volumes.items():
        assert not volume.array[outside].any()
        kept = volume.array != 0
        assert kept.any()
        assert np.array_equal(volume.array[kept], case.volumes[modality].array[kept])
        assert volume.sha256 == case.volumes[modality].sha256
    assert "looked at T1:" in bare.warnings[-1]
    assert case.volumes[Modality.FLAIR].array[outside].all()  # the case itself is as it was


def test_an_image_without_a_head_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "flat.nii.gz", np.ones((20, 20, 20), np.float32), np.eye(4))
    with pytest.raises(InputError, match="shows nothing"):
        read_volume(path)


@pytest.mark.usefixtures("bright_is_brain")
def test_the_command_writes_the_stripped_image_and_the_mask(tmp_path: Path, model: Path) -> None:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    image = head((96, 96, 96), (1.0, 1.0, 1.0))
    source = written(tmp_path / "head.nii.gz", image, affine)
    out, mask = tmp_path / "brain.nii.gz", tmp_path / "mask.nii.gz"
    done = CliRunner().invoke(
        app,
        [
            "strip",
            str(source),
            "--out",
            str(out),
            "--mask",
            str(mask),
            "--json",
            "--model",
            str(model),
        ],
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    found = np.asarray(nibabel.load(mask).dataobj)
    assert said["brain_ml"] == pytest.approx(found.sum() / 1000)
    stripped = np.asarray(nibabel.load(out).dataobj)
    assert np.array_equal(stripped, np.where(found > 0, image, 0))
    assert np.allclose(nibabel.load(out).affine, affine)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "nothing to write"),
        (["--out", "head.nii.gz"], "is the image itself"),
        (["--out", "a.nii.gz", "--mask", "a.nii.gz"], "the same file"),
    ],
)
def test_the_command_refuses_what_would_lose_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path("head.nii.gz"), head((48, 48, 48), (2.0, 2.0, 2.0)), np.eye(4))
    done = CliRunner().invoke(app, ["strip", "head.nii.gz", "--model", "none", *arguments])
    assert done.exit_code == 1
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_network_is_run_on_the_whole_image(tmp_path: Path, model: Path) -> None:
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])
    image = head((41, 50, 43), (2.0, 2.0, 2.0))
    volume, _ = read_volume(written(tmp_path / "head.nii.gz", image, affine))
    found = module._predict(scale_head(volume.array), load_card(model))
    assert found.shape == volume.array.shape
    assert 0 <= found.min() <= found.max() <= 1


def test_a_model_for_tumours_is_refused(tmp_path: Path) -> None:
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])
    volume, _ = read_volume(
        written(tmp_path / "head.nii.gz", head((48, 48, 48), (2.0, 2.0, 2.0)), affine)
    )
    with pytest.raises(ModelError, match="finds WT, TC, ET, not the brain"):
        extract_brain(volume, "simulated")
