"""Kappa and alpha, against published worked examples and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.agreement.reliability import fleiss_kappa, krippendorff_alpha
from napari_mmseg.errors import InputError

#: Fleiss 1971, table 1: 30 patients, 6 psychiatrists, 5 diagnoses.
FLEISS = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006
10050 11040 03300 10050 02031 00501 30012 51000 02040 10203
00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""

#: Krippendorff 2011, section C: four observers, twelve units, five values, some missing.
KRIPPENDORFF = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def table_of(observers: tuple[str, ...]) -> np.ndarray:
    """(units, values) counts; a dot is missing."""
    values = sorted(set("".join(observers)) - {"."})
    return np.array([[unit.count(v) for v in values] for unit in zip(*observers, strict=True)])


def test_kappa_of_fleiss_own_example():
    table = [[int(digit) for digit in patient] for patient in FLEISS.split()]
    assert np.sum(table, axis=0).tolist() == [26, 26, 30, 55, 43]
    assert fleiss_kappa(table) == pytest.approx(0.430, abs=5e-4)


@pytest.mark.parametrize(
    ("observers", "alpha"),
    [
        (("0100000010", "1110010000"), 0.095),  # section A
        (("aabbdcccedda", "babbbcccEddd".lower()), 0.692),  # section B
        (KRIPPENDORFF, 0.743),  # section C
    ],
)
def test_alpha_of_krippendorffs_own_examples(observers, alpha):
    assert krippendorff_alpha(table_of(observers)) == pytest.approx(alpha, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_equals_statsmodels(seed):
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    random = np.random.default_rng(seed)
    table = random.multinomial(7, random.dirichlet(np.ones(4)), size=40)
    assert fleiss_kappa(table) == pytest.approx(inter_rater.fleiss_kappa(table))


@pytest.mark.parametrize("seed", range(5))
def test_rows_that_stand_for_many_items_equal_the_items(seed):
    random = np.random.default_rng(seed)
    table = np.stack([5 - np.arange(6), np.arange(6)], axis=1)
    items = random.integers(0, 30, 6)
    every = np.repeat(table, items, axis=0)
    assert fleiss_kappa(table, items) == pytest.approx(fleiss_kappa(every))
    assert krippendorff_alpha(table, items) == pytest.approx(krippendorff_alpha(every))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
@settings(deadline=None)
def test_alpha_is_kappa_corrected_for_a_small_sample(yes):
    table = np.stack([6 - np.array(yes), yes], axis=1)
    kappa, alpha = fleiss_kappa(table), krippendorff_alpha(table)
    assert (kappa is None) == (alpha is None)
    if kappa is not None:
        assert 1 - alpha == pytest.approx((1 - kappa) * (table.sum() - 1) / table.sum())
        assert -0.2 - 1e-9 <= kappa <= 1


def test_full_agreement_on_two_categories_is_one():
    assert fleiss_kappa([[3, 0], [0, 3]]) == krippendorff_alpha([[3, 0], [0, 3]]) == 1


def test_one_category_or_nothing_says_nothing():
    for table in ([[3, 0], [3, 0]], np.zeros((0, 2))):
        assert fleiss_kappa(table) is None
        assert krippendorff_alpha(table) is None
    assert krippendorff_alpha([[1, 0], [0, 1]]) is None  # nobody shares an item


def test_kappa_of_missing_ratings_is_refused():
    with pytest.raises(InputError, match="take Krippendorff's alpha"):
        fleiss_kappa([[3, 0], [1, 1]])
