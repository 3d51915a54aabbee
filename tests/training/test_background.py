"""Tumours painted into real scans (here: a rendered one) without tumour."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from napari_mmseg.errors import InputError
from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import TISSUE_MASK, procedural_head
from napari_mmseg.training.simulate.background import (
    Background,
    make_background,
    read_background,
    simulate_on_background,
)
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.render import draw_recipe, render

SIDE = 64


@pytest.fixture(scope="module")
def scan() -> np.ndarray:
    """T1, T1ce, T2, FLAIR of the made-up head in a scanner's units."""
    head = procedural_head(0, SIDE) & TISSUE_MASK
    levels = np.zeros((4, t.TISSUES), np.float32)
    levels[:, t.WHITE], levels[:, t.CORTEX] = 400, (300, 320, 520, 450)
    levels[:, t.VENTRICLE] = levels[:, t.CSF] = 100, 100, 900, 60
    levels[:, t.STRIATUM] = levels[:, t.THALAMUS] = 340, 350, 480, 420
    noise = np.random.default_rng(0).normal(0, 5, (4, SIDE, SIDE, SIDE)).astype(np.float32)
    images = levels[:, head]
    return np.where(images > 0, images + noise, 0).astype(np.float32)


@pytest.fixture(scope="module")
def background(scan: np.ndarray) -> Background:
    return make_background(scan, (scan != 0).any(axis=0))


def test_tissues_are_told_from_the_scan(background: Background) -> None:
    truth = torch.from_numpy(procedural_head(0, SIDE) & TISSUE_MASK)
    found = background.tissue & TISSUE_MASK
    for tissue in (t.WHITE, t.CORTEX):
        # Smoothing costs the borders.
        assert float((found[truth == tissue] == tissue).float().mean()) > 0.85
    fluid = (found == t.CSF) | (found == t.VENTRICLE)
    # The made-up ventricles are three voxels wide: smoothing takes their walls.
    assert float(fluid[truth == t.VENTRICLE].float().mean()) > 0.5
    assert not fluid[truth == t.WHITE].any()
    white = background.images[:, truth == t.WHITE].median(dim=1).values
    assert torch.allclose(white, torch.ones(4), atol=0.05)
    assert set((background.tissue >> t.SIDE_SHIFT).unique().tolist()) == {0, t.LEFT, t.RIGHT}


def test_a_healthy_brain_keeps_the_scan_and_has_no_label(background: Background) -> None:
    case = simulate_on_background(background, Chance(1), healthy=True)
    assert not case.depth().any()
    assert case.scan is not None
    white = case.scan[:, case.tissue == t.WHITE].median(dim=1).values
    assert torch.allclose(white, torch.ones(4), atol=0.1)
    assert not case.scan[:, case.tissue == t.OUTSIDE].any()


def test_a_tumour_shows_where_it_is_labelled_and_nowhere_else(background: Background) -> None:
    shown = 0
    for seed in range(4):
        case = simulate_on_background(background, Chance(2, seed), healthy=False)
        if not (case.depth() == 1).any():
            continue
        chance = Chance(3, seed)
        box = tuple(slice(0, n) for n in case.shape)
        images = render(case, box, draw_recipe(case, chance), chance)  # type: ignore[arg-type]
        assert torch.isfinite(images).all()
        flair = images[3]
        oedema = torch.from_numpy(case.depth() == 1)
        healthy = (case.lesion == t.NORMAL) & (case.tissue == t.WHITE)
        shown += int(flair[oedema].median() > flair[healthy].median())
    assert shown >= 2


def test_the_same_seed_paints_the_same_tumour(background: Background) -> None:
    first, second = (simulate_on_background(background, Chance(5, 1)) for _ in range(2))
    assert torch.equal(first.lesion, second.lesion)
    assert first.scan is not None
    assert second.scan is not None
    assert torch.equal(first.scan, second.scan)


def test_a_scan_without_fluid_takes_tumours_too(background: Background) -> None:
    solid = background.tissue.clone()
    classes = solid & TISSUE_MASK
    solid[(classes == t.CSF) | (classes == t.VENTRICLE)] = t.CORTEX
    for seed in range(6):
        chance = Chance(6, seed)
        case = simulate_on_background(Background(solid, background.images), chance, healthy=False)
        look = draw_recipe(case, chance).contrast.lesions
        assert torch.isfinite(look.mean).all()
        assert (look.mean[2, t.CYST] > 1).all()


def write(folder: Path, images: np.ndarray, edge: float = 1.0) -> Path:
    folder.mkdir()
    affine = np.diag([-edge, -edge, edge, 1.0])
    for suffix, image in zip(("t1n", "t1c", "t2w", "t2f"), images, strict=False):
        nibabel.save(
            nibabel.Nifti1Image(image.transpose(2, 1, 0)[:, :, ::-1], affine),
            folder / f"healthy-{suffix}.nii.gz",
        )
    return folder


def test_a_scan_is_read_from_files(tmp_path: Path, scan: np.ndarray) -> None:
    read = read_background(write(tmp_path / "healthy", scan))
    assert tuple(read.tissue.shape) == (SIDE, SIDE, SIDE)
    white = (procedural_head(0, SIDE) & TISSUE_MASK) == t.WHITE
    assert (
        float((read.tissue & TISSUE_MASK)[torch.from_numpy(white)].eq(t.WHITE).float().mean()) > 0.9
    )


def test_a_scan_that_cannot_serve_is_refused(tmp_path: Path, scan: np.ndarray) -> None:
    with pytest.raises(InputError, match="lacks FLAIR"):
        read_background(write(tmp_path / "three", scan[:3]))
    with pytest.raises(InputError, match="resample it to 1 mm"):
        read_background(write(tmp_path / "coarse", scan, edge=2.0))


def test_rendering_leaves_the_scan_as_it_was(background: Background) -> None:
    case = simulate_on_background(background, Chance(4), healthy=True)
    assert case.scan is not None
    before = case.scan.clone()
    i, p, left = case.shape
    first, again = (
        render(case, (slice(0, i), slice(0, p), slice(0, left)), recipe, Chance(6))
        for recipe in [draw_recipe(case, Chance(5))] * 2
    )
    assert torch.equal(case.scan, before)
    assert torch.equal(first, again)
