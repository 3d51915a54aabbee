"""What was done is in the file: codes, proposal, undo, redo, effort, at any point."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from editing.volumes import FOREST, PROTOCOLS, annotation, boxes, random_codes
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from napari_mmseg.annotation import FileCodes, Provenance
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.errors import InputError
from napari_mmseg.journal import copy, load_work, scribe, table
from napari_mmseg.protocol import Protocol

from .desk import blot, opened

#: A disk in memory where there is one: hundreds of durable commits take long on a real one.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "work" / "case-r1.mmseg"


def assert_same(a: EditSession, b: EditSession) -> None:
    np.testing.assert_array_equal(a.codes, b.codes)
    np.testing.assert_array_equal(a.proposal, b.proposal)
    assert (a.undo_depth, a.redo_depth) == (b.undo_depth, b.redo_depth)
    assert (a.undo_label, a.redo_label) == (b.undo_label, b.redo_label)
    assert a.edit_counts() == b.edit_counts()
    assert a.volumes_ml() == b.volumes_ml()
    assert a.is_saved == b.is_saved
    one, two = a.annotation(), b.annotation()
    assert (one.author, one.provenance) == (two.author, two.provenance)
    assert (one.file_codes is None) == (two.file_codes is None)


class Working(RuleBasedStateMachine):
    """Whatever is done, another session that opens the file is where this one is."""

    @initialize(protocol=st.sampled_from(PROTOCOLS), seed=st.integers(0, 99))
    def begin_work(self, protocol: Protocol, seed: int) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.path = Path(self.folder.name) / "w.mmseg"
        self.start = random_codes(seed, protocol)
        self.protocol = protocol
        self.session, self.journal = opened(self.path, self.another())

    def another(self) -> EditSession:
        return EditSession(annotation(self.start.copy(), self.protocol))

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.reopen()
            while self.session.can_undo:
                self.session.undo()
            np.testing.assert_array_equal(self.session.codes, self.start)
            while self.session.can_redo:
                self.session.redo()
            self.reopen()
            self.journal.close()
            self.folder.cleanup()

    @rule(
        mode=st.sampled_from(list(Mode)),
        region=st.integers(0, 3),
        footprint=boxes(),
    )
    def paint(self, mode: Mode, region: int, footprint: tuple) -> None:
        name = self.protocol.regions[region % len(self.protocol.regions)].name
        self.session.apply(Stroke(name, mode, Footprint(*footprint)))

    @rule(
        seed=st.integers(0, 99),
        group=st.none() | st.just("slider"),
        as_proposal=st.booleans(),
        keep=st.booleans(),
        whole=st.booleans(),
    )
    def put_a_volume(
        self, seed: int, group: str | None, as_proposal: bool, keep: bool, whole: bool
    ) -> None:
        codes = random_codes(seed, self.protocol)
        result = (
            replace(annotation(codes, self.protocol), author=f"model:{seed}") if whole else codes
        )
        self.session.replace(result, "model", group=group, as_proposal=as_proposal, keep_edits=keep)

    @rule()
    def undo(self) -> None:
        self.session.undo()

    @rule()
    def redo(self) -> None:
        self.session.redo()

    @rule()
    def export(self) -> None:
        self.session.mark_saved()

    @rule()
    def reopen(self) -> None:
        assert self.journal.close()
        other = self.another()
        before, (self.session, self.journal) = self.session, opened(self.path, other)
        assert_same(before, self.session)
        assert self.session.effort.strokes == before.effort.strokes
        assert self.session.effort.changed == before.effort.changed

    @rule()
    def look_in_while_open(self) -> None:
        assert self.journal.writer.flush()
        if not self.path.exists():
            return
        work, damaged = load_work(self.path)
        assert not damaged
        np.testing.assert_array_equal(work.memory.codes, self.session.codes)
        np.testing.assert_array_equal(work.memory.proposal, self.session.proposal)


@pytest.fixture(autouse=True)
def frequent_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "SNAPSHOT_EVERY", 4)


Working.TestCase.settings = settings(max_examples=10, stateful_step_count=15, deadline=None)
TestWorking = Working.TestCase


def test_nothing_is_written_before_the_first_step_and_all_after_it(path):
    session, journal = opened(path)
    assert journal.writer.flush()
    assert not path.exists()
    blot(session, 1)
    assert journal.writer.flush()
    assert len(load_work(path)[0].entries) == 1
    assert journal.close()


def test_a_step_says_when_with_what_where_and_how_much(path):
    session, journal = opened(path)
    area = np.ones((1, 2, 3), bool)
    session.apply(Stroke("TC", Mode.PAINT, Footprint((2, 1, 1), area)), "brush: add TC")
    journal.close()
    work, _ = load_work(path)
    (entry,) = work.entries
    assert (entry.step.tool, entry.step.regions, entry.step.plane) == ("brush", "TC", "axial")
    assert entry.effort.voxels(session.protocol)["WT"] == {"added": 6, "removed": 0}
    assert entry.effort.voxels(session.protocol)["ET"] == {"added": 0, "removed": 0}
    assert (work.header.rater, work.header.protocol) == ("r1", "glioma")
    assert work.header.grid.same_as(session.grid)


def test_every_commit_is_durable(path, monkeypatch):
    modes: list[tuple[int, str]] = []
    append = table.append

    def spied(connection, rows):
        modes.append(
            (
                connection.execute("PRAGMA synchronous").fetchone()[0],
                connection.execute("PRAGMA journal_mode").fetchone()[0],
            )
        )
        append(connection, rows)

    monkeypatch.setattr(table, "append", spied)
    session, journal = opened(path)
    for seed in range(3):
        blot(session, seed)
        journal.writer.flush()
    journal.close()
    assert set(modes) == {(3, "delete")}  # 3 is EXTRA
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_work_file_says_what_it_is(path):
    session, journal = opened(path)
    blot(session, 1)
    journal.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone()[0] == 0x4D4D5347
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_no_file_name_gets_into_the_file(path):
    start = replace(
        annotation(random_codes(1)),
        provenance=Provenance(warnings=('"Jane_Doe.nii.gz" was resampled',)),
    )
    session, journal = opened(path, EditSession(start))
    session.replace(random_codes(3), "open Jane_Doe.nii.gz")
    journal.close()
    assert b"Jane" not in path.read_bytes()


def test_file_codes_survive(path):
    codes = random_codes(1)
    start = replace(annotation(codes), file_codes=FileCodes(codes, "msd"))
    session, journal = opened(path, EditSession(start))
    blot(session, 1)
    journal.close()
    again, journal = opened(path)
    kept = again.annotation().file_codes
    np.testing.assert_array_equal(kept.values, codes)
    assert kept.encoding == "msd"
    journal.close()


def test_a_copy_can_be_taken_while_the_file_is_open(path):
    session, journal = opened(path)
    for seed in range(5):
        blot(session, seed)
    journal.writer.flush()
    copy(path, path.with_name("copy.mmseg"))
    blot(session, 9)
    journal.close()
    assert len(load_work(path.with_name("copy.mmseg"))[0].entries) == 5
    with pytest.raises(InputError, match="is there already"):
        copy(path, path.with_name("copy.mmseg"))


def test_starting_afresh_keeps_the_work_so_far(path):
    session, journal = opened(path)
    blot(session, 1)
    journal.close()
    session, journal = opened(path)
    assert journal.opening.resumed == 1
    backup = journal.start_afresh()
    assert not session.codes.any()
    assert not session.can_undo
    assert len(load_work(backup)[0].entries) == 1
    blot(session, 2)
    blot(session, 3)
    journal.close()
    assert len(load_work(path)[0].entries) == 2


def test_work_on_another_grid_is_kept_aside_and_said(path):
    session, journal = opened(path)
    blot(session, 1)
    journal.close()
    other, journal = opened(path, EditSession(annotation(protocol=FOREST)))
    assert "another protocol" in journal.opening.notes[0]
    assert journal.opening.resumed == 0
    assert not other.codes.any()
    journal.close()
    assert path.with_name(f"{path.name}.1.bak").exists()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path):
    session, journal = opened(path)
    blot(session, 1)
    journal.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    before = path.read_bytes()
    with pytest.raises(InputError, match="newer version"):
        opened(path)
    assert path.read_bytes() == before
    assert not path.with_name(f"{path.name}.lock").exists()
