"""From slices gone over to those between: follows the images, keeps what was given, nests."""

from __future__ import annotations

from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.annotation import Annotation
from napari_mmseg.editing import Carrier, EditSession, interpolate
from napari_mmseg.editing.refine import carry
from napari_mmseg.editing.refine.boosted import boost
from napari_mmseg.errors import GeometryError, InputError
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

SHAPE = (21, 56, 60)
PROTOCOL = load_protocol()
KEYS = [2, 8, 14, 18]


def grid_of(spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Grid:
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2] = (-edge for edge in spacing)
    affine[3, 3] = 1.0
    return Grid(SHAPE, affine)


def truth() -> np.ndarray:
    """Balls in each other; a rim that turns as it goes through the slices."""
    i, p, left = np.ogrid[tuple(slice(n) for n in SHAPE)]
    away = np.sqrt((1.6 * (i - 10)) ** 2 + (p - 28) ** 2 + (left - 30) ** 2)
    angle = np.arctan2(p - 28, left - 30) + 0.5 * i
    codes = (away < 20).astype(np.uint8)
    core = away < 12 + 2 * np.sin(3 * angle)
    codes[core] = 2
    codes[core & (away > 7)] = 3
    return codes


def images(codes: np.ndarray) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [
        (10 * np.array(level)[codes] + rng.normal(0, 1.5, SHAPE)).astype(np.float32)
        for level in ((0, 1, 1, 1), (0, 0, -1, 3))
    ]


def session_of(codes: np.ndarray, grid: Grid | None = None) -> EditSession:
    grid = grid or grid_of()
    return EditSession(Annotation(codes.copy(), grid, PROTOCOL, SourceSpace.of(grid)))


def drawn(codes: np.ndarray, keys: list[int]) -> np.ndarray:
    found = np.zeros_like(codes)
    found[keys] = codes[keys]
    return found


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize("region", ["WT", "TC", "ET"])
def test_it_follows_what_no_shape_tells(region):
    codes = truth()
    session, other = session_of(drawn(codes, KEYS)), session_of(drawn(codes, KEYS))
    carry(session, Carrier(session.grid, PROTOCOL, images(codes)), KEYS)
    for name in ("WT", "TC", "ET"):
        interpolate(other, name, 0, KEYS, replace=True)
    inner = slice(KEYS[0], KEYS[-1] + 1)
    right = PROTOCOL.inside(codes[inner], region)
    ours, drawn_only = (
        dice(PROTOCOL.inside(one.codes[inner], region), right) for one in (session, other)
    )
    assert ours > 0.93
    assert ours > drawn_only - 0.01
    if region == "ET":
        assert ours > drawn_only + 0.03


def test_given_slices_and_those_beyond_stay_and_it_is_one_step():
    codes = truth()
    rough = np.roll(codes, 4, axis=2)
    rough[KEYS] = codes[KEYS]
    session = session_of(rough)
    result = carry(session, Carrier(session.grid, PROTOCOL, images(codes)), KEYS)
    kept = [*KEYS, *range(KEYS[0]), *range(KEYS[-1] + 1, SHAPE[0])]
    np.testing.assert_array_equal(session.codes[kept], rough[kept])
    assert set(result.probabilities) == {"WT", "TC", "ET"}
    assert session.undo_depth == 1
    session.undo()
    np.testing.assert_array_equal(session.codes, rough)


def test_the_same_slices_give_the_same_result_twice_from_one_carrier():
    codes = truth()
    carrier = Carrier(grid_of(), PROTOCOL, images(codes))
    first, second = (carrier.solve(drawn(codes, KEYS), KEYS) for _ in range(2))
    for one, other in zip(first.strokes, second.strokes, strict=True):
        np.testing.assert_array_equal(one.footprint.mask, other.footprint.mask)


def test_a_piece_that_nobody_judged_stays_and_one_that_was_refused_goes():
    codes = truth()
    proposal = codes.copy()
    proposal[10:13, 2:6, 2:6] = 1  # wholly between 8 and 14
    proposal[3:8, 48:52, 2:6] = 1  # ends beside slice 8, in which it is not
    session = session_of(proposal)
    carry(session, Carrier(session.grid, PROTOCOL, images(codes)), KEYS)
    assert (session.codes[10:13, 2:6, 2:6] == 1).all()
    assert not session.codes[3:8, 48:52, 2:6].any()


@pytest.mark.parametrize("axis", [1, 2])
def test_along_other_axes(axis):
    codes = truth()
    middle = 28 if axis == 1 else 30
    keys = [middle - 12, middle - 6, middle, middle + 6, middle + 12]
    rough = np.zeros_like(codes)
    where = tuple(keys if i == axis else slice(None) for i in range(3))
    rough[where] = codes[where]
    session = session_of(rough)
    carry(session, Carrier(session.grid, PROTOCOL, images(codes)), keys, axis)
    inner = tuple(slice(keys[0], keys[-1] + 1) if i == axis else slice(None) for i in range(3))
    assert dice(session.codes[inner] > 0, codes[inner] > 0) > 0.93


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, SHAPE[0] - 1), min_size=2, max_size=5, unique=True),
    st.integers(0, 2**32 - 1),
)
def test_any_slices_of_anything_nest_and_stay(keys, seed):
    if max(keys) - min(keys) < len(keys):
        keys = [0, SHAPE[0] - 1]
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.repeat(rng.integers(0, 4, (SHAPE[0], 7, 6)), 8, 1), 10, 2)
    codes = (codes * (rng.random((SHAPE[0], 1, 1)) < 0.8)).astype(np.uint8)
    session = session_of(codes)
    few = partial(boost, rounds=5)  # of noise there is nothing to learn
    with patch("napari_mmseg.editing.refine.carry.boost", few):
        carry(session, Carrier(session.grid, PROTOCOL, [rng.normal(size=SHAPE)]), keys)
    np.testing.assert_array_equal(session.codes[keys], codes[keys])
    assert set(np.unique(session.codes)) <= {0, 1, 2, 3}


def test_what_cannot_be_carried_is_refused():
    session = session_of(truth())
    carrier = Carrier(session.grid, PROTOCOL, images(truth()))
    for keys in ([], [5], [5, 6], [5, 6, 7]):
        with pytest.raises(InputError, match="with others between"):
            carry(session, carrier, keys)
    with pytest.raises(InputError, match="not in the image"):
        carry(session, carrier, [3, SHAPE[0]])
    with pytest.raises(GeometryError, match="needs at least one image"):
        Carrier(session.grid, PROTOCOL, [])
    with pytest.raises(GeometryError, match="does not fit"):
        Carrier(session.grid, PROTOCOL, [np.zeros((2, 2, 2))])
    empty = session_of(np.zeros(SHAPE, np.uint8))
    carry(empty, carrier, [2, 8])
    assert not empty.can_undo
