"""Any step of a history can be shown from any other, forwards and backwards."""

from __future__ import annotations

import numpy as np
import pytest
from editing.volumes import random_codes
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.journal import load_work
from napari_mmseg.journal.replay import Work
from napari_mmseg.journal.timeline import Film, Timeline

from .desk import blot, opened

History = tuple[Work, list[np.ndarray], list[np.ndarray]]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Strokes, undo, redo, results of a model and moves of a slider; the volumes after each."""
    path = tmp_path_factory.mktemp("history") / "w.mmseg"
    session, journal = opened(path)
    codes, proposals = [session.codes.copy()], [session.proposal.copy()]

    def note(_: object) -> None:
        codes.append(session.codes.copy())
        proposals.append(session.proposal.copy())

    session.on_act.append(note)
    for seed in range(24):
        kind = seed % 8
        if kind == 5:
            session.undo()
        elif kind == 6:
            session.redo()
        elif kind in (2, 3):
            session.replace(random_codes(seed), "thresholds", keep_edits=True, group="slider")
        else:
            blot(session, seed)
    assert journal.close()
    return load_work(path)[0], codes, proposals


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 24), max_size=8))
def test_every_position_is_what_it_was(history: History, visited: list[int]):
    work, codes, proposals = history
    timeline = Timeline(work)
    assert len(timeline) == len(codes) == 25
    for position in visited:
        timeline.go_to(position)
        np.testing.assert_array_equal(timeline.codes, codes[position])
        np.testing.assert_array_equal(timeline.proposal, proposals[position])


def test_there_is_nothing_before_the_beginning_or_after_the_end(history: History):
    timeline = Timeline(history[0])
    for position in (-1, 25):
        with pytest.raises(IndexError, match="25 positions"):
            timeline.go_to(position)
    assert timeline.entry(0) is None
    assert timeline.entry(1) is history[0].entries[0]


@pytest.mark.parametrize(
    "key",
    [
        7,
        -1,
        (3, 2),
        (np.int64(24), slice(None), 4, slice(1, 5)),
        (slice(4, 9, 2), 1),
        (..., 3),
        (5, ..., 0),
        slice(3, 3),
        (slice(None), 1, 2, 3),
    ],
)
def test_a_film_is_indexed_as_an_array_is(history: History, key: object):
    work, codes, proposals = history
    timeline = Timeline(work)
    for volumes, of_proposal in ((codes, False), (proposals, True)):
        film, array = Film(timeline, of_proposal), np.stack(volumes)
        assert (film.shape, film.dtype, film.ndim) == (array.shape, array.dtype, array.ndim)
        assert (film.size, len(film)) == (array.size, len(array))
        np.testing.assert_array_equal(film[key], array[key])


def test_what_a_film_gave_does_not_change_later(history: History):
    film = Film(Timeline(history[0]))
    first = film[0]
    film[24]
    np.testing.assert_array_equal(first, history[1][0])
