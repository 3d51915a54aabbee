"""Maps of disagreement, against counting and SciPy's entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy

from napari_mmseg.agreement.disagreement import disagreement

from .raters import said

opinions = arrays(np.uint8, (3, 4, 2), elements=st.integers(0, 3))


@given(st.lists(opinions, min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_maps_equal_counting_and_scipys_entropy(codes):
    found = disagreement({f"r{n}": said(one) for n, one in enumerate(codes)})
    votes = np.stack(codes)
    for depth, region in enumerate(("WT", "TC", "ET"), start=1):
        yes = (votes >= depth).sum(0)
        assert np.array_equal(found.count[region], yes)
        bits = entropy(np.stack([yes, len(codes) - yes]), base=2)
        assert np.allclose(found.entropy[region], bits, atol=1e-6)
    given_to = np.stack([(votes == code).sum(0) for code in range(4)])
    assert np.array_equal(found.dissent, len(codes) - given_to.max(0))
    assert np.allclose(found.overall_entropy, entropy(given_to, base=2), atol=1e-6)


def test_halves_are_one_bit_and_all_alike_none():
    one, other = np.zeros((2, 3, 3, 3), np.uint8)
    one[0] = other[0] = 1
    one[1] = 1
    found = disagreement({"A": said(one), "B": said(other)})
    assert found.entropy["WT"][:, 0, 0].tolist() == [0, 1, 0]
    assert found.count["WT"][:, 0, 0].tolist() == [2, 1, 0]
    assert found.entropy["WT"].dtype == np.float32
    assert found.overall_entropy.shape == (3, 3, 3)
    assert found.raters == 2


def test_four_opinions_are_two_bits():
    found = disagreement({str(n): said(np.full((2, 2, 2), n)) for n in range(4)})
    assert found.overall_entropy == pytest.approx(2.0)
    assert (found.dissent == 3).all()


def test_nothing_marked_is_no_disagreement():
    empty = said(np.zeros((4, 5, 6), np.uint8))
    found = disagreement({"A": empty, "B": empty})
    assert not found.overall_entropy.any()
    assert found.count["WT"].shape == (4, 5, 6)
