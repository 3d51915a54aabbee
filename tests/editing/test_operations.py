"""Operations on regions: right result, one step, siblings and other regions untouched."""

from __future__ import annotations

import numpy as np
import pytest

from napari_mmseg.editing import (
    EditSession,
    Footprint,
    add_between,
    copy_slice,
    fill_holes,
    grow,
    keep_between,
    remove_islands,
    restoring,
    shrink,
    smooth,
)
from napari_mmseg.editing.operations import cut_between
from napari_mmseg.errors import GeometryError, InputError

from .volumes import FOREST, GLIOMA, annotation, random_codes

SHAPE = (12, 20, 20)


def nested(spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> EditSession:
    """WT, TC and ET as boxes in one another."""
    codes = np.zeros(SHAPE, np.uint8)
    codes[2:10, 4:16, 4:16] = 1
    codes[4:8, 7:13, 7:13] = 2
    codes[5:7, 9:11, 9:11] = 3
    return EditSession(annotation(codes, spacing=spacing))


def inside(session: EditSession, region: str) -> np.ndarray:
    return session.protocol.inside(session.codes, region)


def test_a_child_grows_to_the_edge_of_its_parent_unless_told_to_take_it_along():
    session = nested()
    before = inside(session, "WT")
    grow(session, "TC", 4.0)
    np.testing.assert_array_equal(inside(session, "WT"), before)
    assert inside(session, "TC")[4:8, 4:16, 9].all()
    assert session.undo_depth == 1
    assert session.undo() == "grow TC by 4 mm"
    grow(session, "TC", 4.0, within_parent=False)
    assert inside(session, "WT")[5, 9, 3]
    assert not before[5, 9, 3]


def test_growing_is_in_mm_on_thick_slices():
    session = nested((4.0, 1.0, 1.0))
    grow(session, "WT", 3.0)
    extent = [np.flatnonzero(inside(session, "WT").any(tuple({0, 1, 2} - {i}))) for i in range(3)]
    assert [(e[0], e[-1]) for e in extent] == [(2, 9), (1, 18), (1, 18)]


def test_shrinking_a_region_cuts_its_children_and_leaves_its_parent():
    session = nested()
    wt = inside(session, "WT")
    shrink(session, "TC", 1.0)
    assert inside(session, "TC").sum() == 2 * 4 * 4
    shrink(session, "TC", 1.0)
    assert set(np.unique(session.codes)) == {0, 1}
    np.testing.assert_array_equal(inside(session, "WT"), wt)
    shrink(session, "WT", 1.0)
    assert inside(session, "WT").sum() == 6 * 10 * 10


def test_no_sibling_is_grown_over_or_filled():
    codes = np.zeros(SHAPE, np.uint8)
    codes[2:10, 2:18, 2:18] = FOREST["A"].code
    codes[4:8, 4:8, 4:16] = FOREST["B"].code
    codes[4:8, 8:12, 4:16] = FOREST["C"].code
    session = EditSession(annotation(codes.copy(), FOREST))
    grow(session, "C", 2.0, within_parent=False)
    assert (session.codes[4:8, 4:8, 4:16] == FOREST["B"].code).all()
    assert (session.codes[4:8, 12:14, 4:16] == FOREST["C"].code).all()
    codes = np.full(SHAPE, FOREST["C"].code, np.uint8)
    codes[5, 5, 5], codes[5, 5, 8] = FOREST["B"].code, 0
    session = EditSession(annotation(codes, FOREST))
    fill_holes(session, "C")
    assert session.codes[5, 5, 5] == FOREST["B"].code
    assert session.codes[5, 5, 8] == FOREST["C"].code


def test_holes_are_filled_through_the_parents():
    codes = np.zeros(SHAPE, np.uint8)
    codes[3:9, 5:15, 5:15] = 2
    codes[6, 9, 9] = 0
    codes[:, 7, 7] = 0  # open in 3D, closed in each slice
    session = EditSession(annotation(codes))
    fill_holes(session, "TC")
    assert session.codes[6, 9, 9] == 2
    assert session.codes[6, 7, 7] == 0
    fill_holes(session, "TC", axis=0)
    assert (session.codes[3:9, 7, 7] == 2).all()
    assert session.codes[0, 7, 7] == 0
    assert session.undo_depth == 2


def test_islands_go_by_volume_and_take_their_children():
    session = nested((2.0, 1.0, 1.0))
    session.put((np.array([0]), np.array([0]), np.array([0])), 3, "speck")
    remove_islands(session, "WT", 2.0)
    assert session.codes[0, 0, 0] == 3
    remove_islands(session, "WT", 2.1)
    assert session.codes[0, 0, 0] == 0
    assert inside(session, "WT").sum() == 8 * 12 * 12


def test_smoothing_stays_in_the_parent_unless_told_otherwise():
    session = nested()
    wt = inside(session, "WT")
    smooth(session, "ET", 1.0)
    np.testing.assert_array_equal(inside(session, "WT"), wt)
    smooth(session, "WT", 2.0)
    assert not inside(session, "WT")[2, 4, 4]
    assert abs(int(inside(session, "WT").sum()) - int(wt.sum())) < 0.03 * wt.sum()


def test_intensities_are_kept_or_added():
    session = nested()
    image = np.broadcast_to(np.arange(20.0), SHAPE)
    keep_between(session, "TC", image, 9, 30)
    assert np.flatnonzero(inside(session, "TC").any((0, 1))).tolist() == list(range(9, 13))
    assert inside(session, "WT").sum() == 8 * 12 * 12
    add_between(session, "TC", image, 14, 15)
    assert inside(session, "TC")[2:10, 4:16, 14:16].all()
    assert not inside(session, "TC")[:, :, 13].any()
    with pytest.raises(InputError, match="WT lies in no other region"):
        add_between(session, "WT", image, 0, 1)
    with pytest.raises(GeometryError, match="same case"):
        keep_between(session, "WT", image[1:], 0, 1)


@pytest.mark.parametrize("region", ["WT", "TC", "ET"])
def test_what_a_cut_would_change_is_what_it_changes(region):
    session = EditSession(annotation(random_codes(5)))
    image = np.random.default_rng(0).random(session.codes.shape)
    before = session.codes.copy()
    box, erased, added = cut_between(session, region, image, 0.3, 0.7)
    np.testing.assert_array_equal(session.codes, before)
    told = np.zeros((2, *before.shape), bool)
    told[0][box], told[1][box] = erased, added
    had = inside(session, region)
    keep_between(session, region, image, 0.3, 0.7)
    np.testing.assert_array_equal(had & ~inside(session, region), told[0])
    session.undo()
    if GLIOMA[region].parent is None:
        assert not told[1].any()
    else:
        add_between(session, region, image, 0.3, 0.7)
        np.testing.assert_array_equal(inside(session, region) & ~had, told[1])
    with pytest.raises(GeometryError, match="same case"):
        cut_between(session, region, image[1:], 0, 1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_becomes_the_one_beside_it(axis):
    session = EditSession(annotation(random_codes(3)))
    before = session.codes.copy()
    copy_slice(session, "TC", axis, 2)
    tc = np.moveaxis(inside(session, "TC"), axis, 0)
    np.testing.assert_array_equal(tc[2], tc[1])
    changed = np.moveaxis(session.codes != before, axis, 0)
    assert not np.delete(changed, 2, axis=0).any()
    copy_slice(session, "TC", axis, 2, step=1)
    tc = np.moveaxis(inside(session, "TC"), axis, 0)
    np.testing.assert_array_equal(tc[2], tc[3])
    assert session.undo_label == "copy TC from the slice after"
    for index, step in ((0, -1), (session.grid.shape[axis] - 1, 1), (99, -1)):
        with pytest.raises(InputError, match="no slice"):
            copy_slice(session, "TC", axis, index, step)


@pytest.mark.parametrize("protocol", [GLIOMA, FOREST])
def test_restoring_brings_the_region_back_under_the_brush_only(protocol):
    proposal = random_codes(1, protocol)
    session = EditSession(annotation(proposal.copy(), protocol))
    session.replace(random_codes(2, protocol), "drawn", as_proposal=False)
    before = session.codes.copy()
    footprint = Footprint((-1, 1, 1), np.ones((4, 3, 9), bool))
    for region in (r.name for r in protocol.regions):
        session.begin("restore")
        for stroke in restoring(session.codes, session.proposal, protocol, region, footprint):
            session.extend(stroke)
        session.end()
        wanted = protocol.inside(proposal, region)[0:3, 1:4, 1:]
        np.testing.assert_array_equal(inside(session, region)[0:3, 1:4, 1:], wanted)
    changed = session.codes != before
    changed[0:3, 1:4, 1:] = False
    assert not changed.any()
    far = Footprint((99, 0, 0), np.ones((1, 1, 1), bool))
    assert restoring(session.codes, session.proposal, protocol, "A", far) == ()


def test_what_changes_nothing_is_no_step():
    session = nested()
    fill_holes(session, "WT")
    remove_islands(session, "WT", 1.0)
    grow(session, "WT", 0.0)
    shrink(session, "WT", 0.1)
    assert not session.can_undo
