"""Accepted lesions are in the work file, and files without any open as before."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from editing.volumes import annotation, random_codes

from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke, find_lesions
from napari_mmseg.editing.ticks import Ticks
from napari_mmseg.journal import load_work, recover, scribe, table
from napari_mmseg.journal.codec import pack_ticks, unpack_ticks

from .desk import blot, opened

#: Written by a version that knew no ticks: two steps on `random_codes(1)`, one undone; exported.
BEFORE = Path(__file__).with_name("before_ticks.mmseg.gz")

CODES = random_codes(5)


def tick(session: EditSession, region: str = "WT", at: int = 0) -> set[int]:
    """Accept a lesion; the ids that are ticked then."""
    found = find_lesions(session.codes, session.protocol, region, session.grid)
    session.tick(session.ticks.adding(region, found.items[at], found))
    return ticked(session, region)


def ticked(session: EditSession, region: str = "WT") -> set[int]:
    found = find_lesions(session.codes, session.protocol, region, session.grid)
    return session.ticks.of(region, found)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "w.mmseg"


def fresh() -> EditSession:
    return EditSession(annotation(CODES.copy()))


def test_ticks_alone_begin_a_file_and_come_back(path):
    session, journal = opened(path, fresh())
    assert not path.exists()
    first = tick(session)
    assert first == {1}
    both = tick(session, "ET")
    assert journal.close()
    again, journal = opened(path, fresh())
    assert (ticked(again), ticked(again, "ET")) == (first, both)
    assert journal.opening.resumed == 0
    assert again.is_saved
    np.testing.assert_array_equal(again.codes, CODES)
    again.tick(Ticks())
    assert journal.close()
    last, journal = opened(path, fresh())
    assert not last.ticks.items
    assert journal.close()


def test_ticks_stand_between_steps_and_undo_goes_on_over_them(path):
    session, journal = opened(path, fresh())
    blot(session, 1)
    before = session.codes.copy()
    expected = tick(session)
    blot(session, 2)
    session.undo()
    assert journal.close()
    again, journal = opened(path, fresh())
    np.testing.assert_array_equal(again.codes, before)
    assert ticked(again) == expected
    assert (again.undo_depth, again.redo_depth) == (1, 1)
    again.redo()
    again.undo()
    again.undo()
    np.testing.assert_array_equal(again.codes, CODES)
    assert journal.close()


def test_starting_afresh_takes_the_ticks_away(path):
    session, journal = opened(path, fresh())
    tick(session)
    assert journal.writer.flush()
    backup = journal.start_afresh()
    assert not session.ticks.items
    assert load_work(backup)[0].memory.ticks.items
    tick(session)
    assert journal.close()
    assert load_work(path)[0].memory.ticks.items


def test_a_second_window_shows_the_ticks_and_changes_none(path):
    session, journal = opened(path, fresh())
    tick(session)
    assert journal.writer.flush()
    other, second = opened(path, fresh())
    assert ticked(other) == {1}
    other.tick(Ticks())
    assert ticked(other) == {1}
    assert second.close()
    assert journal.close()


@pytest.mark.parametrize("lost", ["before the ticks", "the ticks"])
def test_a_hole_costs_no_ticks_that_are_whole(path, tmp_path, monkeypatch, lost):
    monkeypatch.setattr(scribe, "SNAPSHOT_EVERY", 3)
    session, journal = opened(path, fresh())
    tick(session)
    for seed in range(10):
        blot(session, seed)
    if lost == "before the ticks":
        session.tick(Ticks())
        tick(session, "TC")
    assert journal.close()
    rows, _ = table.read_rows(path)
    steps = [row.seq for row in rows if row.kind == "step"]
    torn = [row for row in rows if row.seq not in steps[3:5]]
    holed = tmp_path / "holed.mmseg"
    table.write_rows(holed, torn)
    region = "TC" if lost == "before the ticks" else "WT"
    (held,) = load_work(holed)[0].memory.ticks.items
    assert held.region == region
    recover(holed, tmp_path / "out.mmseg")
    work, is_damaged = load_work(tmp_path / "out.mmseg")
    assert not is_damaged
    assert [item.region for item in work.memory.ticks.items] == [region]
    np.testing.assert_array_equal(work.memory.codes, session.codes)


def test_a_file_of_a_version_without_ticks_opens_and_takes_them(path):
    path.write_bytes(gzip.decompress(BEFORE.read_bytes()))
    start = EditSession(annotation(random_codes(1)))
    session, journal = opened(path, start)
    assert (session.undo_depth, session.redo_depth) == (1, 1)
    assert session.is_saved
    assert np.bincount(session.codes.ravel()).tolist() == [24, 28, 28, 40]
    assert not session.ticks.items
    expected = tick(session)
    assert journal.close()
    again, journal = opened(path, EditSession(annotation(random_codes(1))))
    assert ticked(again) == expected
    assert journal.close()


def test_what_a_version_without_ticks_looks_for_is_in_every_row(path):
    """Such a version reads the effort of a row whose kind it does not know, and passes it over."""
    session, journal = opened(path, fresh())
    tick(session)
    assert journal.close()
    (row,) = (row for row in table.read_rows(path)[0] if row.kind == "ticks")
    assert set(row.told["effort"]) == set(session.effort.facts())


def test_ticks_are_unpacked_as_they_were_packed():
    session = fresh()
    for region in ("WT", "TC", "ET"):
        tick(session, region)
    facts, data = pack_ticks(session.ticks)
    found = unpack_ticks(facts, data)
    assert [item.region for item in found.items] == ["WT", "TC", "ET"]
    for one, two in zip(found.items, session.ticks.items, strict=True):
        assert one.footprint.corner == two.footprint.corner
        np.testing.assert_array_equal(one.footprint.mask, two.footprint.mask)
    nothing = Ticks()
    assert unpack_ticks(*pack_ticks(nothing)).items == ()


def test_a_stroke_that_takes_a_lesion_away_takes_its_tick_along(path):
    session, journal = opened(path, fresh())
    tick(session)
    everything = Footprint((0, 0, 0), np.ones(CODES.shape, bool))
    session.apply(Stroke("WT", Mode.ERASE, everything))
    assert journal.close()
    again, journal = opened(path, fresh())
    assert ticked(again) == set()
    again.undo()
    assert ticked(again) == {1}
    assert journal.close()


def test_accepted_lesions_bring_no_labels_back_that_were_replaced_since(path):
    session, journal = opened(path, fresh())
    tick(session)
    tick(session, "ET")
    assert journal.close()
    labels = CODES.copy()
    labels[labels == 3] = 2  # exported anew by another program: no ET any more
    again, journal = opened(path, EditSession(annotation(labels.copy())))
    assert "labels of this case have changed" in journal.opening.notes[0]
    np.testing.assert_array_equal(again.codes, labels)
    assert (ticked(again), ticked(again, "ET")) == ({1}, set())
    assert path.with_name("w.mmseg.1.bak").exists()
    assert journal.close()
    last, journal = opened(path, EditSession(annotation(labels.copy())))
    assert not journal.opening.notes
    assert ticked(last) == {1}
    assert journal.close()
