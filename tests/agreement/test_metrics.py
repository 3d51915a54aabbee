"""Overlap and surface distance, against brute force and against two other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from napari_mmseg.agreement import RegionAgreement, compare, evaluate
from napari_mmseg.agreement.metrics import hausdorff_95, surface
from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import GeometryError, InputError
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

ANISOTROPIC = (3.0, 0.7, 1.1)

#: edt works in float32.
RELATIVE_TOLERANCE = 1e-5

masks = arrays(bool, (5, 6, 4))
spacings = st.tuples(*[st.floats(0.3, 6.0)] * 3)


def brute_surface(mask: np.ndarray) -> np.ndarray:
    """Indices of mask voxels with a face neighbour that is outside, one voxel at a time."""
    found = []
    for index in np.argwhere(mask):
        for axis in range(3):
            for step in (-1, 1):
                near = index.copy()
                near[axis] += step
                inside = (near >= 0).all() and (near < mask.shape).all() and mask[tuple(near)]
                if not inside:
                    found.append(tuple(index))
    return np.array(sorted(set(found)))


def brute_hd95(first: np.ndarray, second: np.ndarray, spacing: tuple[float, ...]) -> float:
    a, b = (brute_surface(mask) * np.array(spacing) for mask in (first, second))
    apart = cdist(a, b)
    return max(np.percentile(apart.min(axis=axis), 95) for axis in (0, 1))


@given(masks, masks, spacings)
@settings(deadline=None, max_examples=80)
def test_hd95_equals_brute_force(first, second, spacing):
    if not first.any() or not second.any():
        assert hausdorff_95(first, second, spacing) is None
        return
    expected = brute_hd95(first, second, spacing)
    assert hausdorff_95(first, second, spacing) == pytest.approx(expected, RELATIVE_TOLERANCE)


@given(masks)
@settings(deadline=None, max_examples=50)
def test_surface_equals_brute_force(mask):
    assert np.argwhere(surface(mask)).tolist() == brute_surface(mask).tolist()


@given(masks, masks)
@settings(deadline=None)
def test_ratios_are_their_definitions(prediction, reference):
    result = compare(prediction, reference, (1.0, 1.0, 1.0))
    hit = int((prediction & reference).sum())
    false, missed = int((prediction & ~reference).sum()), int((~prediction & reference).sum())
    assert result.dice == (2 * hit / (2 * hit + false + missed) if hit + false + missed else None)
    assert result.sensitivity == (hit / (hit + missed) if hit + missed else None)
    assert result.precision == (hit / (hit + false) if hit + false else None)
    assert result.volume_ml == pytest.approx((hit + false) / 1000)
    assert result.reference_volume_ml == pytest.approx((hit + missed) / 1000)


def _blobs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping noisy balls, one of which reaches the array's border."""
    random = np.random.default_rng(seed)
    index = np.indices((24, 30, 26))
    pair = []
    for _ in range(2):
        centre = random.uniform(2, 22, 3)[:, None, None, None]
        radius = random.uniform(3, 9)
        noise = random.normal(0, 0.7, index.shape[1:])
        pair.append(np.sqrt(((index - centre) ** 2).sum(0)) + noise < radius)
    return pair[0], pair[1]


@pytest.mark.filterwarnings("ignore::FutureWarning:monai.*")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), ANISOTROPIC])
def test_hd95_equals_monai(seed, spacing):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is the reference here")
    first, second = _blobs(seed)
    batch = [torch.from_numpy(mask)[None, None].float() for mask in (first, second)]
    theirs = metrics.compute_hausdorff_distance(
        *batch, include_background=True, percentile=95, directed=False, spacing=list(spacing)
    )
    assert hausdorff_95(first, second, spacing) == pytest.approx(
        float(theirs[0, 0]), RELATIVE_TOLERANCE
    )


@pytest.mark.parametrize("seed", range(3))
def test_overlap_equals_simpleitk(seed):
    sitk = pytest.importorskip("SimpleITK")
    first, second = _blobs(seed)
    images = [sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (first, second)]
    measured = sitk.LabelOverlapMeasuresImageFilter()
    measured.Execute(*images)  # (source, target): the target is the reference
    result = compare(first, second, (1.0, 1.0, 1.0))
    assert result.dice == pytest.approx(measured.GetDiceCoefficient())
    assert 1 - result.sensitivity == pytest.approx(measured.GetFalseNegativeError())
    assert 1 - result.precision == pytest.approx(measured.GetFalseDiscoveryRate())


def test_maximum_of_directed_percentiles_and_not_the_pooled_one():
    # A far island of 3 voxels beside 4: 43 % of one surface, but only 3 of 11 pooled.
    first = np.zeros((1, 1, 40), bool)
    second = first.copy()
    first[0, 0, :4] = second[0, 0, :4] = True
    first[0, 0, 30:33] = True
    assert hausdorff_95(first, second, (1.0, 1.0, 2.0)) == pytest.approx(
        np.percentile([0, 0, 0, 0, 54, 56, 58], 95)
    )
    assert hausdorff_95(second, first, (1.0, 1.0, 2.0)) == hausdorff_95(
        first, second, (1.0, 1.0, 2.0)
    )


@pytest.mark.parametrize("axis", range(3))
def test_one_voxel_shift_is_one_voxel_edge(axis):
    first = np.zeros((12, 12, 12), bool)
    first[4:7, 4:7, 4:7] = True
    second = np.roll(first, 1, axis)
    assert hausdorff_95(first, second, ANISOTROPIC) == pytest.approx(ANISOTROPIC[axis])


def test_both_empty_is_nothing_to_measure():
    empty = np.zeros((3, 3, 3), bool)
    assert compare(empty, empty, ANISOTROPIC) == RegionAgreement(None, None, None, None, 0.0, 0.0)


def test_one_empty_is_dice_zero_and_no_distance():
    empty, full = np.zeros((3, 3, 3), bool), np.ones((3, 3, 3), bool)
    missed = compare(empty, full, (1.0, 1.0, 1.0))
    assert (missed.dice, missed.hd95_mm, missed.sensitivity, missed.precision) == (0, None, 0, None)
    invented = compare(full, empty, (1.0, 1.0, 1.0))
    assert (invented.dice, invented.hd95_mm) == (0, None)
    assert (invented.sensitivity, invented.precision) == (None, 0)
    assert invented.volume_ml == pytest.approx(0.027)


def test_equal_masks_that_fill_the_image():
    full = np.ones((4, 4, 4), bool)
    result = compare(full, full, ANISOTROPIC)
    assert (result.dice, result.hd95_mm, result.sensitivity, result.precision) == (1, 0, 1, 1)


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(GeometryError, match="cannot be compared"):
        compare(np.ones((2, 2, 2), bool), np.ones((2, 2, 3), bool), (1.0, 1.0, 1.0))


def annotation(codes: np.ndarray, affine: np.ndarray | None = None, protocol: str = "glioma"):
    display = np.array([[0, 0, -1, 90], [0, -2, 0, 80], [-3, 0, 0, 70], [0, 0, 0, 1.0]])
    grid = Grid(codes.shape, display if affine is None else affine)
    return Annotation(codes.astype(np.uint8), grid, load_protocol(protocol), SourceSpace.of(grid))


def test_evaluate_measures_nested_regions_in_mm():
    reference, prediction = np.zeros((2, 9, 9, 9), int)
    reference[2:7, 2:7, 2:7] = 1
    reference[3:6, 3:6, 3:6] = 2
    reference[4, 4, 4] = 3
    prediction[2:7, 2:7, 2:7] = 1
    prediction[3:6, 3:6, 4:7] = 2
    result = evaluate(annotation(prediction), annotation(reference))
    assert list(result) == ["WT", "TC", "ET"]
    assert (result["WT"].dice, result["WT"].hd95_mm) == (1, 0)
    assert result["TC"].dice == pytest.approx(2 / 3)
    assert result["TC"].hd95_mm == pytest.approx(1.0)  # axis 2 has an edge of 1 mm
    assert (result["ET"].dice, result["ET"].hd95_mm, result["ET"].precision) == (0, None, None)
    assert result["WT"].volume_ml == pytest.approx(125 * 6 / 1000)


def test_a_sheared_grid_has_the_volume_of_its_determinant():
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[0, 1] = 1.0
    codes = np.ones((3, 3, 3), int)
    result = evaluate(annotation(codes, affine), annotation(codes, affine))
    assert result["WT"].volume_ml == pytest.approx(27 * 8 / 1000)
    assert math.isclose(result["WT"].dice, 1.0)


def test_different_grids_are_refused_with_both_named():
    near = annotation(np.ones((3, 4, 5), int))
    far = annotation(np.ones((3, 4, 5), int), np.diag([1.0, 1.0, 2.0, 1.0]))
    with pytest.raises(GeometryError, match=r"different grids.*3 x 4 x 5 voxels of .*"):
        evaluate(near, far)


def test_the_same_grid_elsewhere_is_refused_with_the_distance():
    moved = np.eye(4)
    moved[1, 3] = 3.0
    codes = np.ones((3, 4, 5), int)
    with pytest.raises(GeometryError, match=r"different grids.*up to 3 mm apart"):
        evaluate(annotation(codes, np.eye(4)), annotation(codes, moved))


def test_different_protocols_are_refused():
    codes = np.ones((2, 2, 2), int)
    with pytest.raises(InputError, match=r"glioma.*ms_lesion"):
        evaluate(annotation(codes), annotation(codes, protocol="ms_lesion"))
