"""Lesions are measured in mm and keep their names across edits."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.editing import (
    EditSession,
    Footprint,
    Lesions,
    Mode,
    Stroke,
    find_lesions,
    keep_only,
    relabel,
    remove,
)
from napari_mmseg.errors import InputError

from .volumes import FOREST, annotation

SHAPE = (10, 30, 30)


def two(value: int = 1, spacing=(3.0, 1.0, 1.0)) -> EditSession:
    codes = np.zeros(SHAPE, np.uint8)
    codes[2:5, 2:6, 2:9] = value
    codes[6:8, 20:23, 20:23] = value
    return EditSession(annotation(codes, spacing=spacing))


def lesions(session: EditSession, region: str = "WT", before: Lesions | None = None, **rest):
    return find_lesions(
        session.codes, session.protocol, region, session.grid, before=before, **rest
    )


def box(corner, sides) -> Footprint:
    return Footprint(corner, np.ones(sides, bool))


def test_measures_of_a_box():
    session = two()
    large, small = lesions(session).items
    assert large.volume_ml == pytest.approx(3 * 4 * 7 * 3 / 1000)
    assert large.centroid == (3.0, 3.5, 5.0)
    assert large.centroid_mm == pytest.approx((-5.0, -3.5, -9.0))
    # From the middle of an edge pixel's outer side to that of the opposite corner's.
    assert large.longest_mm == pytest.approx(np.hypot(7, 3))
    assert large.longest_slice == 2
    assert small.volume_ml == pytest.approx(2 * 9 * 3 / 1000)
    assert large.uncertainty is None


def test_a_disc_is_as_long_as_its_diameter():
    y, x = np.ogrid[:30, :30]
    codes = np.zeros(SHAPE, np.uint8)
    codes[4] = (y - 14) ** 2 + (x - 15) ** 2 <= 9.5**2
    found = lesions(EditSession(annotation(codes, spacing=(5.0, 0.5, 0.5))))
    assert found.items[0].longest_mm == pytest.approx(9.5, abs=0.5)
    assert found.items[0].longest_slice == 4


def test_uncertainty_is_the_mean_entropy():
    session = two()
    probability = np.full(SHAPE, 255, np.uint8)
    probability[6:8] = 128
    large, small = lesions(session, probability=probability).items
    assert large.uncertainty == 0.0
    assert small.uncertainty == pytest.approx(1.0, abs=1e-3)


def test_ids_stay_through_splitting_joining_removal_and_undo():
    session = two()
    first = lesions(session)
    large, small = (item.id for item in first.items)
    session.apply(Stroke("WT", Mode.ERASE, box((0, 0, 4), (10, 10, 1))))  # cuts the large one
    split = lesions(session, before=first)
    assert len(split.items) == 3
    assert split.at((3, 3, 7)).id == large
    assert split.at((3, 3, 2)).id not in (large, small)
    assert split.at((7, 21, 21)).id == small
    remove(session, "WT", split[small])
    gone = lesions(session, before=split)
    with pytest.raises(InputError, match="no longer"):
        gone[small]
    session.undo()
    back = lesions(session, before=gone)
    assert back.at((7, 21, 21)).id == small
    session.undo()
    whole = lesions(session, before=back)
    assert [item.id for item in whole.items] == [large, small]
    session.apply(Stroke("WT", Mode.PAINT, box((0, 14, 14), (1, 2, 2))))
    new = lesions(session, before=whole).at((0, 14, 14)).id
    assert new not in {item.id for item in split.items}
    assert whole.at((0, 0, 0)) is None
    assert whole.at((-1, 0, 0)) is None


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 28), st.integers(0, 28), st.booleans()))
)
@settings(max_examples=25, deadline=None)
def test_every_lesion_has_an_id_of_its_own_and_holds_its_voxels(strokes):
    session, found = two(), None
    for i, j, k, add in strokes:
        mode = Mode.PAINT if add else Mode.ERASE
        session.apply(Stroke("WT", mode, box((i, j, k), (2, 3, 3))))
        found = lesions(session, before=found)
        ids = [item.id for item in found.items]
        assert len(set(ids)) == len(ids)
        assert max(ids, default=0) < found.next_id
        total = np.zeros(SHAPE, int)
        for item in found.items:
            at, mask = item.footprint.clipped(SHAPE)
            total[at] += mask
            assert (found.ids[at][mask] == item.id).all()
        np.testing.assert_array_equal(total, session.codes > 0)


def test_remove_keep_and_relabel_are_one_step_each():
    session = two(3)
    before = session.codes.copy()
    large, small = lesions(session, "ET").items
    remove(session, "ET", small)
    assert (session.codes[6:8, 20:23, 20:23] == 2).all()
    session.undo()
    keep_only(session, "WT", large)
    assert not session.codes[6:8].any()
    assert (session.codes[2:5, 2:6, 2:9] == 3).all()
    session.undo()
    for to, exact, code in (("TC", False, 2), ("WT", False, 1), ("ET", False, 3), ("WT", True, 1)):
        relabel(session, "ET", small, to, exact=exact)
        assert (session.codes[6:8, 20:23, 20:23] == code).all()
        assert (session.codes[2:5, 2:6, 2:9] == 3).all()
        session.undo()
        np.testing.assert_array_equal(session.codes, before)


def test_a_lesion_becomes_one_of_a_sibling():
    codes = np.zeros(SHAPE, np.uint8)
    codes[2:5, 2:6, 2:9] = FOREST["C"].code
    session = EditSession(annotation(codes, FOREST))
    only = lesions(session, "C").items[0]
    relabel(session, "C", only, "D")
    assert (session.codes[2:5, 2:6, 2:9] == FOREST["D"].code).all()
    with pytest.raises(InputError, match="no region"):
        relabel(session, "C", only, "Z")


def test_looking_again_at_a_case_of_usual_size_is_quick():
    """In time of the processor, since other programs run too."""
    codes = np.zeros((155, 240, 240), np.uint8)
    away2 = sum(
        (axis - c) ** 2 for axis, c in zip(np.ogrid[:155, :240, :240], (77, 100, 90), strict=True)
    )
    codes[away2 <= 30**2] = 1
    codes[20:24, 30:34, 200:204] = 1
    session = EditSession(annotation(codes))
    found = lesions(session)
    session.apply(Stroke("WT", Mode.ERASE, box((70, 90, 80), (3, 9, 9))))
    seconds = []
    for _ in range(2):
        begin = time.thread_time()
        found = lesions(session, before=found)
        seconds.append(time.thread_time() - begin)
    assert min(seconds) < 0.3
    assert {item.id for item in found.items} == {1, 2}
    assert found.items[0].longest_mm == pytest.approx(61, abs=1)


def test_a_region_that_is_gone_has_no_lesions_until_it_is_back():
    session = two()
    first = lesions(session)
    session.replace(np.zeros(SHAPE, np.uint8), "wipe")
    gone = lesions(session, before=first)
    assert not gone.items
    assert not gone.present.any()
    session.undo()
    assert [i.id for i in lesions(session, before=gone).items] == [i.id for i in first.items]
