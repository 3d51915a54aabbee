"""Where voxels lie: judged against nibabel and by hand."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.errors import GeometryError
from napari_mmseg.grid import DISPLAY_ORIENTATION, Grid, Reorientation

SHAPE = (3, 4, 5)


ANGLES = st.one_of(st.floats(-180, 180), st.sampled_from([0, 30, 45, 54.7356103, 60, 90, 135]))


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Any pose, ties at 45 degrees among them, with voxels of 0.1 to 10 mm and a little shear."""
    x, y, z = np.radians([draw(ANGLES) for _ in range(3)])
    turn = nib.eulerangles.euler2mat(z, y, x)
    shear = np.eye(3) + draw(arrays(np.float64, (3, 3), elements=st.floats(-0.05, 0.05)))
    affine = np.eye(4)
    spacing = draw(arrays(np.float64, 3, elements=st.floats(0.1, 10)))
    affine[:3, :3] = draw(st.sampled_from([np.eye(3), shear])) @ turn * spacing
    affine[:3, 3] = draw(arrays(np.float64, 3, elements=st.floats(-200, 200)))
    return affine


@given(affines())
def test_display_orientation_keeps_every_voxel_in_its_place(affine: np.ndarray) -> None:
    grid = Grid(SHAPE, affine)
    change = grid.to_orientation()
    array = np.arange(60).reshape(SHAPE)
    shown = change.apply(array)
    upright = grid.reoriented(change)
    assert shown.shape == upright.shape
    assert upright.orientation == DISPLAY_ORIENTATION
    here = np.argwhere(np.ones(shown.shape, dtype=bool))
    there = np.stack(np.unravel_index(shown[tuple(here.T)], SHAPE), axis=-1)
    np.testing.assert_allclose(
        upright.to_world(here), nib.affines.apply_affine(affine, there), atol=1e-8
    )
    np.testing.assert_array_equal(change.invert(shown), array)


@given(affines(), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_a_turned_copy_comes_to_the_same_display(
    affine: np.ndarray, axes: list[int], flips: tuple[bool, ...]
) -> None:
    """Or labels saved in another axis order would not fit their own image."""
    grid = Grid(SHAPE, affine)
    turned = grid.reoriented(Reorientation(tuple(axes), flips))  # type: ignore[arg-type]
    one, other = (g.reoriented(g.to_orientation()) for g in (grid, turned))
    assert one.same_as(other)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(affines())
def test_orientation_is_nibabels_where_the_axes_are_clear(affine: np.ndarray) -> None:
    grid = Grid(SHAPE, affine)
    assume(grid.obliquity_deg < 40)
    assert grid.orientation == "".join(nib.aff2axcodes(affine))


@given(affines())
def test_world_and_index_are_inverse(affine: np.ndarray) -> None:
    grid = Grid(SHAPE, affine)
    index = np.array([[0, 0, 0], [2, 3, 4], [1.5, -2, 10]])
    np.testing.assert_allclose(grid.to_index(grid.to_world(index)), index, atol=1e-6)


@given(affines())
def test_spacing_and_volume(affine: np.ndarray) -> None:
    grid = Grid(SHAPE, affine)
    np.testing.assert_allclose(grid.spacing, nib.affines.voxel_sizes(affine))
    assert grid.voxel_volume_ml == pytest.approx(abs(np.linalg.det(affine[:3, :3])) / 1000)


def test_channels_follow_along() -> None:
    change = Grid(SHAPE, np.diag([1.0, 1, 1, 1])).to_orientation()
    array = np.arange(120).reshape(*SHAPE, 2)
    shown = change.apply(array)
    assert shown.shape == (5, 4, 3, 2)
    np.testing.assert_array_equal(shown[..., 1], change.apply(array[..., 1]))
    np.testing.assert_array_equal(change.invert(shown), array)


def test_identity_is_known() -> None:
    upright = Grid(SHAPE, [[0, 0, -1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1]])
    assert upright.orientation == "IPL"
    assert upright.to_orientation().is_identity
    assert not Grid(SHAPE, np.eye(4)).to_orientation().is_identity


@pytest.mark.parametrize(
    ("degrees", "oblique"), [(0, False), (0.01, False), (0.2, True), (44, True)]
)
def test_obliquity(degrees: float, oblique: bool) -> None:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    grid = Grid(SHAPE, [[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]])
    assert grid.obliquity_deg == pytest.approx(degrees, abs=1e-5)
    assert grid.is_oblique is oblique


def test_display_translate_is_the_place_of_the_first_voxel() -> None:
    affine = np.array([[0, 0, -1.0, 10], [0, -2.0, 0, 20], [-3.0, 0, 0, 30], [0, 0, 0, 1]])
    assert Grid(SHAPE, affine).display_translate == (-30, -20, -10)


def test_same_as_measures_in_voxels() -> None:
    grid = Grid(SHAPE, np.diag([0.5, 0.5, 5, 1]))

    def moved(mm: float) -> Grid:
        affine = grid.affine.copy()
        affine[0, 3] += mm
        return Grid(SHAPE, affine)

    assert grid.same_as(moved(0.004))
    assert not grid.same_as(moved(0.006))
    assert grid.same_as(moved(0.04), tolerance=0.1)
    assert not grid.same_as(Grid((3, 4, 6), grid.affine))
    tilted = grid.affine.copy()
    tilted[0, 2] += 0.01  # the far end of five slices moves by 0.04 mm
    assert not grid.same_as(Grid(SHAPE, tilted))


def test_overlap() -> None:
    grid = Grid((10, 10, 10), np.eye(4))

    def at(x: float, size: float = 1.0) -> Grid:
        affine = np.diag([size, size, size, 1.0])
        affine[0, 3] = x
        return Grid((10, 10, 10), affine)

    for x in (-9, 0, 9):
        assert grid.overlaps(at(x))
    assert grid.overlaps(at(-50, size=20))
    assert not grid.overlaps(at(11))
    assert not grid.overlaps(at(-11))


@pytest.mark.parametrize(
    ("shape", "affine", "words"),
    [
        (SHAPE, np.zeros((4, 4)), "to one place"),
        (SHAPE, np.diag([1.0, 0, 1, 1]), "to one place"),
        (SHAPE, np.diag([1.0, np.nan, 1, 1]), "finite"),
        (SHAPE, np.eye(3), "4x4"),
        ((3, 4), np.eye(4), "three sides"),
        ((3, 0, 4), np.eye(4), "at least one voxel"),
    ],
)
def test_impossible_grids(shape: tuple[int, ...], affine: np.ndarray, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        Grid(shape, affine)  # type: ignore[arg-type]


def test_tiny_voxels_are_not_singular() -> None:
    assert Grid(SHAPE, np.diag([1e-3, 1e-3, 1e-3, 1])).spacing == pytest.approx((1e-3,) * 3)


def test_a_grid_cannot_be_changed_from_outside() -> None:
    affine = np.eye(4)
    grid = Grid(SHAPE, affine)
    affine[0, 0] = 7
    assert grid.affine[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 7
    assert grid == Grid(SHAPE, np.eye(4))
    assert hash(grid) == hash(Grid(SHAPE, np.eye(4)))
    assert grid != Grid(SHAPE, np.diag([2.0, 1, 1, 1]))
    assert grid != "grid"
