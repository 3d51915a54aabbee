"""Bootstrap intervals, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from napari_mmseg.agreement.icc import icc
from napari_mmseg.agreement.intervals import bootstrap

METHODS = {"bca": "BCa", "percentile": "percentile"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["mean", "median"])
@pytest.mark.parametrize("seed", range(3))
def test_it_equals_scipy(method, name, seed):
    sample = np.random.default_rng(seed).gamma(2.0, size=25)
    statistic = getattr(np, name)
    theirs = stats.bootstrap(
        (sample,), statistic, n_resamples=500, method=METHODS[method], rng=np.random.default_rng(9)
    ).confidence_interval
    found = bootstrap(sample, statistic, method=method, resamples=500, seed=9)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert (found.value, found.cases, found.method) == (statistic(sample), 25, method)


def test_the_mean_is_the_default_and_seeded():
    sample = np.random.default_rng(1).normal(size=30)
    found = bootstrap(sample)
    assert found == bootstrap(sample)
    assert found == bootstrap(sample, np.mean)
    assert found.low < found.value < found.high


def test_it_holds_the_mean_about_as_often_as_it_says():
    random = np.random.default_rng(2)
    held = 0
    for turn in range(300):
        found = bootstrap(random.normal(size=30), resamples=400, seed=turn)
        held += found.low <= 0 <= found.high
    assert held / 300 == pytest.approx(0.94, abs=0.04)


def test_rows_are_drawn_as_wholes():
    random = np.random.default_rng(3)
    table = random.normal(0, 2, (15, 1)) + random.normal(size=(15, 4))

    def agreement(rows):
        return icc(rows, "3,1").value if icc(rows, "3,1") else None

    found = bootstrap(table, agreement, resamples=200)
    assert found.low < icc(table, "3,1").value < found.high


def test_cases_without_a_value_do_not_count():
    found = bootstrap([0.5, None, 0.7, float("nan"), 0.9])
    assert found.cases == 3
    assert found == bootstrap([0.5, 0.7, 0.9])


def test_equal_cases_have_an_interval_of_no_width():
    found = bootstrap([0.5] * 6)
    assert (found.low, found.high, found.method) == (0.5, 0.5, "percentile")


@pytest.mark.parametrize("sample", [[], [0.5], [None, 0.5], np.zeros((0, 3))])
def test_fewer_than_two_cases_have_none(sample):
    assert bootstrap(sample) is None
