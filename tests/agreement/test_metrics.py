"""Overlap and volumes of regions, against their definitions and other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from napari_mmseg.agreement import RegionAgreement, compare, evaluate
from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import GeometryError, InputError
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

from .masks import blobs

ANISOTROPIC = (3.0, 0.7, 1.1)

masks = arrays(bool, (5, 6, 4))


@given(masks, masks)
@settings(deadline=None)
def test_ratios_are_their_definitions(prediction, reference):
    result = compare(prediction, reference, (1.0, 1.0, 1.0))
    hit = int((prediction & reference).sum())
    false, missed = int((prediction & ~reference).sum()), int((~prediction & reference).sum())
    assert result.dice == (2 * hit / (2 * hit + false + missed) if hit + false + missed else None)
    assert result.sensitivity == (hit / (hit + missed) if hit + missed else None)
    assert result.precision == (hit / (hit + false) if hit + false else None)
    rest = prediction.size - hit - false - missed
    assert result.specificity == (rest / (rest + false) if rest + false else None)
    assert result.jaccard == (hit / (hit + false + missed) if hit + false + missed else None)
    assert result.volume_ml == pytest.approx((hit + false) / 1000)
    assert result.reference_volume_ml == pytest.approx((hit + missed) / 1000)
    assert result.volume_error_ml == pytest.approx((false - missed) / 1000)
    assert result.volume_error == ((false - missed) / (hit + missed) if hit + missed else None)


@pytest.mark.parametrize("seed", range(3))
def test_overlap_equals_simpleitk(seed):
    sitk = pytest.importorskip("SimpleITK")
    first, second = blobs(seed)
    images = [sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (first, second)]
    measured = sitk.LabelOverlapMeasuresImageFilter()
    measured.Execute(*images)  # (source, target): the target is the reference
    result = compare(first, second, (1.0, 1.0, 1.0))
    assert result.dice == pytest.approx(measured.GetDiceCoefficient())
    assert 1 - result.sensitivity == pytest.approx(measured.GetFalseNegativeError())
    assert 1 - result.precision == pytest.approx(measured.GetFalseDiscoveryRate())
    assert result.jaccard == pytest.approx(measured.GetJaccardCoefficient())


@pytest.mark.filterwarnings("ignore::FutureWarning:monai.*")
@pytest.mark.parametrize("seed", range(3))
def test_ratios_equal_monai(seed):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is the reference here")
    first, second = blobs(seed)
    result = compare(first, second, ANISOTROPIC)
    batch = [torch.from_numpy(mask)[None, None].float() for mask in (first, second)]
    confusion = metrics.get_confusion_matrix(*batch, include_background=True)
    for name in ("specificity", "sensitivity", "precision"):
        theirs = metrics.compute_confusion_matrix_metric(name, confusion)
        assert getattr(result, name) == pytest.approx(float(theirs[0, 0]))
    assert result.dice == pytest.approx(
        float(metrics.compute_dice(*batch, include_background=True)[0, 0])
    )


def test_both_empty_is_nothing_to_measure():
    empty = np.zeros((3, 3, 3), bool)
    assert compare(empty, empty, ANISOTROPIC) == RegionAgreement(
        dice=None,
        hd95_mm=None,
        sensitivity=None,
        precision=None,
        volume_ml=0.0,
        reference_volume_ml=0.0,
        specificity=1.0,
        jaccard=None,
        nsd=None,
        volume_error_ml=0.0,
        volume_error=None,
        lesionwise_dice=1.0,  # the challenge's convention, in these two alone
        lesionwise_hd95_mm=0.0,
        lesions=0,
        lesions_missed=0,
        lesions_invented=0,
    )


def test_one_empty_is_dice_zero_and_no_distance():
    empty, full = np.zeros((3, 3, 3), bool), np.ones((3, 3, 3), bool)
    missed = compare(empty, full, (1.0, 1.0, 1.0))
    assert (missed.dice, missed.hd95_mm, missed.sensitivity, missed.precision) == (0, None, 0, None)
    assert (missed.nsd, missed.volume_error, missed.specificity) == (0, -1, None)
    invented = compare(full, empty, (1.0, 1.0, 1.0))
    assert (invented.nsd, invented.volume_error, invented.specificity) == (0, None, 0)
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
