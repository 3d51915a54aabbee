"""Agreement of several raters, against other implementations pair by pair."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_mmseg.agreement import CaseAgreement, RatersAgreement, agree, compare
from napari_mmseg.agreement.detection import LESION_MM3
from napari_mmseg.agreement.many import SURROUND_MM
from napari_mmseg.agreement.pair import PAIR_MEASURES
from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import GeometryError, InputError
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

from .masks import blobs, degenerate

ANISOTROPIC = (3.0, 0.7, 1.1)
TOLERANCE = 2.0

#: edt works in float32.
RELATIVE_TOLERANCE = 1e-5

ALGORITHMS = Path(__file__).parents[3] / "shared/data/tcga_du_7294/algorithm_segs"


def annotation(codes: np.ndarray, spacing=(1.0, 1.0, 1.0), protocol: str = "glioma") -> Annotation:
    grid = Grid(codes.shape, np.diag([*spacing, 1.0]))
    return Annotation(codes.astype(np.uint8), grid, load_protocol(protocol), SourceSpace.of(grid))


def of_masks(masks, spacing=ANISOTROPIC, **options) -> RatersAgreement:
    """Agreement of masks as one region's."""
    raters = {
        f"r{n}": annotation(mask, spacing, protocol="ms_lesion") for n, mask in enumerate(masks)
    }
    (found,) = agree(raters, **options).regions.values()
    return found


def four_raters(seed: int) -> list[np.ndarray]:
    return [*blobs(seed), *blobs(seed + 100)]


def near(value: float | None) -> object:
    return None if value is None else pytest.approx(value, RELATIVE_TOLERANCE)


@pytest.mark.parametrize("seed", range(4))
def test_every_pair_is_as_if_compared_alone(seed):
    masks = [*four_raters(seed), np.zeros((24, 30, 26), bool)]
    found = of_masks(masks, tolerance_mm=TOLERANCE)
    assert [(pair.first, pair.second) for pair in found.pairs] == list(
        combinations(["r0", "r1", "r2", "r3", "r4"], 2)
    )
    for pair, (first, second) in zip(found.pairs, combinations(masks, 2), strict=True):
        alone = compare(first, second, ANISOTROPIC, tolerance_mm=TOLERANCE)
        assert (pair.dice, pair.jaccard, pair.nsd) == pytest.approx(
            (alone.dice, alone.jaccard, alone.nsd)
        )
        assert pair.hd95_mm == near(alone.hd95_mm)
        assert pair.volume_difference_ml == pytest.approx(alone.volume_error_ml)


@pytest.mark.filterwarnings("ignore:.*(all 0|empty|nan).*:UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning:monai.*")
@pytest.mark.parametrize("name", ["blobs 0", "blobs 1", *degenerate()])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), ANISOTROPIC])
def test_pairs_equal_monai(name, spacing):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is the reference here")
    masks = blobs(int(name[-1])) if name.startswith("blobs") else degenerate()[name]
    (pair,) = of_masks(masks, spacing, tolerance_mm=TOLERANCE).pairs
    batch = [torch.from_numpy(mask)[None, None].float() for mask in masks]
    options = {"include_background": True, "spacing": list(spacing)}
    theirs = {
        "dice": metrics.compute_dice(*batch, include_background=True),
        "jaccard": metrics.compute_iou(*batch, include_background=True),
        "hd95_mm": metrics.compute_hausdorff_distance(*batch, percentile=95, **options),
        "mean_surface_mm": metrics.compute_average_surface_distance(
            *batch, symmetric=True, **options
        ),
        "nsd": metrics.compute_surface_dice(*batch, [TOLERANCE], **options),
    }
    for measure, value in theirs.items():
        # MONAI has no value for an empty reference, and infinity where only one mask is empty.
        number = float(value[0, 0])
        if np.isfinite(number):
            assert getattr(pair, measure) == near(number), measure
        elif measure.endswith("_mm") or not any(mask.any() for mask in masks):
            assert getattr(pair, measure) is None, measure


@pytest.mark.parametrize("seed", range(3))
def test_overlap_equals_simpleitk(seed):
    sitk = pytest.importorskip("SimpleITK")
    masks = four_raters(seed)
    for pair, two in zip(of_masks(masks).pairs, combinations(masks, 2), strict=True):
        measured = sitk.LabelOverlapMeasuresImageFilter()
        measured.Execute(*(sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in two))
        assert pair.dice == pytest.approx(measured.GetDiceCoefficient())
        assert pair.jaccard == pytest.approx(measured.GetJaccardCoefficient())


def surrounding(masks, spacing) -> np.ndarray:
    union = np.logical_or.reduce(masks)
    return ndimage.distance_transform_edt(~union, sampling=spacing) <= SURROUND_MM


@pytest.mark.parametrize("seed", range(4))
def test_kappa_is_statsmodels_inside_the_dilated_union(seed):
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    masks = four_raters(seed)
    near = surrounding(masks, ANISOTROPIC)
    votes = np.stack([mask[near] for mask in masks], axis=1)
    table, _ = inter_rater.aggregate_raters(votes.astype(int))
    found = of_masks(masks)
    assert found.fleiss_kappa == pytest.approx(inter_rater.fleiss_kappa(table))
    ratings = votes.size
    assert 1 - found.krippendorff_alpha == pytest.approx(
        (1 - found.fleiss_kappa) * (ratings - 1) / ratings
    )


@given(arrays(bool, (3, 5, 6, 4), elements=st.sampled_from([False] * 9 + [True])))
@settings(deadline=None, max_examples=40)
def test_kappa_of_few_voxels_at_the_border_is_statsmodels_too(masks):
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    spacing = (4.0, 3.0, 2.3)
    found = of_masks(masks, spacing)
    if not masks.any() or masks.all():
        assert found.fleiss_kappa is None
        return
    votes = masks.sum(axis=0)[surrounding(masks, spacing)]
    expected = inter_rater.fleiss_kappa(np.stack([3 - votes, votes], axis=1))
    assert found.fleiss_kappa == near(float(expected))


def test_kappa_does_not_know_the_field_of_view_nor_which_way_the_image_lies():
    masks = [np.pad(mask, 12) for mask in four_raters(2)]
    kappa = of_masks(masks).fleiss_kappa
    assert of_masks([np.pad(m, 30) for m in masks]).fleiss_kappa == pytest.approx(kappa)
    turned = [m.transpose(2, 0, 1)[:, ::-1] for m in masks]
    spacing = (ANISOTROPIC[2], ANISOTROPIC[0], ANISOTROPIC[1])
    assert of_masks(turned, spacing).fleiss_kappa == pytest.approx(kappa)


def brute_f1(first: np.ndarray, second: np.ndarray, voxel_mm3: float) -> float | None:
    shares = []
    for own, other in ((first, second), (second, first)):
        labels, count = ndimage.label(own, np.ones((3, 3, 3)))
        lesions = [labels == n for n in range(1, count + 1)]
        lesions = [les for les in lesions if les.sum() * voxel_mm3 >= LESION_MM3 - 1e-9]
        shares.append([bool((les & other).any()) for les in lesions])
    if not shares[0] and not shares[1]:
        return None
    if not any(map(any, shares)):
        return 0.0
    a, b = (np.mean(s) if s else 0.0 for s in shares)
    return 2 * a * b / (a + b)


@given(arrays(bool, (3, 6, 7, 5), elements=st.sampled_from([False] * 5 + [True])))
@settings(deadline=None, max_examples=60)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.5, 1.0)])
def test_f1_of_lesions_equals_brute_force(spacing, masks):
    found = of_masks(masks, spacing)
    for pair, (first, second) in zip(found.pairs, combinations(masks, 2), strict=True):
        expected = brute_f1(first, second, float(np.prod(spacing)))
        assert pair.lesion_f1 == near(expected)


def test_a_lesion_met_by_a_region_too_small_to_be_one_counts_as_missed():
    masks = np.zeros((2, 6, 7, 5), bool)
    masks[0, :3, 0, 0] = True
    masks[1, 2, 0, 0] = True
    (pair,) = of_masks(masks).pairs
    assert pair.lesion_f1 == 0.0


def test_energy_distance_and_diversity_are_their_definitions():
    from napari_mmseg.agreement.energy import energy_distance

    masks = four_raters(3)
    found = of_masks(masks)
    for n, rater in enumerate(found.raters):
        others = [mask for m, mask in enumerate(masks) if m != n]
        assert found.energy_distance[rater] == pytest.approx(energy_distance([masks[n]], others))
    unlike = [1 - pair.jaccard for pair in found.pairs]
    assert found.diversity == pytest.approx(2 * sum(unlike) / 4**2)


@given(arrays(bool, (3, 3, 4, 3)), st.permutations(range(3)))
@settings(deadline=None, max_examples=50)
def test_the_order_of_raters_does_not_matter(masks, order):
    straight, turned = of_masks(masks), of_masks([masks[n] for n in order])
    assert turned.fleiss_kappa == straight.fleiss_kappa
    for measure in PAIR_MEASURES:
        one, other = straight.matrix(measure), turned.matrix(measure)
        np.testing.assert_allclose(other, one[np.ix_(order, order)], RELATIVE_TOLERANCE)


def test_nobody_sees_the_region_and_nothing_is_said():
    found = of_masks(np.zeros((3, 4, 4, 4), bool))
    assert (found.both_empty, found.one_empty) == (3, 0)
    together = (found.fleiss_kappa, found.krippendorff_alpha, found.diversity, found.mean("dice"))
    assert together == (None,) * 4
    assert set(found.energy_distance.values()) == {None}
    for measure in PAIR_MEASURES[:-1]:
        assert found.values(measure) == []
        assert np.isnan(found.matrix(measure)).all()
    assert found.mean("volume_difference_ml") == 0


def test_some_see_the_region_and_those_pairs_are_counted():
    masks = np.zeros((5, 6, 6, 6), bool)
    masks[:2, 1:5, 1:5, 1:5] = True
    found = of_masks(masks)
    assert (found.both_empty, found.one_empty) == (3, 6)
    missed = found.pairs[1]
    ratios = (missed.dice, missed.jaccard, missed.nsd, missed.lesion_f1)
    assert ratios == (0, 0, 0, 0)
    assert missed.hd95_mm is missed.mean_surface_mm is None
    assert found.values("hd95_mm") == [0]
    assert found.mean("dice") == pytest.approx(1 / 7)


def test_all_agree_that_the_image_is_full():
    found = of_masks(np.ones((3, 4, 5, 3), bool))
    assert {pair.dice for pair in found.pairs} == {1.0}
    assert found.fleiss_kappa is None  # no voxel is outside: chance would agree too
    assert found.diversity == 0


def test_volume_differences_are_first_minus_second():
    masks = np.zeros((2, 9, 9, 9), bool)
    masks[0, :5], masks[1, :3] = True, True
    found = of_masks(masks, (2.0, 1.0, 1.0))
    assert found.pairs[0].volume_difference_ml == pytest.approx(2 * 81 * 2 / 1000)
    difference = found.matrix("volume_difference_ml")
    assert difference[0, 1] == -difference[1, 0] == pytest.approx(0.324)


def test_regions_hold_their_children():
    codes = np.zeros((9, 9, 9), int)
    codes[2:7, 2:7, 2:7] = 1
    codes[3:6, 3:6, 3:6] = 2
    codes[4, 4, 4] = 3
    found = agree({"a": annotation(codes), "b": annotation(np.minimum(codes, 2))})
    assert list(found.regions) == ["WT", "TC", "ET"]
    assert [region.pairs[0].dice for region in found.regions.values()] == [1, 1, 0]
    assert found.regions["TC"].volumes_ml == pytest.approx({"a": 0.027, "b": 0.027})


def test_facts_are_plain_json():
    masks = np.zeros((3, 4, 4, 4), bool)
    masks[0, :2] = True
    raters = {name: annotation(mask) for name, mask in zip("abc", masks, strict=True)}
    facts = json.loads(json.dumps(agree(raters).facts(), allow_nan=False))
    assert facts["raters"] == ["a", "b", "c"]
    assert list(facts["regions"]) == ["WT", "TC", "ET"]
    assert set(facts["regions"]["WT"]["pairs"][0]) == {"first", "second", *PAIR_MEASURES}
    assert facts["conventions"]["nsd_tolerance_mm"] == 1


def test_one_rater_cannot_agree():
    with pytest.raises(InputError, match="two raters or more"):
        agree({"a": annotation(np.ones((2, 2, 2)))})


def test_other_grids_and_protocols_are_refused_with_the_raters_named():
    codes = np.ones((3, 4, 5), int)
    with pytest.raises(GeometryError, match=r"^ann and bob lie on different grids"):
        agree({"ann": annotation(codes), "bob": annotation(codes, (1.0, 1.0, 2.0))})
    with pytest.raises(InputError, match=r"^ann follows the protocol glioma, bob ms_lesion"):
        agree({"ann": annotation(codes), "bob": annotation(codes, protocol="ms_lesion")})


@pytest.mark.skipif(not ALGORITHMS.is_dir(), reason="needs ../shared/data/tcga_du_7294")
def test_five_algorithms_of_a_real_case():
    from napari_mmseg.io import read_annotation

    raters: dict[str, Annotation] = {
        path.name.removesuffix(".nii.gz"): read_annotation(path, encoding="brats2017")
        for path in sorted(ALGORITHMS.iterdir())
    }
    found: CaseAgreement = agree(raters)
    assert len(found.raters) == 5
    assert found.regions["WT"].mean("dice") > found.regions["TC"].mean("dice") > 0.85
    # Only two of the five see enhancement.
    enhancing = found.regions["ET"]
    assert (enhancing.both_empty, enhancing.one_empty) == (3, 6)
    assert len(enhancing.values("hd95_mm")) == 1
