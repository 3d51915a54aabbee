"""HD95 by area, against the package that defined it and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis.extra.numpy import arrays

from napari_mmseg.agreement.surfels import hausdorff_95_by_area, piece_areas

from .masks import blobs

ANISOTROPIC = (3.0, 0.7, 1.1)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # surface-distance's imports


def by_the_package(first: np.ndarray, second: np.ndarray, spacing: tuple[float, ...]) -> float:
    theirs = pytest.importorskip("surface_distance", reason="surface-distance is the reference")
    measured = theirs.compute_surface_distances(first, second, spacing)
    return float(theirs.compute_robust_hausdorff(measured, 95))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), ANISOTROPIC])
def test_blobs_are_as_far_apart_as_the_package_says(seed, spacing):
    first, second = blobs(seed)
    expected = by_the_package(first, second, spacing)
    assert hausdorff_95_by_area(first, second, spacing) == pytest.approx(expected, 1e-5)


@given(arrays(bool, (4, 5, 4)), arrays(bool, (4, 5, 4)))
@settings(deadline=None, max_examples=40)
def test_noise_is_as_far_apart_as_the_package_says(first, second):
    assume(first.any() and second.any())  # it says np.Inf of others, which numpy 2 has no more
    expected = by_the_package(first, second, (1.0, 1.0, 1.0))
    assert hausdorff_95_by_area(first, second, (1.0, 1.0, 1.0)) == pytest.approx(expected, 1e-5)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), ANISOTROPIC])
def test_all_areas_equal_the_packages(spacing):
    pytest.importorskip("surface_distance", reason="surface-distance is the reference")
    from surface_distance import lookup_tables

    theirs = lookup_tables.create_table_neighbour_code_to_surface_area(spacing)
    bits = [int(bit) for bit in lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL.ravel()]
    for code, area in enumerate(piece_areas(spacing)):
        other = sum(bit for n, bit in enumerate(bits) if code >> n & 1)
        assert area == pytest.approx(theirs[other], abs=1e-9)


def test_one_empty_mask_has_no_distance():
    empty, full = np.zeros((3, 3, 3), bool), np.ones((3, 3, 3), bool)
    assert hausdorff_95_by_area(empty, full, ANISOTROPIC) is None
    assert hausdorff_95_by_area(full, empty, ANISOTROPIC) is None
    assert hausdorff_95_by_area(full, full, ANISOTROPIC) == 0


@pytest.mark.parametrize(
    ("code", "area"),
    [
        (0, 0.0),
        (255, 0.0),
        (0b00001111, 2.0 * 3.0),  # four voxels on one side of the first axis: a flat face
        (0b00110011, 1.0 * 3.0),
        (0b01010101, 1.0 * 2.0),
        (1, 0.5 * np.sqrt((2 * 3) ** 2 + (1 * 3) ** 2 + (1 * 2) ** 2) / 4),  # one corner cut off
    ],
)
def test_areas_of_pieces_by_hand(code, area):
    assert piece_areas((1.0, 2.0, 3.0))[code] == pytest.approx(area)


def test_inside_and_outside_share_their_surface_where_it_is_simple():
    areas = piece_areas((1.0, 2.0, 3.0))
    for bit in range(8):
        assert areas[1 << bit] == pytest.approx(areas[255 - (1 << bit)])
