"""Surface distances, against brute force, MONAI and DeepMind's surface-distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from napari_mmseg.agreement import compare
from napari_mmseg.agreement.surfaces import bounding_box, distances, hausdorff_95, surface

from .masks import blobs, degenerate

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


@pytest.mark.filterwarnings("ignore::FutureWarning:monai.*")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), ANISOTROPIC])
def test_hd95_equals_monai(seed, spacing):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is the reference here")
    first, second = blobs(seed)
    batch = [torch.from_numpy(mask)[None, None].float() for mask in (first, second)]
    theirs = metrics.compute_hausdorff_distance(
        *batch, include_background=True, percentile=95, directed=False, spacing=list(spacing)
    )
    assert hausdorff_95(first, second, spacing) == pytest.approx(
        float(theirs[0, 0]), RELATIVE_TOLERANCE
    )


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


@given(masks, masks, spacings, st.floats(0.0, 8.0))
@settings(deadline=None, max_examples=60)
def test_nsd_equals_brute_force(first, second, spacing, tolerance):
    apart = distances(first, second, spacing)
    if apart is None:
        assert not first.any() or not second.any()
        return
    a, b = (brute_surface(mask) * np.array(spacing) for mask in (first, second))
    between = cdist(a, b)
    nearest = np.concatenate([between.min(axis=1), between.min(axis=0)])
    if np.abs(nearest - tolerance).min() < 1e-4:  # which side of it is float32's choice
        return
    assert apart.nsd(tolerance) == pytest.approx((nearest <= tolerance).mean())


@pytest.mark.parametrize("edge", [0.3, 0.7, 1.0, 1.1, 2.2])
def test_exactly_the_tolerance_is_within_it(edge):
    first = np.zeros((12, 5, 5), bool)
    first[4:7, 1:4, 1:4] = True
    apart = distances(first, np.roll(first, 1, 0), (edge, edge, edge))
    assert apart.nsd(edge) == 1
    assert apart.nsd(edge * 0.99) < 1


@pytest.mark.filterwarnings("ignore::FutureWarning:monai.*")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), ANISOTROPIC])
@pytest.mark.parametrize("tolerance", [1.0, 2.5])
def test_nsd_equals_monai(seed, spacing, tolerance):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is the reference here")
    first, second = blobs(seed)
    batch = [torch.from_numpy(mask)[None, None].float() for mask in (first, second)]
    theirs = metrics.compute_surface_dice(
        *batch, [tolerance], include_background=True, spacing=list(spacing)
    )
    assert distances(first, second, spacing).nsd(tolerance) == pytest.approx(float(theirs[0, 0]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # it imports scipy.ndimage.filters
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), ANISOTROPIC])
def test_nsd_by_area_is_near_on_blobs(seed, spacing):
    theirs = pytest.importorskip("surface_distance", reason="surface-distance is the reference")
    first, second = blobs(seed)
    measured = theirs.compute_surface_distances(first, second, spacing)
    apart = distances(first, second, spacing)
    for tolerance in (1.0, 3.0):
        assert apart.nsd(tolerance) == pytest.approx(
            theirs.compute_surface_dice_at_tolerance(measured, tolerance), abs=0.2
        )


@pytest.mark.filterwarnings("ignore:.*(all 0|empty|nan).*:UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning:monai.*")
@pytest.mark.parametrize("name", degenerate())
def test_degenerate_masks_equal_monai(name):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is the reference here")
    first, second = degenerate()[name]
    batch = [torch.from_numpy(mask)[None, None].float() for mask in (first, second)]
    options = {"include_background": True, "spacing": list(ANISOTROPIC)}
    hd95 = float(metrics.compute_hausdorff_distance(*batch, percentile=95, **options)[0, 0])
    nsd = float(metrics.compute_surface_dice(*batch, [2.0], **options)[0, 0])
    ours = compare(first, second, ANISOTROPIC, tolerance_mm=2.0)
    # Where MONAI says not-a-number or infinity, there is nothing to measure: None.
    if np.isfinite(hd95):
        assert ours.hd95_mm == pytest.approx(hd95, RELATIVE_TOLERANCE)
    else:
        assert ours.hd95_mm is None
    if np.isfinite(nsd):
        assert ours.nsd == pytest.approx(nsd)
    else:
        assert ours.nsd is None


def test_the_box_holds_the_mask_and_its_margin_within_the_array():
    mask = np.zeros((10, 10, 10), bool)
    mask[2:5, 9, 0] = True
    assert bounding_box(mask) == np.s_[2:5, 9:10, 0:1]
    assert bounding_box(mask, margin=3) == np.s_[0:8, 6:10, 0:4]
