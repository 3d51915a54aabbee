"""Two workstations on one shared folder, one of them dies: nothing of the other is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_mmseg.errors import InputError
from napari_mmseg.journal import load_work
from napari_mmseg.study import (
    State,
    Study,
    check,
    load_annotation,
    load_study,
    new_study,
    submit,
)

from .desk import first_item, sit

ANNOTATOR = Path(__file__).with_name("annotator.py")


@pytest.fixture
def study(tmp_path: Path, cases: list[Path]) -> Study:
    return new_study(tmp_path / "study", seed=1, cases=cases[:2], raters=["ann", "bob"])


class Desk:
    """A rater's process."""

    def __init__(self, study: Study, rater: str, cache: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ANNOTATOR), str(study.folder), rater, "40"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NAPARI_MMSEG_CACHE": str(cache), "NAPARI_MMSEG_WORK": "off"},
        )

    def strokes(self, count: int) -> None:
        for _ in range(count):
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline(), self.process.stderr.read()

    def close(self) -> str:
        self.process.kill()
        with self.process:
            return self.process.stderr.read()


def files_of(study: Study, rater: str) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in (study.folder / "work" / rater).iterdir()}


def test_a_killed_process_costs_the_other_nothing(study, tmp_path, own_cache):
    ann, bob = (Desk(study, name, tmp_path / name) for name in ("ann", "bob"))
    try:
        ann.strokes(5)
        bob.strokes(5)
        kept = files_of(study, "bob")
        ann.strokes(3)
        ann.process.kill()
        ann.process.wait()
        assert files_of(study, "bob") == kept
        dead = files_of(study, "ann")
        # Whoever runs the study looks at everything meanwhile: neither rater's files change.
        assert {r.state for r in study.readings()} == {State.DRAFT, State.WAITING}
        assert list(check(study)) == []
        for reading in study.readings():
            load_annotation(reading)
        assert files_of(study, "bob") == kept
        assert files_of(study, "ann") == dead
        for index in (own_cache / "studies").glob("*"):
            index.write_bytes(b"the index died as well")
        bob.strokes(4)
        again = load_study(study.folder)
        strokes = {r.rater: r.strokes for r in again.readings() if r.has_work}
        assert strokes["ann"] >= 8
        assert strokes["bob"] >= 9
    finally:
        ann.close()
        bob.close()
    # The one that was killed goes on where it was; its lock counts no more.
    item = study.next_item("ann")
    sitting, edit, journal = sit(study, "ann", item)
    assert journal.writer is not None
    assert edit.effort.strokes >= 8
    assert journal.close()
    assert load_work(sitting.place.file)[1] is False
    submit(study, "ann", item)


def test_a_reading_that_is_open_cannot_be_submitted_from_elsewhere(study, tmp_path):
    desk = Desk(study, "ann", tmp_path / "c")
    try:
        desk.strokes(2)
        with pytest.raises(InputError, match="open in another window"):
            submit(study, "ann", first_item(study))
    finally:
        desk.close()
    assert submit(study, "ann", first_item(study)).state is State.SUBMITTED
