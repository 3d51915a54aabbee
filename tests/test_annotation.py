"""An annotation holds only codes of its protocol, on a grid that fits, and measures its regions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import EncodingError, GeometryError
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

GLIOMA = load_protocol("glioma")
FILE_GRID = Grid((5, 4, 3), np.diag([-1.0, -2.0, 3.0, 1.0]))


def annotation(codes: np.ndarray) -> Annotation:
    source = SourceSpace.of(FILE_GRID)
    return Annotation(codes, source.display_grid, GLIOMA, source)


def test_the_display_grid_points_to_inferior_posterior_left() -> None:
    space = SourceSpace.of(FILE_GRID)
    assert FILE_GRID.orientation == "LPS"
    assert space.display_grid.orientation == "IPL"
    assert space.display_grid.shape == (3, 4, 5)


def test_region_volumes_count_the_children_in_millilitres() -> None:
    codes = np.zeros((3, 4, 5), np.uint8)
    codes[0, 0, :3] = 1
    codes[1, 0, :2] = 2
    codes[2, 0, 0] = 3
    voxel_ml = 6 / 1000
    expected = {"WT": 6 * voxel_ml, "TC": 3 * voxel_ml, "ET": voxel_ml}
    assert annotation(codes).volumes_ml == pytest.approx(expected)


@given(hnp.arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 3)))
def test_regions_are_nested_whatever_the_codes(codes: np.ndarray) -> None:
    labels = annotation(codes)
    whole, core, enhancing = (labels.region(name) for name in ("WT", "TC", "ET"))
    assert not (core & ~whole).any()
    assert not (enhancing & ~core).any()


def test_codes_that_the_protocol_does_not_know_are_refused() -> None:
    with pytest.raises(EncodingError, match="code 4"):
        annotation(np.full((3, 4, 5), 4, np.uint8))
    with pytest.raises(EncodingError, match="uint8"):
        annotation(np.zeros((3, 4, 5), np.int32))


def test_labels_of_another_shape_are_refused() -> None:
    with pytest.raises(GeometryError, match="do not fit"):
        annotation(np.zeros((5, 4, 3), np.uint8))
