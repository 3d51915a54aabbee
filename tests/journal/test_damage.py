"""Files that are cut or torn open with everything before the tear, and never with wrong voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_mmseg.editing import EditSession
from napari_mmseg.errors import InputError
from napari_mmseg.journal import load_work, pages, recover, scribe, table
from napari_mmseg.journal.replay import REPAIR_LABEL

from .desk import blot, opened

STEPS = 120


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int], list[np.ndarray]]:
    """A file, its size after each step was committed, and the codes then (first: no step)."""
    path = tmp_path_factory.mktemp("whole") / "w.mmseg"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scribe, "SNAPSHOT_EVERY", 25)
        session, journal = opened(path)
        sizes, volumes = [0], [session.codes.copy()]
        for seed in range(STEPS):
            blot(session, seed)
            assert journal.writer.flush()
            sizes.append(path.stat().st_size)
            volumes.append(session.codes.copy())
        journal.close()
    return path, sizes, volumes


def reopened(path: Path) -> EditSession:
    """A session that goes on from the file, which is then whole again."""
    session, journal = opened(path)
    assert journal.close()
    again, damaged = load_work(path)
    assert not damaged
    np.testing.assert_array_equal(again.memory.codes, session.codes)
    return session


def test_pages_are_read_as_sqlite_reads_them(whole):
    path = whole[0]
    assert pages.rows_in(path.read_bytes()) == table.read_rows(path)[0]


@pytest.mark.parametrize("seed", range(25))
def test_a_cut_file_holds_everything_before_the_cut(whole, tmp_path, seed):
    path, sizes, volumes = whole
    data = path.read_bytes()
    cut = int(np.random.default_rng(seed).integers(sizes[1], len(data)))
    torn = tmp_path / "torn.mmseg"
    torn.write_bytes(data[:cut])
    session = reopened(torn)
    promised = max(i for i, size in enumerate(sizes) if size <= cut)
    assert session.undo_depth >= promised
    if session.undo_label == REPAIR_LABEL:  # a page keeps its newest rows at its front
        assert session.codes.tobytes() in {v.tobytes() for v in volumes[promised:]}
        session.undo()
    np.testing.assert_array_equal(session.codes, volumes[session.undo_depth])
    while session.can_undo:
        session.undo()
    np.testing.assert_array_equal(session.codes, volumes[0])


@pytest.mark.parametrize("seed", range(25))
def test_a_torn_file_loses_only_what_lay_in_the_hole(whole, tmp_path, seed):
    path, _, volumes = whole
    rng = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    start = int(rng.integers(0, len(data) - 1))
    length = int(rng.integers(1, 9000))
    hole = rng.integers(0, 256, length, dtype=np.uint8).tobytes()[: len(data) - start]
    data[start : start + len(hole)] = hole
    torn = tmp_path / "torn.mmseg"
    torn.write_bytes(data)
    session = reopened(torn)
    known = {v.tobytes() for v in volumes}
    assert session.codes.tobytes() in known
    if session.undo_label == REPAIR_LABEL:
        session.undo()
        np.testing.assert_array_equal(session.codes, volumes[session.undo_depth])


def test_the_damaged_file_is_kept(whole, tmp_path):
    torn = tmp_path / "torn.mmseg"
    data = whole[0].read_bytes()[: whole[1][60]]
    torn.write_bytes(data)
    session, journal = opened(torn)
    assert "damaged" in journal.opening.notes[0]
    assert journal.opening.resumed == session.undo_depth
    blot(session, 999)
    journal.close()
    assert torn.with_name("torn.mmseg.1.bak").read_bytes() == data
    assert len(load_work(torn)[0].entries) == session.undo_depth


def test_work_goes_on_behind_a_hole(whole, tmp_path):
    path, _, volumes = whole
    rows = table.read_rows(path)[0]
    torn = tmp_path / "torn.mmseg"
    table.write_rows(torn, [row for row in rows if row.seq not in (10, 11)])
    session = reopened(torn)
    np.testing.assert_array_equal(session.codes, volumes[-1])
    assert session.undo_label == REPAIR_LABEL
    session.undo()
    np.testing.assert_array_equal(session.codes, volumes[session.undo_depth])


def test_what_a_hole_cuts_off_is_counted(whole, tmp_path):
    rows = table.read_rows(whole[0])[0]
    copies = [row.seq for row in rows if row.kind == "snapshot"]
    torn, out = tmp_path / "torn.mmseg", tmp_path / "out.mmseg"
    table.write_rows(torn, [r for r in rows if r.seq != copies[-1]])
    found = recover(torn, out)
    assert found.lost == rows[-1].seq - copies[-1] + 1
    assert not load_work(out)[1]
    assert recover(out, tmp_path / "again.mmseg").steps == found.steps


def test_a_file_without_its_beginning_begins_anew_with_the_codes_now(whole, tmp_path):
    path, _, volumes = whole
    torn, out = tmp_path / "torn.mmseg", tmp_path / "out.mmseg"
    rows = [row for row in table.read_rows(path)[0] if row.seq > 3]
    table.write_rows(torn, rows)
    found = recover(torn, out)
    assert found.was_damaged
    np.testing.assert_array_equal(load_work(out)[0].memory.codes, volumes[-1])


def test_what_is_no_work_file_is_refused(tmp_path):
    other = tmp_path / "notes.mmseg"
    other.write_text("not a database" * 1000)
    with pytest.raises(InputError, match="no row of a work file"):
        recover(other, tmp_path / "out.mmseg")
    assert not (tmp_path / "out.mmseg").exists()


def test_recovering_never_overwrites(whole, tmp_path):
    out = tmp_path / "out.mmseg"
    out.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        recover(whole[0], out)
    assert out.read_text() == "mine"
