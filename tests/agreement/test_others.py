"""Each rater against the majority of the others, against making that majority and comparing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.agreement import against_others, agree
from napari_mmseg.agreement.consensus import consensus
from napari_mmseg.agreement.others import OTHERS
from napari_mmseg.agreement.pair import PAIR_MEASURES
from napari_mmseg.errors import GeometryError, InputError

from .raters import UPRIGHT, said

opinions = arrays(np.uint8, (5, 4, 6), elements=st.integers(0, 3))


@given(st.lists(opinions, min_size=2, max_size=5))
@settings(deadline=None, max_examples=15)
def test_it_is_the_pair_of_a_rater_and_the_consensus_of_the_rest(codes):
    raters = {f"r{n}": said(one) for n, one in enumerate(codes)}
    found = against_others(raters, tolerance_mm=1.5)
    for name, own in raters.items():
        rest = {other: one for other, one in raters.items() if other != name}
        pair = agree({name: own, OTHERS: consensus(rest).annotation}, tolerance_mm=1.5)
        for region, agreed in pair.regions.items():
            for measure in PAIR_MEASURES:
                expected = getattr(agreed.pairs[0], measure)
                assert getattr(found[region][name], measure) == pytest.approx(expected), measure


def test_of_two_raters_the_others_are_the_other_one():
    one, other = np.zeros((2, 6, 6, 6), np.uint8)
    one[1:4, 1:4, 1:4] = 1
    other[2:5, 1:4, 1:4] = 1
    raters = {"A": said(one), "B": said(other)}
    found, pair = against_others(raters)["WT"], agree(raters).regions["WT"].pairs[0]
    assert found["A"].dice == found["B"].dice == pair.dice
    assert found["A"].hd95_mm == pair.hd95_mm
    assert (found["A"].first, found["A"].second) == ("A", OTHERS)


def test_what_nobody_sees_has_no_value_and_what_one_sees_is_zero():
    empty, alone = np.zeros((2, 4, 4, 4), np.uint8)
    alone[1:3, 1:3, 1:3] = 1
    found = against_others({"A": said(alone), "B": said(empty), "C": said(empty)})
    assert (found["WT"]["A"].dice, found["WT"]["A"].hd95_mm) == (0, None)
    assert found["WT"]["A"].volume_difference_ml > 0
    assert found["WT"]["B"].dice is None
    assert found["TC"]["A"].dice is None


def test_raters_who_cannot_be_compared_are_refused():
    codes = np.zeros((4, 4, 4), np.uint8)
    with pytest.raises(InputError, match="two raters or more, not 1"):
        against_others({"A": said(codes)})
    moved = UPRIGHT.copy()
    moved[0, 3] += 2
    with pytest.raises(GeometryError, match="A and B lie on"):
        against_others({"A": said(codes), "B": said(codes, affine=moved)})
