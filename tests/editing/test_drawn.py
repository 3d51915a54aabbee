"""Which slices were drawn in: by thickness, and only while they differ from the proposal."""

from __future__ import annotations

import numpy as np
import pytest

from napari_mmseg.annotation import Annotation
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.editing.drawn import DrawnSlices
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace


@pytest.fixture
def session() -> EditSession:
    grid = Grid((8, 20, 22), np.diag([1.0, 1.0, 1.0, 1.0]))
    codes = np.zeros(grid.shape, np.uint8)
    return EditSession(Annotation(codes, grid, load_protocol(), SourceSpace.of(grid)))


def draw(session: EditSession, corner: tuple[int, int, int], size: tuple[int, int, int]) -> None:
    session.apply(Stroke("WT", Mode.PAINT, Footprint(corner, np.ones(size, bool))))


def test_what_is_one_slice_thick_was_drawn_there(session):
    drawn = DrawnSlices(session)
    draw(session, (5, 2, 2), (1, 4, 4))
    draw(session, (2, 2, 2), (1, 4, 4))
    draw(session, (1, 10, 9), (4, 4, 1))
    draw(session, (3, 12, 12), (3, 3, 3))
    draw(session, (7, 2, 15), (1, 1, 5))  # a line of voxels: it could be any of two planes
    assert [drawn.across(axis) for axis in range(3)] == [[2, 5], [], [9]]


def test_what_was_taken_back_does_not_count(session):
    drawn = DrawnSlices(session)
    draw(session, (5, 2, 2), (1, 4, 4))
    session.undo()
    assert drawn.across(0) == []
    session.redo()
    assert drawn.across(0) == [5]


def test_it_can_be_let_go(session):
    drawn = DrawnSlices(session)
    drawn.close()
    drawn.close()
    draw(session, (5, 2, 2), (1, 4, 4))
    assert drawn.across(0) == []
