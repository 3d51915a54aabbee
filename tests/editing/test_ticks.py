"""A tick stays while its lesion is recognised, goes when it is not, and comes back by undo."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.editing import EditSession, Footprint, Lesions, Mode, Stroke, find_lesions
from napari_mmseg.editing.ticks import SAME_SHARE, Tick, Ticks

from .volumes import SHAPE, annotation

LINE = (1, 1, 20)


def session_of(columns: str) -> EditSession:
    """A case of one row in which these columns are WT (`#`)."""
    codes = np.array([[[mark == "#" for mark in columns]]], np.uint8)
    return EditSession(annotation(codes))


def lesions(session: EditSession, region: str = "WT") -> Lesions:
    return find_lesions(session.codes, session.protocol, region, session.grid)


def ticking(session: EditSession, column: int) -> Ticks:
    found = lesions(session)
    lesion = found.at((0, 0, column))
    assert lesion is not None
    return Ticks().adding("WT", lesion, found)


def ticked(ticks: Ticks, columns: str) -> list[int]:
    """The first columns of the lesions that are ticked when the row is like this."""
    found = lesions(session_of(columns))
    return sorted(found[id_].footprint.corner[2] for id_ in ticks.of("WT", found))


def test_a_lesion_is_recognised_by_more_than_half_of_all_voxels_of_both():
    ticks = ticking(session_of("..########..##......"), 2)
    assert ticked(ticks, "..########..##......") == [2]
    assert ticked(ticks, "...######...........") == [3]  # 6 of 8
    assert ticked(ticks, "..####..............") == []  # 4 of 8: just half
    assert ticked(ticks, "..###############...") == [2]  # 8 of 15
    assert ticked(ticks, "..################..") == []  # 8 of 16
    assert ticked(ticks, "..##.#####..........") == [5]  # the larger piece, 5 of 8
    assert ticked(ticks, "..####.###..........") == []
    assert ticked(ticks, "............########") == []
    assert ticked(ticks, "....................") == []


def test_ticks_are_of_one_region_and_taken_away_one_by_one():
    codes = np.zeros((1, 1, 20), np.uint8)
    codes[..., 2:10], codes[..., 3:9] = 1, 2
    codes[..., 14:18] = 1
    session = EditSession(annotation(codes))
    whole, core = lesions(session), lesions(session, "TC")
    first, second = whole.items
    ticks = Ticks().adding("WT", first, whole).adding("WT", second, whole)
    assert ticks.of("TC", core) == set()
    ticks = ticks.adding("TC", core.items[0], core)
    assert ticks.of("WT", whole) == {first.id, second.id}
    ticks = ticks.without("WT", first, whole)
    assert ticks.of("WT", whole) == {second.id}
    assert ticks.of("TC", core) == {core.items[0].id}
    assert len(ticks.adding("WT", second, whole).items) == 2  # not twice


def test_ticking_again_takes_the_lesion_as_it_is_now():
    ticks = ticking(session_of("..########.........."), 2)
    found = lesions(session_of("...######..........."))
    again = ticks.adding("WT", found.items[0], found)
    assert len(again.items) == 1
    assert ticked(again, "....#####...........") == [4]
    assert ticked(again, "..###########.......") == [2]


@given(
    arrays(bool, SHAPE, elements=st.booleans()),
    arrays(bool, SHAPE, elements=st.booleans()),
)
def test_the_overlap_is_that_of_plain_sets(first, second):
    tick = Tick("WT", Footprint.of_mask(first))
    session = EditSession(annotation(second.astype(np.uint8)))
    found = lesions(session)
    expected = set()
    for lesion in found.items:
        mask = np.zeros(SHAPE, bool)
        box, part = lesion.footprint.clipped(SHAPE)
        mask[box] = part
        if (mask & first).sum() > SAME_SHARE * (mask | first).sum():
            expected.add(lesion.id)
    assert len(expected) <= 1
    assert Ticks((tick,)).of("WT", found) == expected


def test_a_session_tells_of_ticks_which_are_no_step_and_refuses_them_when_frozen():
    session = session_of("..########..........")
    told: list[int] = []
    session.on_ticks.append(lambda: told.append(len(session.ticks.items)))
    ticks = ticking(session, 2)
    session.tick(ticks)
    assert told == [1]
    assert session.undo_depth == 0
    assert session.is_saved
    session.apply(Stroke("WT", Mode.ERASE, Footprint((0, 0, 0), np.ones(LINE, bool))))
    assert session.ticks.of("WT", lesions(session)) == set()
    session.undo()
    assert session.ticks.of("WT", lesions(session)) == {1}
    other = session_of("..########..........")
    other.resume(session.memory())
    assert other.ticks is session.ticks
    session.freeze("somebody else works here")
    session.tick(Ticks())
    assert session.ticks is ticks
