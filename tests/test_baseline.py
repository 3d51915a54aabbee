"""The baseline without learning, on data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._mixture import fit_mixture, segment
from napari_mmseg.agreement import compare
from napari_mmseg.case import Case
from napari_mmseg.errors import InputError
from napari_mmseg.grid import Grid
from napari_mmseg.volume import Modality, SourceSpace, Volume

AFFINE = np.array([[0, 0, -1, 40], [0, -1, 0, 40], [-1, 0, 0, 40], [0, 0, 0, 1.0]])


def test_a_mixture_finds_its_own_gaussians():
    random = np.random.default_rng(3)
    first = random.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 6000)
    second = random.multivariate_normal([5, -2], [[0.5, 0], [0, 2]], 2000)
    mixture = fit_mixture(np.concatenate([first, second]), (0.0, 0.5, 1.0))
    order = np.argsort(mixture.means[:, 0])
    assert mixture.means[order] == pytest.approx(np.array([[0, 0], [5, -2]]), abs=0.15)
    assert mixture.shares[order] == pytest.approx([0.75, 0.25], abs=0.02)
    assert mixture.covariances[order[0]] == pytest.approx(np.array([[1, 0.6], [0.6, 1]]), abs=0.12)
    assert mixture.probabilities(second)[:, order[1]].mean() > 0.97


def head(*, tumour: bool = True, lacking: str = "") -> tuple[Case, dict[str, np.ndarray]]:
    """A ball of brain with a ring-enhancing tumour in it, and where its regions are."""
    side = 48
    random = np.random.default_rng(0)
    grid = np.indices((side,) * 3)
    brain = ((grid - 23.5) ** 2).sum(0) < 22**2
    away = np.sqrt(((grid - np.array([24, 20, 30])[:, None, None, None]) ** 2).sum(0))
    regions = {"WT": away < 9, "TC": away < 6, "ET": (away < 6) & (away >= 3.5)}
    white = ((grid - 23.5) ** 2).sum(0) < 17**2  # half of it, as in a brain
    levels = {"T1": (300, 400), "T1ce": (300, 400), "T2": (400, 300), "FLAIR": (400, 330)}
    painted = {
        "T1": (280, 270, 220),
        "T1ce": (290, 800, 200),
        "T2": (750, 600, 900),
        "FLAIR": (800, 750, 500),
    }
    space = SourceSpace.of(Grid(brain.shape, AFFINE))
    volumes = {}
    for name, (grey, bright) in levels.items():
        if name == lacking:
            continue
        image = np.where(white, bright, grey).astype(float)
        if tumour:
            oedema, rim, core = painted[name]
            image[regions["WT"]] = oedema
            image[regions["TC"]] = core
            image[regions["ET"]] = rim
        image = np.where(brain, image + random.normal(0, 15, image.shape), 0).astype(np.int16)
        volumes[Modality(name)] = Volume(image, space.display_grid, Modality(name), space)
    return Case("made up", volumes, Modality.FLAIR), regions


def test_a_textbook_ring_is_found():
    case, regions = head()
    found = segment(case)
    for name, least in (("WT", 0.9), ("TC", 0.85), ("ET", 0.7)):
        agreement = compare(found.region(name), regions[name], (1.0, 1.0, 1.0))
        assert agreement.dice > least, name


def test_a_healthy_brain_has_no_enhancing_tumour():
    case, _ = head(tumour=False)
    assert segment(case).volumes_ml["ET"] == 0


def test_a_missing_contrast_is_refused():
    case, _ = head(lacking="T2")
    with pytest.raises(InputError, match="lacks T2"):
        segment(case)
