"""Intraclass correlation, against the published worked example and statsmodels' variances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.agreement.icc import icc

#: Shrout and Fleiss 1979, table 2: four judges rate six targets.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)


@pytest.mark.parametrize(
    ("kind", "value", "low", "high"),
    # Values from Shrout and Fleiss' table 4; intervals as the R package psych prints them.
    [("2,1", 0.29, 0.019, 0.761), ("3,1", 0.71, 0.342, 0.946)],
)
def test_the_published_example(kind, value, low, high):
    found = icc(SHROUT_FLEISS, kind)
    assert (found.cases, found.raters) == (6, 4)
    assert found.value == pytest.approx(value, abs=5e-3)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize("seed", range(4))
def test_it_equals_the_analysis_of_variance_of_statsmodels(seed):
    formula = pytest.importorskip("statsmodels.formula.api")
    anova = pytest.importorskip("statsmodels.stats.anova")
    pandas = pytest.importorskip("pandas")
    random = np.random.default_rng(seed)
    n, k = 9, 4
    table = random.normal(0, 2, (n, 1)) + random.normal(0, 1, (1, k)) + random.normal(size=(n, k))
    rows = [(i, j, table[i, j]) for i in range(n) for j in range(k)]
    frame = pandas.DataFrame(rows, columns=["case", "rater", "ml"])
    fit = formula.ols("ml ~ C(case) + C(rater)", data=frame).fit()
    cases, raters, rest = anova.anova_lm(fit)["mean_sq"]
    assert icc(table, "3,1").value == pytest.approx((cases - rest) / (cases + (k - 1) * rest))
    assert icc(table, "2,1").value == pytest.approx(
        (cases - rest) / (cases + (k - 1) * rest + k * (raters - rest) / n)
    )


@pytest.mark.parametrize("kind", ["2,1", "3,1"])
def test_the_interval_holds_the_planted_value_as_often_as_it_says(kind):
    random = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        cases, raters = random.normal(0, 2, (20, 1)), random.normal(0, 0.5, (1, 8))
        table = cases + raters + random.normal(0, 1, (20, 8))
        found = icc(table, kind)
        true = 4 / (4 + 1 + (0.25 if kind == "2,1" else 0))
        held += found.low <= true <= found.high
    assert held / 300 == pytest.approx(0.95, abs=0.04)


@given(arrays(float, (5, 3), elements=st.floats(0, 100)), st.floats(0.1, 9), st.floats(-50, 50))
@settings(deadline=None, max_examples=60)
def test_the_unit_does_not_matter(table, scale, shift):
    if np.ptp(table) < 1e-3:
        return
    for kind in ("2,1", "3,1"):
        one, other = icc(table, kind), icc(table * scale + shift, kind)
        if one is None or other is None or min(table.std(axis=0).max(), table.std()) < 1e-3:
            continue
        assert other.value == pytest.approx(one.value, abs=1e-6)


def test_a_constant_difference_is_consistent_but_no_agreement():
    table = np.array([[1.0, 3.0], [2.0, 4.0], [5.0, 7.0], [9.0, 11.0]])
    consistent = icc(table, "3,1")
    assert (consistent.value, consistent.low, consistent.high) == (1, 1, 1)
    absolute = icc(table, "2,1")
    assert absolute.value < 0.9
    assert absolute.low < absolute.value < absolute.high < 1


def test_equal_raters_agree_fully():
    found = icc(np.repeat([[1.0], [4.0], [2.5]], 3, axis=1))
    assert (found.value, found.low, found.high) == (1, 1, 1)


def test_cases_that_someone_left_out_do_not_count():
    table = np.vstack([SHROUT_FLEISS, [np.nan, 3, 4, 5]])
    assert icc(table) == icc(SHROUT_FLEISS)


@pytest.mark.parametrize(
    "table",
    [np.zeros((0, 3)), [[1.0, 2.0]], [[1.0], [2.0]], np.full((4, 3), 7.1), [[np.nan, 1.0]] * 5],
)
@pytest.mark.parametrize("kind", ["2,1", "3,1"])
def test_where_nothing_varies_there_is_none(table, kind):
    assert icc(table, kind) is None
