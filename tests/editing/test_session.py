"""One service owns the codes: steps, undo, proposals, counts and the saved mark."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_mmseg.annotation import FileCodes, Provenance
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.errors import EncodingError, GeometryError, InputError
from napari_mmseg.grid import Grid

from .volumes import FOREST, SHAPE, annotation, random_codes


def cube(corner: tuple[int, int, int], side: int = 2) -> Footprint:
    return Footprint(corner, np.ones((side,) * 3, bool))


@pytest.fixture
def session() -> EditSession:
    return EditSession(annotation())


def test_painting_a_child_takes_its_parents_along_and_erasing_a_parent_its_children(session):
    session.apply(Stroke("ET", Mode.PAINT, cube((0, 0, 0))))
    assert session.volumes_ml() == {"WT": 0.008, "TC": 0.008, "ET": 0.008}
    session.apply(Stroke("TC", Mode.ERASE, cube((0, 0, 0), 1)))
    assert session.codes[0, 0, 0] == 1
    assert session.volumes_ml() == {"WT": 0.008, "TC": 0.007, "ET": 0.007}


def test_a_drag_is_one_step_and_an_idle_one_is_none(session):
    session.begin("drag")
    for column in range(4):
        session.extend(Stroke("WT", Mode.PAINT, cube((0, 0, column))))
    session.end()
    session.begin("over what is there already")
    session.extend(Stroke("WT", Mode.PAINT, cube((0, 0, 0))))
    session.end()
    assert session.undo_depth == 1
    assert session.undo_label == "drag"
    session.undo()
    assert not session.codes.any()


def test_undo_after_a_model_restores_codes_proposal_and_provenance(session):
    session.apply(Stroke("WT", Mode.PAINT, cube((1, 1, 1))))
    before = session.annotation()
    result = replace(
        annotation(random_codes(3)), author="model:simulated", provenance=Provenance(model="m")
    )
    session.replace(result, "segment")
    after = session.annotation()
    assert (after.author, after.provenance.model) == ("model:simulated", "m")
    np.testing.assert_array_equal(session.proposal, result.codes)
    assert session.undo() == "segment"
    back = session.annotation()
    np.testing.assert_array_equal(back.codes, before.codes)
    assert (back.author, back.provenance) == (before.author, before.provenance)
    assert not session.proposal.any()
    session.redo()
    assert session.annotation().author == "model:simulated"


def test_edit_counts_reach_the_annotation(session):
    session.replace(annotation(random_codes(5)), "segment")
    assert all(n == {"added": 0, "removed": 0} for n in session.edit_counts().values())
    session.apply(Stroke("WT", Mode.ERASE, Footprint((0, 0, 0), np.ones(SHAPE, bool))))
    labelled = int((session.proposal > 0).sum())
    edits = session.annotation().provenance.edits
    assert edits["WT"] == {"added": 0, "removed": labelled}


def test_an_annotation_is_a_copy(session):
    taken = session.annotation()
    session.apply(Stroke("WT", Mode.PAINT, cube((0, 0, 0))))
    assert not taken.codes.any()


def test_the_array_that_is_shown_stays_the_same_object(session):
    shown = session.codes
    session.replace(random_codes(1), "import")
    session.undo()
    session.redo()
    assert session.codes is shown


def test_the_proposal_cannot_be_written(session):
    with pytest.raises(ValueError, match="read-only"):
        session.proposal[0, 0, 0] = 1


def test_slider_moves_are_one_step(session):
    session.replace(random_codes(1), "segment")
    for seed in (2, 3, 4):
        session.replace(random_codes(seed), "thresholds", group="thresholds")
    assert session.undo_depth == 2
    session.undo()
    np.testing.assert_array_equal(session.codes, random_codes(1))
    session.redo()
    np.testing.assert_array_equal(session.codes, random_codes(4))


def test_a_stroke_ends_a_run_of_slider_moves(session):
    session.replace(random_codes(2), "thresholds", group="thresholds")
    session.apply(Stroke("ET", Mode.SET, Footprint((0, 0, 0), np.ones(SHAPE, bool))))
    session.replace(random_codes(3), "thresholds", group="thresholds")
    assert session.undo_depth == 3


def test_new_thresholds_keep_what_was_corrected_by_hand(session):
    session.replace(np.full(SHAPE, 1, np.uint8), "segment")
    session.apply(Stroke("ET", Mode.PAINT, cube((0, 0, 0), 1)))
    session.apply(Stroke("WT", Mode.ERASE, cube((3, 3, 3), 1)))
    # on the way the thresholds agree with the hand for a moment: that must not forget the edits
    for code in (3, 0, 2):
        session.replace(np.full(SHAPE, code, np.uint8), "thresholds", keep_edits=True, group="t")
    assert (session.codes[0, 0, 0], session.codes[3, 3, 3]) == (3, 0)
    assert (
        np.delete(session.codes.ravel(), [0, np.ravel_multi_index((3, 3, 3), SHAPE)]) == 2
    ).all()


def test_restoring_a_region_leaves_the_others_as_nesting_allows(session):
    proposal = np.zeros(SHAPE, np.uint8)
    proposal[0], proposal[1], proposal[2] = 1, 2, 3
    session.replace(proposal, "segment")
    session.apply(Stroke("TC", Mode.ERASE, cube((2, 0, 0), 1)))  # was ET: both are gone
    session.apply(Stroke("ET", Mode.PAINT, cube((1, 0, 0), 1)))  # within the proposed TC
    session.apply(Stroke("ET", Mode.PAINT, cube((3, 0, 0), 1)))  # outside the proposal
    session.restore("TC")
    assert session.codes[2, 0, 0] == 2  # TC again; ET is restored by its own name
    assert session.codes[1, 0, 0] == 3  # a child within the restored region stays
    assert session.codes[3, 0, 0] == 1  # TC and ET go, WT is not what was restored
    session.restore("ET")
    session.restore("WT")
    np.testing.assert_array_equal(session.codes, proposal)


def test_the_saved_mark_follows_undo_and_redo(session):
    assert session.is_saved
    session.apply(Stroke("WT", Mode.PAINT, cube((0, 0, 0))))
    assert not session.is_saved
    at_export = session.state
    session.apply(Stroke("TC", Mode.PAINT, cube((0, 0, 0))))
    session.mark_saved(at_export)  # the file holds what was there when writing began
    assert not session.is_saved
    session.undo()
    assert session.is_saved
    session.redo()
    assert not session.is_saved


def test_an_unfinished_stroke_is_unsaved(session):
    session.begin("drag")
    session.extend(Stroke("WT", Mode.PAINT, cube((0, 0, 0))))
    assert not session.is_saved
    session.end()


def test_the_oldest_steps_go_when_memory_is_full_and_the_newest_stays():
    session = EditSession(annotation(), limit_bytes=4_000)
    for number in range(60):
        session.apply(Stroke(("WT", "TC", "ET")[number % 3], Mode.SET, cube((0, 0, number % 5))))
    assert session.history_bytes <= 4_000
    assert 1 < session.undo_depth < 60
    tiny = EditSession(annotation(), limit_bytes=0)
    tiny.apply(Stroke("WT", Mode.PAINT, cube((0, 0, 0))))
    tiny.apply(Stroke("ET", Mode.PAINT, cube((0, 0, 0))))
    assert tiny.undo_depth == 1
    tiny.undo()
    assert (tiny.codes[:2, :2, :2] == 1).all()
    assert not tiny.is_saved  # the step back to the opened file is gone


def test_file_codes_come_back_with_undo():
    codes = random_codes(1)
    opened = replace(annotation(codes), file_codes=FileCodes(codes, "msd"))
    session = EditSession(opened)
    session.replace(annotation(random_codes(2)), "segment")
    assert session.annotation().file_codes is None
    session.undo()
    assert session.annotation().file_codes is opened.file_codes


def test_labels_on_another_grid_are_refused(session):
    other = annotation()
    moved = other.grid.affine.copy()
    moved[:3, 3] += 5.0
    with pytest.raises(GeometryError, match="another grid"):
        session.replace(replace(other, grid=Grid(SHAPE, moved)), "import")


def test_labels_of_another_protocol_are_refused(session):
    with pytest.raises(GeometryError, match="protocol forest"):
        session.replace(annotation(protocol=FOREST), "import")


def test_unknown_codes_are_refused_and_change_nothing(session):
    with pytest.raises(EncodingError):
        session.replace(np.full(SHAPE, 7, np.uint8), "import")
    with pytest.raises(EncodingError):
        session.replace(np.full(SHAPE, 259), "would be 3 when cut to a byte")
    with pytest.raises(EncodingError):
        session.put((np.array([0]), np.array([0]), np.array([0])), 7, "import")
    assert not session.codes.any()
    assert not session.can_undo


def test_an_unknown_region_is_named_with_those_that_exist(session):
    with pytest.raises(InputError, match="WT, TC, ET"):
        session.apply(Stroke("GTV", Mode.PAINT, cube((0, 0, 0))))


def test_arrays_that_are_flipped_views_are_edited_in_a_copy():
    codes = np.zeros(SHAPE, np.uint8)
    codes.flags.writeable = False
    session = EditSession(annotation(codes[::-1].transpose(0, 1, 2)))
    session.apply(Stroke("WT", Mode.PAINT, cube((0, 0, 0))))
    assert session.codes.flags.c_contiguous
    assert not codes.any()
