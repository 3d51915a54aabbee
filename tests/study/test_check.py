"""Files that do not belong get one sentence each, and the study goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from napari_mmseg.annotation import Annotation
from napari_mmseg.editing import EditSession
from napari_mmseg.errors import InputError
from napari_mmseg.grid import Grid
from napari_mmseg.journal import Journal, table
from napari_mmseg.journal.header import protocol_digest
from napari_mmseg.journal.schema import Row
from napari_mmseg.protocol import load_protocol
from napari_mmseg.study import Study, check, load_annotation, new_study, open_item, submit
from napari_mmseg.volume import SourceSpace

from .desk import SECRET, draw, read


@pytest.fixture
def study(tmp_path: Path, cases: list[Path]) -> Study:
    return new_study(tmp_path / "study", seed=1, cases=cases[:3], raters=["ann", "bob"])


@pytest.fixture
def item(study: Study) -> str:
    """A reading that was drawn in, and is to be harmed."""
    return read(study, "ann", study.worklist("ann")[0].item).item


def file_of(study: Study, item: str, rater: str = "ann") -> Path:
    return study.folder / "work" / rater / f"{item}.mmseg"


def sentences(study: Study) -> list[str]:
    found = [f.sentence for f in check(study)]
    for sentence in found:
        assert "\n" not in sentence
        assert str(study.folder) not in sentence
        assert SECRET not in sentence
    return found


def foreign(path: Path, grid: Grid, protocol: str = "glioma", rater: str = "ann") -> None:
    """A work file of something else under this name."""
    path.unlink(missing_ok=True)
    edit = EditSession(
        Annotation(
            np.zeros(grid.shape, np.uint8), grid, load_protocol(protocol), SourceSpace.of(grid)
        )
    )
    journal = Journal(edit, path, "0" * 20, rater)
    draw(edit, (0, 0, 0), load_protocol(protocol).regions[0].name)
    journal.close()


def rewritten(path: Path, **header: object) -> None:
    rows, _ = table.read_rows(path)
    told = rows[0].told
    told["header"] |= header
    table.write_rows(path, [Row.of(1, "base", rows[0].at, told, rows[0].data), *rows[1:]])


def harm(study: Study, item: str, how: str) -> None:
    path = file_of(study, item)
    grid = study.plan.cases[0].grid
    if how == "another protocol":
        foreign(path, grid, "ms_lesion")
    elif how == "another grid":
        foreign(path, Grid((3, 4, 5), grid.affine))
    elif how == "another case or reading":
        other = study.worklist("ann")[1].item
        path.write_bytes(file_of(study, read(study, "ann", other).item).read_bytes())
    elif how == "another pseudonym":
        rewritten(path, rater="bob")
    elif how == "newer version":
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    elif how == "is damaged":
        path.write_bytes(path.read_bytes()[:-4096])
    elif how == "no row of a work file":
        path.write_bytes(os.urandom(5000))
    elif how == "is damaged, tampered with":
        data = bytearray(path.read_bytes())
        at = data.rindex(b"brush: add")
        data[at : at + 5] = b"BRUSH"
        path.write_bytes(data)


@pytest.mark.parametrize(
    "how",
    [
        "another protocol",
        "another grid",
        "another case or reading",
        "another pseudonym",
        "newer version",
        "no row of a work file",
    ],
)
def test_a_file_that_does_not_belong_is_told_of_and_not_opened(study, item, how):
    assert sentences(study) == []
    harm(study, item, how)
    before = file_of(study, item).read_bytes()
    (sentence,) = sentences(study)
    assert how in sentence
    assert f"{item}.mmseg" in sentence
    assert sentence.endswith(("move it out of the study", "update this program"))
    with pytest.raises(InputError, match=how):
        open_item(study, "ann", item)
    assert file_of(study, item).read_bytes() == before
    # The study goes on.
    assert len(list(study.readings())) == 6
    assert open_item(study, "bob").item
    submit(study, "bob", study.worklist("bob")[0].item)


def test_a_work_file_under_another_protocol_is_told_of_in_the_list_too(study, item):
    other = load_protocol("ms_lesion")
    assert study.reading("ann", item).problem == ""
    rewritten(file_of(study, item), protocol=other.name, protocol_sha256=protocol_digest(other))
    sentence = f'"{item}.mmseg" follows another protocol (ms_lesion) than the study (glioma)'
    assert study.reading("ann", item).problem.startswith(sentence)
    assert [r.problem[: len(sentence)] for r in study.readings() if r.problem] == [sentence]


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_submitted_labels_that_are_lost_are_never_taken_for_empty_ones(study, item, how):
    submit(study, "ann", item)
    path = file_of(study, item)
    path.write_bytes(b"") if how == "empty" else path.unlink()
    lost = f'"{item}.mmseg" is gone or empty, and labels were submitted: restore it'
    assert sentences(study) == [lost]
    reading = study.reading("ann", item)
    assert reading.problem == lost
    with pytest.raises(InputError, match="gone or empty"):
        load_annotation(reading)


@pytest.mark.parametrize("how", ["is damaged", "is damaged, tampered with"])
def test_damage_is_told_of_and_mended_by_its_own_rater_alone(study, item, how):
    harm(study, item, how)
    before = {f.name: f.read_bytes() for f in file_of(study, item).parent.iterdir()}
    (sentence,) = sentences(study)
    assert "is damaged" in sentence
    reading = study.reading("ann", item)
    load_annotation(reading)
    list(study.readings())
    assert {f.name: f.read_bytes() for f in file_of(study, item).parent.iterdir()} == before
    assert not open_item(study, "ann", item).read_only


def test_labels_of_another_protocol_or_grid_are_not_read_as_ones(study, item):
    for how in ("another protocol", "another grid"):
        harm(study, item, how)
        with pytest.raises(InputError, match=how):
            load_annotation(study.reading("ann", item))


def test_files_and_folders_of_nobody_are_told_of(study, item):
    work = study.folder / "work"
    (work / "eve").mkdir()
    (work / "a b").mkdir()
    (work / "ann" / "notes.txt").write_text("x")
    (work / "bob" / f"{item}.mmseg").write_bytes(file_of(study, item).read_bytes())
    found = sentences(study)
    assert len(found) == 4
    assert any('"eve"' in s for s in found)
    assert any("'a b'" in s for s in found)
    assert any("notes.txt" in s for s in found)
    assert any("another rater" in s for s in found)
    assert [r.state for r in study.readings("bob")] == ["waiting"] * 3


def test_a_log_changed_by_hand_is_told_of(study, item):
    submit(study, "ann", item, confidence=2)
    log = file_of(study, item).with_suffix(".jsonl")
    log.write_text(log.read_text().replace('"confidence": 2', '"confidence": 5'))
    assert ["changed by hand" in s for s in sentences(study)] == [True]
    assert "changed by hand" in study.reading("ann", item).problem


def test_missing_images_and_changed_assignments_are_told_of(study, cases):
    cases[0].rename(cases[0].with_name("gone"))
    (sentence,) = sentences(study)
    assert "case-001" in sentence
    file = study.folder / "assignments.jsonl"
    file.write_text(file.read_text().replace(study.assignments[0].item, "aaaaaaaa"))
    from napari_mmseg.study import load_study

    assert any("aaaaaaaa" in s for s in sentences(load_study(study.folder)))


def test_images_are_compared_when_asked(study, cases):
    assert list(check(study, images=True)) == []
    (cases[1] / f"{cases[1].name}_t1ce.nii.gz").write_bytes(b"no image")
    (cases[1] / f"{cases[1].name}_flair.nii.gz").write_bytes(b"no image")
    (found,) = check(study, images=True)
    assert found.case == "case-002"


def test_the_work_on_another_case_is_told_of_at_once_and_not_read(study, item):
    other = read(study, "ann", study.worklist("ann")[1].item, corner=(3, 3, 3))
    submit(study, "ann", item)
    shutil.copy(other.path, file_of(study, item))
    stray = f'"{item}.mmseg" is the work on another case or reading: move it out of the study'
    assert study.reading("ann", item).problem == stray
    assert [r.problem for r in study.readings("ann") if r.problem] == [stray]
    with pytest.raises(InputError, match="another case or reading"):
        load_annotation(study.reading("ann", item))


def test_labels_that_are_not_those_submitted_are_not_read(study, item):
    before = file_of(study, item).read_bytes()
    read(study, "ann", item, corner=(5, 5, 1))
    submit(study, "ann", item)
    file_of(study, item).write_bytes(before)  # an older copy, put back
    with pytest.raises(InputError, match="holds other labels than were submitted"):
        load_annotation(study.reading("ann", item))


def test_a_file_whose_copy_of_the_labels_is_torn_is_named(study, item):
    data = bytearray(file_of(study, item).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(255 - byte for byte in data[middle : middle + 40])
    file_of(study, item).write_bytes(data)
    assert all(f"{item}.mmseg" in sentence for sentence in sentences(study))
