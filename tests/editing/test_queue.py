"""What is worth a look comes first, is found anew only where something changed, and is counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.editing.places import Reason
from napari_mmseg.editing.queue import ReviewQueue, SliceQueue
from napari_mmseg.errors import GeometryError, InputError

from .volumes import annotation

SHAPE = (50, 60, 55)


def cube(corner: tuple[int, int, int], side: int) -> tuple[slice, slice, slice]:
    a, b, c = (slice(n, n + side) for n in corner)
    return a, b, c


def session_of(*parts: tuple[tuple[int, int, int], int], code: int = 1, spacing=(1.0, 1.0, 1.0)):
    codes = np.zeros(SHAPE, np.uint8)
    for corner, side in parts:
        codes[cube(corner, side)] = code
    return EditSession(annotation(codes, spacing=spacing))


def certain(session: EditSession) -> np.ndarray:
    """Probabilities that agree with the labels everywhere."""
    return (session.codes > 0).astype(np.float32)


def test_a_smooth_lesion_that_the_model_is_sure_of_leaves_nothing_to_do():
    session = session_of(((10, 10, 10), 20))
    # a cube's corners are a little jagged: only that
    queue = ReviewQueue(session, {"WT": certain(session)})
    assert {place.reason for place in queue.places()} <= {Reason.JAGGED}
    assert queue.left_ml < 0.1


def test_the_gain_is_the_volume_expected_to_be_wrong():
    session = session_of(((10, 10, 10), 20))
    probability = certain(session)
    probability[cube((12, 12, 12), 6)] = 0.6  # 216 mm3, wrong with 0.4
    probability[cube((41, 41, 41), 5)] = 0.9  # 125 mm3 that the model would add
    queue = ReviewQueue(session, {"WT": probability})
    found = {p.reason: p for p in queue.places() if p.reason is not Reason.JAGGED}
    assert found[Reason.UNSURE].gain_mm3 == pytest.approx(216 * 0.4, rel=1e-5)
    assert found[Reason.DISAGREES].gain_mm3 == pytest.approx(125 * 0.9, rel=1e-5)
    assert found[Reason.DISAGREES].centre == (43, 43, 43)
    assert found[Reason.DISAGREES].box == cube((41, 41, 41), 5)
    assert "sees WT otherwise" in found[Reason.DISAGREES].text
    gains = [place.gain_mm3 for place in queue.places()]
    assert gains == sorted(gains, reverse=True)


def test_bytes_and_fractions_say_the_same():
    session = session_of(((10, 10, 10), 20))
    steps = np.where(session.codes > 0, 153, 0).astype(np.uint8)
    by_bytes, by_fractions = (
        ReviewQueue(session, {"WT": p}) for p in (steps, steps.astype(np.float32) / 255)
    )
    assert by_bytes.left_ml == pytest.approx(by_fractions.left_ml)
    assert by_bytes.left > 1


def test_islands_and_holes_are_found_without_a_model_and_lesions_and_necrosis_are_not():
    session = session_of(((5, 5, 5), 24), ((40, 40, 40), 4), ((5, 40, 30), 12))
    session.apply(Stroke("WT", Mode.ERASE, Footprint((15, 15, 15), np.ones((3, 3, 3), bool))))
    queue = ReviewQueue(session)
    pieces = [p for p in queue.places() if p.reason in (Reason.ISLAND, Reason.HOLE)]
    assert {(p.reason, p.centre) for p in pieces} >= {(Reason.HOLE, (16, 16, 16))}
    islands = [p for p in pieces if p.reason is Reason.ISLAND]
    assert [p.box for p in islands] == [cube((40, 40, 40), 4)]  # 12 mm cubed is a lesion
    session.apply(Stroke("WT", Mode.PAINT, Footprint((14, 14, 14), np.ones((6, 6, 6), bool))))
    assert not [p for p in queue.places() if p.reason is Reason.HOLE]


def test_a_ragged_surface_is_found_and_smoothing_it_takes_it_away():
    session = session_of(((10, 10, 10), 20))
    spikes = np.zeros((3, 20, 20), bool)
    spikes[:, ::3, ::3] = True
    before = ReviewQueue(session).left_ml
    session.apply(Stroke("WT", Mode.PAINT, Footprint((30, 10, 10), spikes)))
    queue = ReviewQueue(session)
    jagged = [p for p in queue.places() if p.reason is Reason.JAGGED]
    assert queue.left_ml > before + 0.03
    assert any(p.box[0].stop > 30 for p in jagged)
    session.apply(Stroke("WT", Mode.ERASE, Footprint((30, 10, 10), spikes)))
    assert queue.left_ml == pytest.approx(before)


def test_where_somebody_edited_the_models_doubt_does_not_count():
    session = session_of(((10, 10, 10), 20))
    probability = certain(session)
    probability[cube((35, 35, 35), 6)] = 0.4
    queue = ReviewQueue(session, {"WT": probability})
    assert Reason.UNSURE in {p.reason for p in queue.places()}
    session.apply(Stroke("WT", Mode.PAINT, Footprint((35, 35, 35), np.ones((6, 6, 6), bool))))
    assert not {Reason.UNSURE, Reason.DISAGREES} & {p.reason for p in queue.places()}


def test_next_goes_through_all_and_counts():
    session = session_of(((5, 5, 5), 12), ((30, 30, 30), 12))
    probability = certain(session) * np.float32(0.6)
    queue = ReviewQueue(session, {"WT": probability})
    total, ml = queue.left, queue.left_ml
    seen = []
    while (place := queue.next()) is not None:
        seen.append(place)
        assert queue.current == place
        assert queue.done + queue.left == total
        assert queue.left_ml <= ml
    assert len(seen) == total == queue.done
    assert queue.left == 0
    assert queue.left_ml == 0


def test_a_place_comes_back_when_edits_made_it_worse():
    session = session_of(((10, 10, 10), 20))
    queue = ReviewQueue(session, {"WT": certain(session)})
    while queue.next() is not None:
        pass
    session.apply(Stroke("WT", Mode.ERASE, Footprint((10, 10, 10), np.ones((12, 12, 12), bool))))
    assert queue.left > 0
    assert queue.next().reason in (Reason.DISAGREES, Reason.JAGGED)


@given(seed=st.integers(0, 2**16))
@settings(max_examples=12, deadline=None)
def test_local_recomputation_finds_what_starting_anew_finds(seed):
    rng = np.random.default_rng(seed)
    codes = np.zeros(SHAPE, np.uint8)
    codes[cube((8, 8, 8), 30)] = rng.integers(1, 4)
    session = EditSession(annotation(codes, spacing=(2.0, 1.0, 1.0)))
    probabilities = {"WT": rng.random(SHAPE).astype(np.float32), "ET": rng.random(SHAPE) * 0.4}
    queue = ReviewQueue(session, probabilities)
    for _ in range(3):
        corner = tuple(int(rng.integers(0, n - 8)) for n in SHAPE)
        side = int(rng.integers(1, 9))
        mode = (Mode.PAINT, Mode.ERASE)[int(rng.integers(2))]
        region = ("WT", "TC", "ET")[int(rng.integers(3))]
        session.apply(Stroke(region, mode, Footprint(corner, np.ones((side,) * 3, bool))))
        if rng.random() < 0.5:
            queue.places()
    anew = ReviewQueue(session, probabilities)
    assert queue.places() == anew.places()


def test_every_kth_slice_is_given_in_order_and_once():
    session = session_of(((10, 10, 10), 20))
    queue = SliceQueue(session, axis=0, every=6)
    total = queue.left
    given_slices = []
    while (place := queue.next()) is not None:
        assert place.reason is Reason.SLICE
        assert session.codes[place.centre] == 1
        given_slices.append(place.centre[0])
    assert given_slices == [10, 16, 22, 28]
    assert (queue.done, queue.left, total) == (4, 0, 4)


def test_an_empty_annotation_has_no_places():
    session = session_of()
    assert ReviewQueue(session).next() is None
    assert SliceQueue(session, 1, 3).next() is None


def test_what_does_not_fit_is_refused():
    session = session_of()
    with pytest.raises(GeometryError, match="probabilities of WT"):
        ReviewQueue(session, {"WT": np.zeros((3, 3, 3), np.float32)})
    with pytest.raises(InputError, match="WT, TC, ET"):
        ReviewQueue(session, {"GTV": np.zeros(SHAPE, np.float32)})
    with pytest.raises(InputError, match="choose 1 or more"):
        SliceQueue(session, 0, 0)


def test_a_closed_queue_no_longer_follows():
    session = session_of()
    queue = ReviewQueue(session)
    queue.close()
    queue.close()
    assert not session.on_change
