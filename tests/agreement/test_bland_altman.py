"""Limits of agreement, against the published worked example."""

from __future__ import annotations

import numpy as np
import pytest

from napari_mmseg.agreement.bland_altman import limits_of_agreement

#: Bland and Altman 1986, table 1: peak flow in l/min, first readings of two meters.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_the_published_example():
    found = limits_of_agreement(np.subtract(LARGE, MINI))
    assert found.cases == 17
    assert (found.bias, found.sd) == pytest.approx((-2.1, 38.8), abs=0.05)
    # They take 2 standard deviations (-79.7 to 75.5) and a rounder error of the limits.
    assert (found.low, found.high) == pytest.approx((-79.7, 75.5), abs=0.04 * 38.8 + 0.1)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.low_interval == pytest.approx((-114.3, -45.1), abs=2.0)
    assert found.high_interval == pytest.approx((40.9, 110.1), abs=2.0)


def test_limits_hold_the_planted_ones_as_often_as_they_say():
    random = np.random.default_rng(4)
    held = 0
    for _ in range(400):
        found = limits_of_agreement(random.normal(1.0, 2.0, 60))
        low, high = found.high_interval
        held += low <= 1.0 + 1.96 * 2.0 <= high
    assert held / 400 == pytest.approx(0.95, abs=0.03)


def test_missing_differences_do_not_count():
    assert limits_of_agreement([1.0, None, 2.0]) == limits_of_agreement([1.0, 2.0])


def test_one_difference_has_no_limits():
    assert limits_of_agreement([1.0]) is limits_of_agreement([]) is None
