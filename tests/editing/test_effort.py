"""What correcting costs is counted: time without pauses, strokes, voxels, what was left alone."""

from __future__ import annotations

import numpy as np
import pytest

from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.editing.effort import IDLE_SECONDS, Effort, EffortMeter
from napari_mmseg.editing.plane import plane_of

from .volumes import annotation, random_codes


def cube(corner: tuple[int, int, int], side: int = 2) -> Footprint:
    return Footprint(corner, np.ones((side,) * 3, bool))


def test_pauses_are_not_work():
    now = [100.0]
    meter = EffortMeter(4, clock=lambda: now[0])
    for passed in (10.0, IDLE_SECONDS, IDLE_SECONDS + 0.1, 5.0):
        now[0] += passed
        meter.touch()
    assert meter.effort.active_seconds == pytest.approx(10.0 + IDLE_SECONDS + 5.0)


def test_what_is_painted_and_erased_again_counts_twice():
    session = EditSession(annotation())
    session.apply(Stroke("TC", Mode.PAINT, cube((0, 0, 0))))
    session.apply(Stroke("WT", Mode.ERASE, cube((0, 0, 0))))
    session.undo()
    session.redo()
    effort = session.effort
    assert (effort.strokes, effort.undos, effort.redos) == (2, 1, 1)
    voxels = effort.voxels(session.protocol)
    assert voxels["WT"] == voxels["TC"] == {"added": 8, "removed": 8}
    assert voxels["ET"] == {"added": 0, "removed": 0}
    assert session.edit_counts()["WT"] == {"added": 0, "removed": 0}


def test_a_model_s_result_is_no_stroke_and_an_edit_from_outside_is_one():
    session = EditSession(annotation())
    session.replace(random_codes(1), "segment")
    assert session.effort.strokes == 0
    session.replace(random_codes(2), "labels from outside", as_proposal=False)
    assert session.effort.strokes == 1
    changed = np.array(session.effort.changed)
    assert changed.sum() == (random_codes(1) != random_codes(2)).sum()


def test_the_share_of_the_proposal_that_was_left_alone():
    session = EditSession(annotation())
    assert session.kept_share() == {"WT": None, "TC": None, "ET": None}
    proposal = np.zeros(session.codes.shape, np.uint8)
    proposal[0, :2, :2] = 1
    session.replace(proposal, "segment")
    session.apply(Stroke("WT", Mode.ERASE, cube((0, 0, 0), 1)))
    session.apply(Stroke("ET", Mode.PAINT, cube((3, 3, 3), 1)))
    assert session.kept_share() == {"WT": 0.75, "TC": None, "ET": None}


def test_effort_comes_back_from_its_facts():
    effort = Effort(1.5, 2, 3, 4, ((0, 1), (2, 0)))
    assert Effort.of_facts(effort.facts()) == effort


def test_the_plane_is_told_by_the_shape_and_by_what_was_painted_before():
    box = (slice(3, 4), slice(0, 5), slice(0, 5))
    line = (slice(3, 4), slice(0, 5), slice(2, 3))
    assert plane_of(box) == plane_of(line) == "axial"
    assert plane_of(line, before="sagittal") == "sagittal"
    assert plane_of((slice(0, 2),) * 3, before="axial") == ""
