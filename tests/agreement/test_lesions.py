"""Lesion-wise scores, against an example worked by hand and the rules taken plainly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_mmseg.agreement import LesionAgreement, lesion_wise

ONE_MM = (1.0, 1.0, 1.0)


def block(shape: tuple[int, int, int], *boxes: tuple[slice, slice, slice]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for box in boxes:
        mask[box] = True
    return mask


def test_an_example_worked_by_hand():
    """Three scored lesions (found, found, missed), a tiny one, one invented component.

    - A: 5x5x5 = 125 voxels, predicted one voxel to the side: 100 shared, Dice 2*100/250 = 0.8,
      no surface further than 1 mm away and more than 5 % of it just that: HD95 1.
    - B: two blocks of 4x4x4 with 6 empty planes between them, which three dilations on each side
      fill: one lesion of 128 voxels. Its first block alone is predicted: Dice 2*64/(64+128) = 2/3.
      The second block's surface lies 6 to 10 mm from the first's end, its far face (more than
      5 % of all) 10 mm: HD95 10.
    - C: 4x4x4 with nothing near: missed, Dice 0, HD95 374.
    - D: 2x2x2 = 8 voxels, not scored; the prediction that covers it is not invented either.
    - one voxel elsewhere: invented, Dice 0, HD95 374.

    Dice (0.8 + 2/3 + 0 + 0) / 4; HD95 (1 + 10 + 374 + 374) / 4.
    """
    shape = (60, 30, 30)
    first, second = np.s_[20:24, 2:6, 2:6], np.s_[30:34, 2:6, 2:6]
    reference = block(
        shape, np.s_[2:7, 2:7, 2:7], first, second, np.s_[44:48, 2:6, 2:6], np.s_[2:4, 20:22, 20:22]
    )
    prediction = block(
        shape, np.s_[3:8, 2:7, 2:7], first, np.s_[2:4, 20:22, 20:22], np.s_[55, 25, 25]
    )
    assert lesion_wise(prediction, reference, ONE_MM) == LesionAgreement(
        dice=pytest.approx((0.8 + 2 / 3) / 4),
        hd95_mm=pytest.approx((1 + 10 + 374 + 374) / 4),
        lesions=3,
        missed=1,
        invented=1,
    )


@pytest.mark.parametrize(("gap", "lesions"), [(6, 1), (7, 2)])
def test_islands_whose_dilations_touch_are_one_lesion(gap, lesions):
    # Three dilations reach over 3 voxels from each side, and touching corners join (26 neighbours).
    start = 10 + gap
    mask = block((40, 12, 12), np.s_[6:10, 4:8, 4:8], np.s_[start : start + 4, 4:8, 4:8])
    assert lesion_wise(mask, mask, ONE_MM).lesions == lesions


@pytest.mark.parametrize(("gap", "missed"), [(2, 0), (3, 1)])
def test_a_prediction_belongs_to_a_lesion_within_three_voxels(gap, missed):
    reference = block((40, 12, 12), np.s_[6:10, 4:8, 4:8])
    prediction = block((40, 12, 12), np.s_[10 + gap : 14 + gap, 4:8, 4:8])
    result = lesion_wise(prediction, reference, ONE_MM)
    assert (result.dice, result.missed, result.invented) == (0, missed, missed)
    assert (result.hd95_mm == 374) == bool(missed)


@pytest.mark.parametrize(("thick", "scored"), [(1, 0), (2, 1)])
def test_fifty_cubic_millimetres_are_not_scored(thick, scored):
    reference = block((20, 20, 20), np.s_[5:10, 5:10, 5 : 5 + 2])  # 50 voxels
    tall = (1.0, 1.0, float(thick))
    result = lesion_wise(np.zeros_like(reference), reference, tall)
    assert (result.lesions, result.missed) == (scored, scored)
    assert result.dice == (0 if scored else 1)
    assert result.hd95_mm == (374 if scored else 0)


def test_degenerate_masks_follow_the_challenge():
    empty = np.zeros((9, 9, 9), bool)
    full = np.ones((9, 9, 9), bool)
    assert lesion_wise(empty, empty, ONE_MM) == LesionAgreement(1, 0, 0, 0, 0)
    assert lesion_wise(full, full, ONE_MM) == LesionAgreement(1, 0, 1, 0, 0)
    assert lesion_wise(empty, full, ONE_MM) == LesionAgreement(0, 374, 1, 1, 0)
    assert lesion_wise(full, empty, ONE_MM) == LesionAgreement(0, 374, 0, 0, 1)


def plainly(prediction: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """The rules one after the other on the whole array, with other libraries; voxels of 1 mm."""
    theirs = pytest.importorskip("surface_distance", reason="surface-distance is the reference")
    every, faces_and_edges = (ndimage.generate_binary_structure(3, n) for n in (3, 2))
    near = reference
    for _ in range(3):
        near = ndimage.binary_dilation(near, faces_and_edges)
    zones, count = ndimage.label(near, every)
    components, predicted = ndimage.label(prediction, every)
    claimed: set[int] = set()
    dice: list[float] = []
    hd95: list[float] = []
    for zone in range(1, count + 1):
        touching = set(np.unique(components[zones == zone])) - {0}
        claimed |= touching
        lesion = reference & (zones == zone)
        if lesion.sum() <= 50:
            continue
        found = np.isin(components, list(touching))
        dice.append(2 * (found & lesion).sum() / (found.sum() + lesion.sum()))
        if touching:
            measured = theirs.compute_surface_distances(lesion, found, ONE_MM)
            hd95.append(theirs.compute_robust_hausdorff(measured, 95))
        else:
            hd95.append(374.0)
    invented = predicted - len(claimed)
    dice += [0.0] * invented
    hd95 += [374.0] * invented
    return (np.mean(dice), np.mean(hd95)) if dice else (1.0, 0.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # it imports scipy.ndimage.filters
@given(st.integers(0, 10**6), st.floats(0.9, 1.6), st.floats(0.9, 1.6))
@settings(deadline=None, max_examples=20)
def test_scores_equal_the_rules_taken_plainly(seed, level, other_level):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(30, 26, 22))
    smooth = [
        ndimage.gaussian_filter(shared + 0.4 * random.normal(size=shared.shape), 2.0, truncate=2.0)
        for _ in range(2)
    ]
    reference, prediction = (
        field > limit * field.std()
        for field, limit in zip(smooth, (level, other_level), strict=True)
    )
    result = lesion_wise(prediction, reference, ONE_MM)
    assert (result.dice, result.hd95_mm) == pytest.approx(plainly(prediction, reference))
