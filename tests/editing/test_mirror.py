"""The mid-sagittal plane is found in a tilted head with a tumour; masks are mirrored about it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_mmseg.editing import SymmetryPlane, mirrored, symmetry_plane

SHAPE = (40, 60, 50)
SPACING = (3.0, 2.5, 2.5)


def head(lean: tuple[float, float], shift: float) -> tuple[np.ndarray, SymmetryPlane]:
    """A brain with ventricles and folds, alike on both sides of a leaning plane, and a tumour."""
    points = (np.indices(SHAPE).T * SPACING).reshape(-1, 3)
    middle = (np.array(SHAPE) - 1) / 2 * SPACING + (0, 0, shift)
    normal = np.array([np.sin(np.radians(lean[0])), np.sin(np.radians(lean[1])), 1.0])
    normal /= np.linalg.norm(normal)
    across = (points - middle) @ normal
    rest = points - middle - across[:, None] * normal
    up, back = rest[:, 0], rest[:, 1]
    brain = (up / 50) ** 2 + (back / 68) ** 2 + (across / 52) ** 2 <= 1
    folds = 20 * np.cos(up / 6) * np.cos(back / 8 + 1) * np.cos(abs(across) / 7)
    ventricle = ((abs(across) - 8) / 6) ** 2 + (back / 25) ** 2 + (up / 12) ** 2 <= 1
    tumour = ((points - middle - (5, 20, 28)) ** 2).sum(axis=1) <= 14**2
    noise = np.random.default_rng(0).normal(0, 5, len(points))
    values = np.where(brain, 200 + folds - 120 * ventricle + 80 * tumour + noise, 0.0)
    plane = SymmetryPlane(tuple(normal.tolist()), float(normal @ middle))  # type: ignore[arg-type]
    return values.reshape(SHAPE[::-1]).T, plane


@pytest.mark.parametrize(("lean", "shift"), [((0, 0), 0.0), ((6, -5), 6.0), ((-8, 9), -7.5)])
def test_the_plane_is_found(lean, shift):
    image, truth = head(lean, shift)
    found = symmetry_plane(image, SPACING)
    angle = np.degrees(np.arccos(min(np.dot(found.normal, truth.normal), 1.0)))
    assert angle < 1.5
    middle = (np.array(SHAPE) - 1) / 2 * SPACING
    apart = np.dot(found.normal, middle) - found.offset
    assert abs(apart - (np.dot(truth.normal, middle) - truth.offset)) < 1.5


def test_a_mask_lands_on_the_other_side_and_comes_back():
    plane = SymmetryPlane((np.sin(0.1), 0.0, np.cos(0.1)), 60.0)
    at = np.indices(SHAPE).T * SPACING
    mask = (((at - (60, 80, 85)) ** 2).sum(axis=-1) <= 15**2).T
    other = mirrored(mask, plane, SPACING)
    centre = np.array(ndimage.center_of_mass(other)) * SPACING
    np.testing.assert_allclose(centre, plane.mirrored(np.array([60.0, 80.0, 85.0])), atol=0.5)
    assert abs(int(other.sum()) - int(mask.sum())) < 0.05 * mask.sum()
    back = mirrored(other, plane, SPACING)
    assert 2 * (back & mask).sum() / (back.sum() + mask.sum()) > 0.93


def test_about_the_middle_of_the_array_it_is_a_flip():
    mask = np.random.default_rng(0).random((6, 7, 8)) < 0.3
    plane = SymmetryPlane((0.0, 0.0, 1.0), 3.5)
    np.testing.assert_array_equal(mirrored(mask, plane, (1.0, 1.0, 1.0)), mask[:, :, ::-1])


def test_what_leaves_the_image_or_is_empty_does_not_fail():
    mask = np.zeros((4, 5, 6), bool)
    plane = SymmetryPlane((0.0, 0.0, 1.0), 50.0)
    assert not mirrored(mask, plane, (1.0, 1.0, 1.0)).any()
    mask[2, 2, 2] = True
    assert not mirrored(mask, plane, (1.0, 1.0, 1.0)).any()
    flat = symmetry_plane(np.zeros((4, 5, 6)), (1.0, 1.0, 1.0))
    assert flat.normal == pytest.approx((0.0, 0.0, 1.0), abs=0.5)
