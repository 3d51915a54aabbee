"""A case is a set of volumes on one grid that knows what it lacks."""

from __future__ import annotations

import numpy as np
import pytest

from napari_mmseg.case import Case
from napari_mmseg.errors import GeometryError, InputError
from napari_mmseg.grid import Grid
from napari_mmseg.volume import Modality, SourceSpace, Volume


def volume(modality: Modality, shift_mm: float = 0.0) -> Volume:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[0, 3] = shift_mm
    source = SourceSpace.of(Grid((4, 5, 6), affine))
    return Volume(np.zeros((6, 5, 4), np.int16), source.display_grid, modality, source)


def test_modalities_come_in_the_order_of_the_network_and_the_missing_are_named() -> None:
    volumes = {m: volume(m) for m in (Modality.FLAIR, Modality.T1)}
    case = Case("x", volumes, Modality.FLAIR)
    assert case.modalities == (Modality.T1, Modality.FLAIR)
    assert case.missing == (Modality.T1CE, Modality.T2)
    assert case.grid == case.volumes[Modality.FLAIR].grid
    assert case.source.grid.orientation == "LPS"


def test_a_case_cannot_be_changed() -> None:
    case = Case("x", {Modality.T1: volume(Modality.T1)}, Modality.T1)
    with pytest.raises(TypeError):
        case.volumes[Modality.T2] = volume(Modality.T2)  # type: ignore[index]


def test_volumes_on_different_grids_are_refused() -> None:
    volumes = {
        Modality.T1: volume(Modality.T1),
        Modality.T2: volume(Modality.T2, shift_mm=2.0),
    }
    with pytest.raises(GeometryError, match="T2 lies on another grid"):
        Case("x", volumes, Modality.T1)


def test_a_case_without_images_is_refused() -> None:
    with pytest.raises(InputError, match="no image"):
        Case("x", {}, Modality.T1)
