"""The simulated user: honest hand, counted time, and corrections that reach the target."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import robot
from benchmarks._robot_cases import MARGIN, Task, case_of, task_of
from benchmarks._robot_hand import WAIT_CARRY, Clock, Hand
from benchmarks._robot_plan import (
    BRUSHES_MM,
    BUTTON,
    KEY,
    POINT,
    SEGMENT,
    THINK,
    brushed,
    cost,
    outlined,
    planned,
    rows,
)
from benchmarks._robot_shaping import has_holes, has_islands, is_jagged, shape_regions
from benchmarks._robot_slices import correct_and_carry
from benchmarks._robot_sliders import move_sliders
from benchmarks._robot_tools import TRIES, ToolUser, middle_line
from benchmarks._robot_user import TARGET_DICE, User
from napari_mmseg.annotation import Annotation
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.protocol import load_protocol

SHAPE = (12, 64, 64)


def ball(centre: tuple[int, int, int], radius: float) -> np.ndarray:
    axes = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    return sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) <= radius**2


def target() -> np.ndarray:
    codes = ball((6, 30, 30), 20.0).astype(np.uint8)
    codes[ball((6, 30, 30), 13.0)] = 2
    codes[ball((6, 30, 30), 9.0)] = 3
    codes[[0, 1, 10, 11]] = 0
    return codes


@pytest.fixture(scope="module")
def task() -> Task:
    """A target that the images show, and a proposal with a part missing and a false component."""
    truth = target()
    noise = np.random.default_rng(0).normal(size=(4, *SHAPE))
    images = (noise + 3.0 * truth).astype(np.float32)
    case = case_of("made up", images)
    codes = truth.copy()
    codes[:, :24] = 0
    codes[3:6, 52:60, 52:60] = 1
    protocol = load_protocol()
    proposal = Annotation(codes, case.grid, protocol, case.source)
    probabilities = {
        name: (0.2 + 0.6 * protocol.inside(codes, name)).astype(np.float32)
        for name in ("WT", "TC", "ET")
    }
    return Task("made up", case, proposal, dict(probabilities), truth)


@pytest.fixture
def hand(task: Task) -> Hand:
    empty = Annotation(np.zeros(SHAPE, np.uint8), task.case.grid, load_protocol(), task.case.source)
    return Hand(EditSession(empty), Clock(), seed=1)


def test_a_stroke_costs_what_the_model_says(hand):
    hand.draw([(10.0, 10.0), (10.0, 20.0), (20.0, 20.0)], 5, 2.0)
    assert hand.clock.strokes == 1
    assert hand.clock.by_kind["point"] == pytest.approx(POINT + 2 * BUTTON)
    # two straight segments, 20 mm that are 4 cm on the screen
    assert hand.clock.by_kind["draw"] == pytest.approx(2 * SEGMENT + 4 * 0.16)


def test_the_hand_misses_more_with_a_wider_brush(hand):
    off = {}
    for diameter in (BRUSHES_MM[-1], BRUSHES_MM[0]):
        middles = []
        for _ in range(60):
            drawn = hand.draw([(32.0, 32.0)], 5, diameter)
            where = np.argwhere(drawn.mask)[:, 1:] + drawn.corner[1:]
            middles.append(where.mean(axis=0))
        off[diameter] = float(np.std(middles))
        assert np.abs(np.mean(middles, axis=0) - 32).max() < 1.0
    assert 0.1 < off[BRUSHES_MM[-1]] < 0.6
    assert 1.4 < off[BRUSHES_MM[0]] < 2.6


def test_a_stroke_stays_in_its_slice(hand):
    drawn = hand.draw([(5.0, 5.0), (30.0, 30.0)], 7, 12.0)
    assert drawn.corner[0] == 7
    assert drawn.mask.shape[0] == 1


def test_rows_cover_a_piece():
    piece = np.zeros((40, 60), bool)
    piece[5:25, 10:50] = True
    path = rows(piece, 6.0)
    assert {p for p, _ in path} <= set(range(5, 25))
    for p, left in np.argwhere(piece):
        assert min(abs(p - row) for row, _ in path) <= 4
        assert 10 <= left < 50
    assert rows(np.eye(1, dtype=bool), 6.0) == [(0.0, 0.0)]


def test_a_scribble_runs_along_the_middle_of_the_largest_error():
    wrong = np.zeros((40, 60), bool)
    wrong[10:17, 5:45] = True
    wrong[30:33, 50:53] = True
    path = middle_line(wrong, 40)
    assert all(11 <= p <= 15 and 5 < left < 45 for p, left in path)
    assert abs(path[0][1] - path[-1][1]) > 20
    assert middle_line(wrong, 1000) == []


def test_one_slice_is_painted_to_the_target(hand):
    wanted = ball((6, 30, 30), 20.0)[6]
    for _ in range(2):
        for mode in (Mode.PAINT, Mode.ERASE):
            hand.correct("WT", mode, 6, wanted, 6.0)
    found = hand.session.codes[6] > 0
    assert 2 * (found & wanted).sum() / (found.sum() + wanted.sum()) > TARGET_DICE
    assert not hand.session.codes[:6].any()
    assert hand.clock.keys > 0


def test_all_users_reach_the_target_and_tools_save_time(task):
    rows_ = robot.compare(task)
    assert all(row["reached"] for row in rows_.values()), rows_
    for row in rows_.values():
        assert min(row["dice"].values()) >= TARGET_DICE
        assert row["strokes"] > 0
        assert row["minutes"] == pytest.approx(sum(row["seconds"].values()) / 60, abs=0.02)
    assert rows_["brush"]["minutes"] < rows_["manual"]["minutes"]
    told = robot.savings({"one": rows_})
    assert told["reached"] == 1
    assert told["saving_vs_manual"] > 0


def test_a_finished_annotation_costs_nothing(task):
    right = Annotation(task.target, task.case.grid, load_protocol(), task.case.source)
    row = User(EditSession(right), task.target).work()
    assert row["reached"]
    assert (row["minutes"], row["strokes"], row["voxels"]) == (0, 0, 0)


def test_a_false_component_goes_by_one_click(task):
    user = ToolUser(EditSession(task.proposal), task.target, task.images, task.probabilities)
    for _ in user.remove_false_components():
        pass
    assert not user.session.codes[:, 50:, 50:].any()
    assert user.clock.strokes == 1
    assert user.voxels == 3 * 8 * 8


def test_a_refinement_that_makes_the_slice_worse_is_undone(task, monkeypatch):
    user = ToolUser(EditSession(task.proposal), task.target, task.images, task.probabilities)
    before = user.session.codes.copy()

    def harm(session, *_):
        session.apply(Stroke("WT", Mode.ERASE, Footprint((0, 0, 0), np.ones(SHAPE, bool))))

    monkeypatch.setattr("benchmarks._robot_tools.refine", harm)
    assert not user.refine_in(6, "WT")
    np.testing.assert_array_equal(user.session.codes, before)


def test_savings_count_only_cases_that_all_users_finished():
    def case(manual: float, brush: float, tools: float, reached: bool = True):
        times = {"manual": manual, "brush": brush, "tools": tools}
        return {user: {"minutes": t, "reached": reached} for user, t in times.items()}

    told = robot.savings({"a": case(10, 5, 2), "b": case(20, 8, 4), "c": case(1, 1, 99, False)})
    assert told == {"reached": 2, "saving_vs_manual": 0.8, "saving_vs_brush": 0.538}
    assert robot.savings({"c": case(1, 1, 9, False)})["saving_vs_brush"] is None


def test_some_slices_are_carried_to_those_between_and_cost_less(task):
    half = task.target.copy()
    half[:, :30] = 0
    proposal = Annotation(half, task.case.grid, load_protocol(), task.case.source)
    users = [
        User(EditSession(proposal), task.target),
        ToolUser(EditSession(proposal), task.target, task.images, task.probabilities),
    ]
    before = users[1].dice()["WT"]
    for _ in users[0].go_through_slices(6.0):
        pass
    for _ in correct_and_carry(users[1]):
        if users[1].has_finished:
            break
    assert users[1].clock.seconds < 0.8 * users[0].clock.seconds
    assert users[1].dice()["WT"] > 0.93 > before
    assert users[1].clock.by_tool["carry"] > 0


def test_dice_is_that_of_the_whole_volume_after_any_change(task):
    user = User(EditSession(task.proposal), task.target)
    user.dice()
    user.session.apply(Stroke("TC", Mode.PAINT, Footprint((2, 40, 40), np.ones((5, 9, 9), bool))))
    user.session.undo()
    user.session.apply(Stroke("WT", Mode.ERASE, Footprint((4, 20, 20), np.ones((3, 9, 9), bool))))
    for level, region in enumerate(("WT", "TC", "ET")):
        mine, right = user.session.codes > level, task.target > level
        expected = 2 * (mine & right).sum() / (mine.sum() + right.sum())
        assert user.dice()[region] == pytest.approx(expected)


def test_a_large_piece_is_outlined_and_its_hole_given_back():
    axes = np.ogrid[0:90, 0:90]
    away = np.hypot(axes[0] - 45, axes[1] - 45)
    ring = (away < 30) & (away > 15)
    draws = planned(ring, ring, (1.0, 1.0), 6.0)
    assert [(draw.fills, draw.back) for draw in draws] == [(True, False), (True, True)]
    disc = away < 30
    around, hatched = outlined(disc, disc, (1.0, 1.0), 6.0), brushed(disc, disc, (1.0, 1.0), 6.0)
    assert cost(around, (1.0, 1.0)) < cost(hatched, (1.0, 1.0))
    assert not outlined(disc & (axes[0] == 45), disc, (1.0, 1.0), 6.0)
    assert planned(np.zeros((9, 9), bool), np.zeros((9, 9), bool), (1.0, 1.0), 6.0) == []


def test_a_thin_strip_is_followed_not_hatched():
    axes = np.ogrid[0:90, 0:90]
    away = np.hypot(axes[0] - 45, axes[1] - 45)
    strip = (away < 31) & (away > 26) & (axes[0] > 45)
    draws = brushed(strip, strip, (1.0, 1.0), 6.0)
    hatched = rows(strip, 0.75)
    assert sum(len(draw.path) for draw in draws) < len(hatched) / 2


def test_sliders_move_where_too_little_is_labelled_and_only_as_far_as_it_helps(task):
    truth = task.target
    small, large = (ball((6, 30, 30), radius) & (truth > 0) for radius in (14.0, 26.0))

    def codes(thresholds):
        wanted = thresholds["WT"]
        mask = small if wanted >= 0.5 else truth > 0 if wanted >= 0.1 else large
        return np.where(mask, np.maximum(truth, 1), 0).astype(np.uint8)

    asked = []

    def at_thresholds(thresholds):
        asked.append(thresholds["WT"])
        return codes(thresholds)

    first = {"WT": 0.5, "TC": 0.5, "ET": 0.5}
    proposal = Annotation(codes(first), task.case.grid, load_protocol(), task.case.source)
    user = User(EditSession(proposal), truth)
    for _ in move_sliders(user, first, at_thresholds):
        pass
    assert asked[:2] == [0.35, 0.2]
    assert user.dice()["WT"] == 1.0
    assert user.session.undo_label == "thresholds"
    assert user.clock.by_tool["sliders"] == pytest.approx(user.clock.seconds)


def test_a_task_is_cut_to_the_tumour_and_what_is_proposed(task):
    shape = (40, 100, 110)
    truth = np.zeros(shape, np.uint8)
    truth[20:25, 50:60, 60:70] = 2
    case = case_of("cut", np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32))

    class Predicted:
        regions, thresholds = ("WT",), {"WT": 0.5}

        def annotation(self, thresholds=None):
            return Annotation((truth > 0).astype(np.uint8), case.grid, load_protocol(), case.source)

        def probability(self, region):
            return 0.9 * (truth > 0).astype(np.float32)

    found = task_of("cut", case, truth, Predicted())
    assert found.target.shape == (36, 10 + 2 * MARGIN, 10 + 2 * MARGIN)
    assert (found.target > 0).sum() == (truth > 0).sum()
    where, whole = (np.argwhere(one == 2)[0] for one in (found.target, truth))
    np.testing.assert_allclose(
        found.case.grid.affine[:3, :3] @ where + found.case.grid.affine[:3, 3],
        case.grid.affine[:3, :3] @ whole + case.grid.affine[:3, 3],
    )
    np.testing.assert_array_equal(found.at_thresholds({}) > 0, found.target > 0)


def test_a_touch_of_the_adaptive_brush_takes_a_large_error_that_the_images_show(task, monkeypatch):
    monkeypatch.setattr("benchmarks._robot_tools.WORTH_A_TOUCH", 1.0)
    user = ToolUser(EditSession(task.proposal), task.target, task.images, task.probabilities)
    before = user.errors("WT", 6)
    assert user.touch("WT", Mode.PAINT, 6)
    assert user.errors("WT", 6) < 0.6 * before
    assert user.clock.strokes == 1
    assert user.clock.by_kind["draw"] == 0


def test_touches_that_make_it_worse_are_undone_and_then_given_up(task, monkeypatch):
    monkeypatch.setattr("benchmarks._robot_tools.WORTH_A_TOUCH", 1.0)
    user = ToolUser(EditSession(task.proposal), task.target, task.images, task.probabilities)
    asked: list[float] = []

    def elsewhere(brush, place, index, diameter):
        asked.append(diameter)
        return Footprint((index, 50, 50), np.ones((1, 9, 9), bool))

    monkeypatch.setattr(user.hand, "touch", elsewhere)
    for _ in range(9):
        assert not user.touch("WT", Mode.PAINT, 6)
    assert len(asked) == TRIES
    np.testing.assert_array_equal(user.session.codes, task.proposal.codes)


def test_a_small_error_is_not_worth_a_touch(task):
    nearly = task.target.copy()
    nearly[6, 30:33, 30:33] = 0
    proposal = Annotation(nearly, task.case.grid, load_protocol(), task.case.source)
    user = ToolUser(EditSession(proposal), task.target, task.images, task.probabilities)
    assert not user.touch("WT", Mode.PAINT, 6)
    assert user.clock.seconds == 0


def test_reasons_for_a_command_are_seen_in_a_slice():
    right = np.zeros((30, 30), bool)
    right[5:20, 5:20] = True
    hole, island, jagged = right.copy(), right.copy(), right.copy()
    hole[10, 10] = False
    island[25, 25] = True
    jagged[5:20:2, 19] = jagged[5, 5:20:2] = False
    assert [has_holes(one, right) for one in (right, hole, island)] == [False, True, False]
    assert [has_islands(one, right) for one in (right, hole, island)] == [False, False, True]
    assert [is_jagged(one, right) for one in (right, hole, jagged)] == [False, False, True]
    assert not has_holes(hole, hole)


def test_a_region_is_shaped_where_that_helps_and_left_where_not(task):
    holed = task.target.copy()
    holed[4:9, 28:31, 28:31] = 0
    proposal = Annotation(holed, task.case.grid, load_protocol(), task.case.source)
    user = User(EditSession(proposal), task.target)
    for _ in shape_regions(user):
        pass
    assert (user.session.codes[4:9, 28:31, 28:31] > 0).all()
    assert user.errors("WT", 6) == 0
    done = user.clock.seconds
    for _ in shape_regions(user):
        pass
    look, command = 3 * KEY + THINK, 2 * KEY + POINT + 2 * BUTTON + THINK
    assert user.clock.seconds - done <= look + command + 1e-9


def test_what_is_wrong_altogether_in_a_slice_is_wiped_by_a_click(task):
    user = ToolUser(EditSession(task.proposal), task.target, task.images, task.probabilities)
    user.wipe("WT", 4, user.sees("WT", 4))
    assert not user.session.codes[4, 50:, 50:].any()
    assert user.session.codes[3, 52, 52] == 1
    right = user.sees("WT", 4) & (task.proposal.codes[4] > 0)
    assert user.now("WT", 4)[right].all()
    assert user.clock.seconds == pytest.approx(3 * KEY + POINT + 2 * BUTTON)


def test_carrying_that_makes_it_worse_is_taken_back(task, monkeypatch):
    user = ToolUser(EditSession(task.proposal), task.target, task.images, task.probabilities)

    def harm(session, *_):
        session.apply(Stroke("WT", Mode.ERASE, Footprint((0, 0, 0), np.ones(SHAPE, bool))))

    monkeypatch.setattr("benchmarks._robot_slices.carry", harm)
    for _ in correct_and_carry(user):
        if user.clock.by_tool.get("carry"):
            break
    assert user.session.codes.any()
    assert user.clock.by_tool["carry"] == pytest.approx(2 * KEY + WAIT_CARRY)


def test_smaller_pieces_count_in_smaller_regions(task):
    user = ToolUser(EditSession(task.proposal), task.target, task.images, task.probabilities)
    small, large = np.zeros((64, 64), bool), np.ones((64, 64), bool)
    small[:10, :10] = True
    assert 1.5 <= user.least_mm2(small, 6.0) < user.least_mm2(large, 6.0) == 6.0
    assert user.least_mm2(small, 1.0) == 1.0


def test_a_user_gives_up_when_the_time_is_over(task):
    row = User(EditSession(task.proposal), task.target).work(wall_s=0.0)
    assert not row["reached"]
    assert row["strokes"] > 0


def test_somebody_with_the_plain_brush_does_not_keep_a_proposal_that_costs_more_than_it_saves():
    times = {"manual": 10, "brush": 30, "tools": 4}
    rows_ = {"a": {user: {"minutes": t, "reached": True} for user, t in times.items()}}
    assert robot.savings(rows_)["saving_vs_brush"] == 0.6
