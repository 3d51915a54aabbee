"""Nothing that reaches a rater tells the case, a repeat, the arm or another rater.

What stands on the disk is another matter: `docs/study.md` says so.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_mmseg.errors import MmsegError
from napari_mmseg.journal import load_work
from napari_mmseg.journal.summary import effort_of
from napari_mmseg.study import (
    Design,
    Proposals,
    Study,
    WorkItem,
    new_study,
    open_item,
    reopen,
    submit,
)

from .desk import SECRET, draw, read, sit

#: Words that must not reach the rater "ann".
TELLING = (SECRET, "case-0", "repeat", "mirror", "zebra", "randomised", "hidden")


@pytest.fixture
def study(tmp_path: Path, cases: list[Path]) -> Study:
    (cases[0] / f"{SECRET}0_seg.nii.gz").write_bytes(
        (cases[0] / f"{SECRET}0_flair.nii.gz").read_bytes()
    )
    return new_study(
        tmp_path / "readings",
        design=Design(Proposals.HIDDEN, repeats=1.0, mirror=True),
        seed=3,
        cases=cases[:3],
        raters=["ann", "zebra"],
    )


def strings_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str | Path):
        yield str(value)
    elif isinstance(value, np.ndarray | bytes) or depth > 8:
        return
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from strings_in(getattr(value, field.name), depth + 1)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings_in(key, depth + 1)
            yield from strings_in(inner, depth + 1)
    elif hasattr(value, "items"):
        yield from strings_in(dict(value.items()), depth + 1)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from strings_in(inner, depth + 1)


def assert_blind(*values: Any) -> None:
    for text in strings_in(list(values)):
        assert not [word for word in TELLING if word.lower() in text.lower()], text


def test_what_is_handed_to_the_viewer_tells_nothing(study, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    for work in study.worklist("ann"):
        sitting = open_item(study, "ann", work.item)
        inside = sitting.place.file.relative_to(study.folder)
        assert inside.as_posix() == f"work/ann/{work.item}.mmseg"
        shown = dataclasses.replace(sitting, place=dataclasses.replace(sitting.place, file=inside))
        assert_blind(dataclasses.replace(shown, start=None))  # type: ignore[arg-type]
        start = sitting.start
        assert_blind(start.author, start.provenance)
        assert sitting.case.id == work.item
        assert sitting.case.labels == ()
        assert not [w for w in sitting.case.warnings if "label" in w]  # nor what others' files hold
        assert not sitting.model_allowed
        assert all(v.path is None and not v.sha256 for v in sitting.case.volumes.values())
    assert_blind(caplog.text, *capsys.readouterr())


def test_the_work_list_tells_nothing():
    assert {f.name for f in dataclasses.fields(WorkItem)} == {
        "item", "order", "state", "active_s", "confidence", "comment", "not_gradable"
    }  # fmt: skip


def test_a_first_reading_and_its_repeat_share_no_word(study):
    """File names, headers and histories of the two: a rater who looks at both learns nothing."""
    again = next(a for a in study.assignments if a.repeat and a.rater == "ann")
    first = next(
        a for a in study.assignments if (a.rater, a.case) == ("ann", again.case) and not a.repeat
    )
    told = []
    for assignment in (first, again):
        made = read(study, "ann", assignment.item)
        work, _ = load_work(made.path)
        effort = effort_of(work)
        assert_blind(effort, work.header.facts(), work.memory.origin.provenance)
        told.append({effort["case"], made.item})
        # Byte by byte, the header's words apart, neither file knows the images or the study.
        data = made.path.read_bytes()
        for secret in (SECRET, "case-0", "zebra", study.cases[again.case].fingerprint):
            assert secret.encode() not in data
    assert not told[0] & told[1]


def test_no_refusal_tells_anything(study, caplog):
    item = study.worklist("ann")[0].item
    others = study.worklist("zebra")[0].item
    said: list[str] = []

    def refused(act: Any) -> None:
        with pytest.raises(MmsegError) as refusal:
            act()
        said.append(str(refusal.value))

    refused(lambda: open_item(study, "ann", others))
    refused(lambda: open_item(study, "ann", "aaaaaaaa"))
    assert said[0].replace(others, "") == said[1].replace("aaaaaaaa", "")
    refused(lambda: open_item(study, "eve"))
    refused(lambda: reopen(study, "ann", item))
    submit(study, "ann", item)
    refused(lambda: submit(study, "ann", item))
    said.append(open_item(study, "ann", item).read_only)
    for case in study.plan.cases:
        folder = study.case_path(case.id)
        folder.rename(folder.with_name(f"{SECRET}-away"))
        waiting = next(a.item for a in study.assignments if a.case == case.id and a.rater == "ann")
        refused(lambda name=waiting: open_item(study, "ann", name))
        folder.with_name(f"{SECRET}-away").rename(folder)
    assert_blind(said, caplog.text)


def test_the_journal_tells_nothing_when_a_file_is_repaired_or_in_use(study):
    item = study.worklist("ann")[0].item
    made = read(study, "ann", item)
    made.path.write_bytes(made.path.read_bytes()[:-4096])
    _, edit, journal = sit(study, "ann", item)
    assert journal.opening.notes
    draw(edit, (3, 3, 3))
    second = sit(study, "ann", item)[2]
    assert second.opening.notes or second.writer is not None
    assert_blind(journal.opening.notes, second.opening.notes)
    second.close()
    journal.close()


def test_work_of_a_rater_lies_in_the_raters_own_folder_alone(study):
    before = {f for f in study.folder.rglob("*") if f.is_file()}
    for work in study.worklist("ann"):
        read(study, "ann", work.item)
        submit(study, "ann", work.item)
    new = {f for f in study.folder.rglob("*") if f.is_file()} - before
    assert {f.parent for f in new} == {study.folder / "work" / "ann"}
    assert_blind([f.name for f in new])
