"""Generalised energy distance, against its definition written out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from napari_mmseg.agreement.energy import energy_distance

groups = arrays(bool, (3, 2, 3, 2))


def apart(first: np.ndarray, second: np.ndarray) -> float:
    either = (first | second).sum()
    return 1 - (first & second).sum() / either if either else 0.0


def by_definition(first: np.ndarray, second: np.ndarray) -> float:
    between, one, other = (
        np.mean([apart(a, b) for a, b in product(x, y)])
        for x, y in ((first, second), (first, first), (second, second))
    )
    return 2 * between - one - other


@given(groups, arrays(bool, (4, 2, 3, 2)))
@settings(deadline=None, max_examples=50)
def test_it_is_its_definition(first, second):
    found = energy_distance(list(first), list(second))
    assert found == pytest.approx(by_definition(first, second), abs=1e-9)
    assert found == pytest.approx(energy_distance(list(second), list(first)), abs=1e-9)
    assert -1e-9 <= found <= 2


@given(groups)
@settings(deadline=None, max_examples=30)
def test_a_group_is_at_no_distance_from_its_copies(group):
    assert energy_distance(list(group), [*group, *group]) == pytest.approx(0, abs=1e-9)


def test_nothing_and_nothing_do_not_differ():
    empty, full = np.zeros((2, 2, 2), bool), np.ones((2, 2, 2), bool)
    assert energy_distance([empty], [empty, empty]) == 0
    assert energy_distance([empty], [full]) == 2
