"""Consensus: voting by hand, planted performance, nesting, real raters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.agreement.consensus import METHODS, consensus
from napari_mmseg.agreement.consensus.nesting import nested
from napari_mmseg.agreement.consensus.simple import simple
from napari_mmseg.agreement.consensus.staple import staple
from napari_mmseg.agreement.panel import NEIGHBOURHOOD_MM, codes_sha256, panel_of
from napari_mmseg.errors import GeometryError, InputError
from napari_mmseg.io import read_annotation

from .raters import UPRIGHT, ball, said, siblings, tumour

REAL = Path(__file__).parents[2] / "../shared/data/tcga_du_7294"

each_method = pytest.mark.parametrize("method", METHODS)

opinions = arrays(np.uint8, (4, 3, 5), elements=st.integers(0, 3))
panels = st.lists(opinions, min_size=1, max_size=5)


def by_name(codes: list[np.ndarray], protocol: object = "glioma") -> dict[str, object]:
    return {chr(ord("A") + i): said(one, protocol) for i, one in enumerate(codes)}


@given(panels, st.sampled_from(["out", "in"]))
@settings(deadline=None, max_examples=60)
def test_the_majority_is_counted_voxel_by_voxel(codes, ties):
    found = consensus(by_name(codes), ties=ties)
    votes = np.stack(codes)
    for depth, region in enumerate(("WT", "TC", "ET"), start=1):
        yes = (votes >= depth).sum(0)
        enough = 2 * yes >= len(codes) if ties == "in" else 2 * yes > len(codes)
        assert np.array_equal(found.annotation.region(region), enough & (yes > 0))
        assert np.allclose(found.soft[region], yes / len(codes))
        assert found.soft[region].dtype == np.float32


@given(panels, st.sampled_from(METHODS))
@settings(deadline=None, max_examples=60)
def test_no_probability_exceeds_its_parents(codes, method):
    found = consensus(by_name(codes), method)
    wt, tc, et = (found.soft[name] for name in ("WT", "TC", "ET"))
    assert (wt >= tc).all()
    assert (tc >= et).all()
    assert wt.max() <= 1
    assert et.min() >= 0
    # What is in a region is also probable there.
    for region in ("WT", "TC", "ET"):
        assert (found.soft[region][found.annotation.region(region)] >= 0.5).all()


@each_method
def test_raters_of_one_mind_get_what_they_said(method):
    codes = tumour()
    found = consensus(by_name([codes] * 3), method)
    assert np.array_equal(found.annotation.codes, codes)
    for region in found.raters.values():
        assert {(r.sensitivity, r.specificity) for r in region.values()} == {(1.0, 1.0)}


@each_method
def test_one_rater_gets_what_they_said_and_is_told(method):
    found = consensus({"A": said(tumour())}, method)
    assert np.array_equal(found.annotation.codes, tumour())
    assert found.notes == ("there is one rater only: the consensus is what they say",)


@each_method
def test_nothing_marked_is_nothing_and_says_nothing_of_the_raters(method):
    found = consensus(by_name([np.zeros((6, 5, 4), np.uint8)] * 3), method)
    assert not found.annotation.codes.any()
    assert not any(soft.any() for soft in found.soft.values())
    for region in found.raters.values():
        assert all(r.sensitivity is r.specificity is r.weight is None for r in region.values())
    assert found.facts()["raters"]["ET"]["A"]["sensitivity"] is None


@each_method
def test_a_region_that_fills_the_image(method):
    full = np.full((4, 4, 4), 3, np.uint8)
    half = full.copy()
    half[:2] = 0
    found = consensus(by_name([full, full, half]), method)
    assert (found.annotation.codes == 3).all()


@each_method
def test_inputs_stay_as_they_are_and_are_named(method):
    raters = by_name([tumour(), tumour(radius=6), tumour(radius=7)])
    before = {name: r.codes.copy() for name, r in raters.items()}
    found = consensus(raters, method)
    assert all(np.array_equal(raters[name].codes, codes) for name, codes in before.items())
    assert found.annotation.author == f"consensus:{method}"
    assert found.annotation.provenance.sources == {n: codes_sha256(r) for n, r in raters.items()}


@given(st.lists(opinions, min_size=2, max_size=5), st.sampled_from(METHODS), st.randoms())
@settings(deadline=None, max_examples=40)
def test_the_order_of_the_raters_does_not_matter(codes, method, random):
    raters = by_name(codes)
    turned = dict(random.sample(list(raters.items()), len(raters)))
    one, other = consensus(raters, method), consensus(turned, method)
    for region in ("WT", "TC", "ET"):
        assert np.allclose(one.soft[region], other.soft[region], atol=1e-5)
        for name in raters:
            for key, value in vars(one.raters[region][name]).items():
                assert value == pytest.approx(getattr(other.raters[region][name], key), abs=1e-5)


def test_sensitivity_and_specificity_by_hand():
    # Ten voxels in a row, one of three raters says one too many and one too few; the image is
    # small enough to lie in the neighbourhood as a whole.
    a = np.zeros((1, 1, 10), np.uint8)
    a[..., :4] = 1
    b, c = a.copy(), a.copy()
    b[..., 4] = 1
    c[..., 3] = 0
    raters = consensus(by_name([a, b, c])).raters["WT"]
    near = 4 + 1 + int(NEIGHBOURHOOD_MM)  # a union of five, and five beyond it
    assert near == 10
    assert (raters["A"].sensitivity, raters["A"].specificity) == (1, 1)
    assert (raters["B"].sensitivity, raters["B"].specificity) == (1, pytest.approx(5 / 6))
    assert (raters["C"].sensitivity, raters["C"].specificity) == (pytest.approx(3 / 4), 1)
    assert raters["A"].weight == pytest.approx(1 / 3)


def test_the_field_of_view_changes_nothing():
    small = [tumour(radius=r) for r in (6, 7, 8)]
    large = [np.pad(codes, 20) for codes in small]
    for method in METHODS:
        one, other = consensus(by_name(small), method), consensus(by_name(large), method)
        assert np.array_equal(np.pad(one.annotation.codes, 20), other.annotation.codes)


def reference_staple(votes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Warfield 2004, equations for one label, written down once more."""
    truth = votes.mean(0)
    prior = votes.mean()
    for _ in range(500):
        p = (votes * truth).sum(1) / truth.sum()
        q = ((1 - votes) * (1 - truth)).sum(1) / (1 - truth).sum()
        yes = prior * np.prod(np.where(votes, p[:, None], 1 - p[:, None]), axis=0)
        no = (1 - prior) * np.prod(np.where(votes, 1 - q[:, None], q[:, None]), axis=0)
        truth = yes / (yes + no)
    return truth, p, q


PLANTED = [(0.95, 0.97), (0.85, 0.99), (0.75, 0.93), (0.92, 0.85), (0.65, 0.96)]


def planted(seed: int, voxels: int = 8000) -> tuple[np.ndarray, np.ndarray]:
    """Raters who err on each voxel by chance, as STAPLE believes; truth and votes."""
    random = np.random.default_rng(seed)
    truth = random.random(voxels) < 0.4
    votes = [
        np.where(truth, random.random(voxels) < p, random.random(voxels) >= q) for p, q in PLANTED
    ]
    return truth, np.stack(votes)


def test_staple_equals_the_equations():
    _, votes = planted(0)
    found = staple(votes)
    truth, p, q = reference_staple(votes)
    assert found.settled
    assert np.allclose(found.probability, truth, atol=1e-4)
    assert found.sensitivity == pytest.approx(p, abs=1e-4)
    assert found.specificity == pytest.approx(q, abs=1e-4)


def test_staple_recovers_planted_performance():
    """Over repeated samples the estimates scatter about what was planted, without a bias."""
    estimates = []
    for seed in range(12):
        truth, votes = planted(seed)
        found = staple(votes)
        estimates.append([*found.sensitivity, *found.specificity])
        # The estimated truth is better than the best rater, who is wrong in one of 26 voxels.
        assert ((found.probability > 0.5) != truth).mean() < 0.035
    sample = np.array(estimates)
    wanted = np.array([*[p for p, _ in PLANTED], *[q for _, q in PLANTED]])
    error = sample.std(axis=0, ddof=1) / np.sqrt(len(sample))
    assert (np.abs(sample.mean(axis=0) - wanted) < 4 * error).all()
    assert (np.abs(sample - wanted) < 0.03).all()


def test_staple_of_annotations_recovers_planted_performance():
    random = np.random.default_rng(3)
    truth = ball((30, 30, 30), (15, 15, 15), 9)
    near = ball((30, 30, 30), (15, 15, 15), 12)
    raters = []
    for p, q in PLANTED:
        says = np.where(truth, random.random(truth.shape) < p, random.random(truth.shape) >= q)
        raters.append((says & near).astype(np.uint8))
    found = consensus(by_name(raters), "staple")
    # Nobody errs beyond `near`, so what was planted holds for the share of background in it.
    panel = panel_of(by_name(raters))
    counted = np.count_nonzero(panel.neighbourhood(panel.votes("WT") > 0))
    inner = (near & ~truth).sum() / (counted - truth.sum())
    for rater, (p, q) in zip(found.raters["WT"].values(), PLANTED, strict=True):
        assert rater.sensitivity == pytest.approx(p, abs=0.03)
        assert rater.specificity == pytest.approx(1 - (1 - q) * inner, abs=0.02)
        assert rater.weight is None
    assert (found.annotation.region("WT") != truth)[near].mean() < 0.03


@given(arrays(bool, (4, 30)))
@settings(deadline=None, max_examples=100)
def test_staple_never_hands_out_what_is_no_probability(votes):
    found = staple(votes)
    if found is not None:
        assert np.isfinite(found.probability).all()
        assert found.probability.min() >= 0
        assert found.probability.max() <= 1 + 1e-9


def test_simple_leaves_out_the_rater_who_marks_something_else():
    good = [tumour(centre=(12, 12, c)) for c in (12, 12.5, 11.5, 12)]
    astray = tumour(centre=(12, 12, 16))
    found = consensus(by_name([*good, astray]), "simple")
    weights = [r.weight for r in found.raters["WT"].values()]
    assert weights[4] == 0
    assert min(weights[:4]) > 0.2
    assert sum(weights) == pytest.approx(1)
    without = consensus(by_name(good), "simple")
    assert np.array_equal(found.annotation.codes, without.annotation.codes)


def test_simple_keeps_a_panel_that_is_nearly_of_one_mind():
    random = np.random.default_rng(0)
    truth = ball((20, 20, 20), (10, 10, 10), 7).ravel()
    votes = np.stack(
        [truth ^ (random.random(truth.size) < share) for share in (0.001, 0.002, 0.004)]
    )
    assert (simple(np.concatenate([votes, votes])) > 0.9).all()


def test_simple_keeps_three_whatever_happens():
    apart = [np.roll(tumour(radius=4), shift, axis=2) for shift in (0, 3, 7, 9)]
    found = consensus(by_name(apart), "simple")
    assert sum(r.weight > 0 for r in found.raters["WT"].values()) >= 3


def test_simple_with_two_raters_is_the_majority_and_says_so():
    pair = by_name([tumour(), tumour(radius=6)])
    found = consensus(pair, "simple")
    assert np.array_equal(found.annotation.codes, consensus(pair).annotation.codes)
    assert "WT: SIMPLE needs 3 raters" in found.notes[0]


def test_a_child_that_outgrows_its_parent_is_cut_to_it():
    glioma = said(np.zeros((1, 1, 3), np.uint8)).protocol
    chances = {"WT": [0.9, 0.4, 0.6], "TC": [0.95, 0.8, 0.2], "ET": [0.6, 0.9, 0.7]}
    probabilities = {name: np.array([[row]]) for name, row in chances.items()}
    codes, soft = nested(glioma, probabilities, {n: p > 0.5 for n, p in probabilities.items()})
    assert codes.tolist() == [[[3, 0, 1]]]
    assert soft["TC"].ravel() == pytest.approx([0.9, 0.4, 0.2])
    assert soft["ET"].ravel() == pytest.approx([0.6, 0.4, 0.2])


def test_of_siblings_the_more_probable_has_the_voxel():
    chances = {"A": [1, 1, 1], "B": [0.6, 0.8, 0.7], "C": [0.7, 0.6, 0.7], "D": [0, 0.9, 1.0]}
    probabilities = {name: np.array([[row]], float) for name, row in chances.items()}
    masks = {n: p > 0.5 for n, p in probabilities.items()}
    codes, _ = nested(siblings(), probabilities, masks)
    assert codes.tolist() == [[[3, 2, 2]]]  # A and D are siblings too: A comes first


def test_of_two_siblings_with_half_the_votes_the_first_has_the_voxel():
    protocol = siblings()
    b, c = np.full((2, 2, 2), 2, np.uint8), np.full((2, 2, 2), 3, np.uint8)
    one = consensus(by_name([b, c], protocol), ties="in")
    other = consensus(by_name([c, b], protocol), ties="in")
    assert (one.annotation.codes == 2).all()
    assert (other.annotation.codes == 2).all()


def test_other_methods_protocols_and_places_are_refused():
    codes = np.ones((3, 3, 3), np.uint8)
    with pytest.raises(InputError, match="no consensus method: choose one of majority"):
        consensus({"A": said(codes)}, "average")
    with pytest.raises(InputError, match="name at least one"):
        consensus({})
    with pytest.raises(InputError, match=r"B follows the protocol ms_lesion.*A glioma"):
        consensus({"A": said(codes), "B": said(codes, "ms_lesion")})
    moved = UPRIGHT.copy()
    moved[0, 3] += 2
    with pytest.raises(GeometryError, match="B and A lie on different grids"):
        consensus({"A": said(codes), "B": said(codes, affine=moved)})


@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL.name} is not here")
def test_the_majority_of_five_real_raters_equals_the_given_fusion():
    """The BraTS Toolkit's fusion, where its definition is ours.

    It votes on each label by itself (its README: no "hierarchical labels"): a voxel gets a label
    when more than half of the raters gave just that label. Ours votes on nested regions, so a
    voxel that two raters call oedema and two necrosis is in WT by four votes of five, while the
    toolkit leaves it empty. Wherever some label has a majority, or WT has none, both are the same.
    """
    files = sorted((REAL / "algorithm_segs").glob("*.nii.gz"))
    raters = {file.name[:-7]: read_annotation(file, encoding="brats2017") for file in files}
    found = consensus(raters).annotation
    given = read_annotation(REAL / "fusion/mav.nii.gz", encoding="brats2017")
    votes = np.stack([rater.codes for rater in raters.values()])
    background, *labels = [(votes == code).sum(0) > len(votes) / 2 for code in range(4)]
    one_has_it = np.any(labels, axis=0)
    alike = one_has_it | background
    assert np.array_equal(found.codes[alike], given.codes[alike])
    # Everywhere else the toolkit says nothing, and we say what the nested votes say.
    split = ~alike
    assert not given.codes[split].any()
    for region in ("WT", "TC", "ET"):
        ours, theirs = found.region(region), given.region(region)
        assert not (theirs & ~ours).any()
    assert np.count_nonzero(found.region("WT") & split) == 258
