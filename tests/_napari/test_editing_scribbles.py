"""Scribbles are shown, are no labels, and bring a region to what the images show as one step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from test_editing_controller import SHAPE, Desk, make_session

from napari_mmseg._napari.editing_controller import attach_editing
from napari_mmseg._napari.editing_scribbles import SCRIBBLES_NAME
from napari_mmseg._napari.editing_widget import EditWidget


def lesion() -> np.ndarray:
    at = np.indices(SHAPE) - np.reshape([4, 10, 12], (3, 1, 1, 1))
    inside: np.ndarray = (at[0] * 3.0) ** 2 + at[1] ** 2 + (at[2] * 2.0) ** 2 < 7.5**2
    return inside


@pytest.fixture
def desk(qapp: Any) -> Iterator[Desk]:
    """A bright lesion of which the labels know only the left half."""
    codes = lesion().astype(np.uint8)
    codes[:, :, 12:] = 0
    found = Desk(make_session(codes))
    found.controller.detach()
    image = np.where(lesion(), 200, 50) + np.random.default_rng(0).normal(0, 5, SHAPE)
    images = {"FLAIR": image.astype(np.float32)}
    found.controller = attach_editing(found.viewer, found.layer, found.session, images=images)
    yield found
    found.controller.detach()


def overlay(desk: Desk) -> Any:
    return next(layer for layer in desk.viewer.layers if layer.name == SCRIBBLES_NAME)


def test_scribbles_are_shown_and_are_no_labels(desk):
    before = desk.session.codes.copy()
    desk.press("S")
    desk.controller.use(diameter=2.0)
    desk.drag((4, 10, 13), (4, 10, 14))
    desk.drag((4, 2, 2), modifiers=("Shift",))
    shown = overlay(desk)
    assert (shown.data[4, 10, 13], shown.data[4, 10, 14], shown.data[4, 2, 2]) == (1, 1, 2)
    assert desk.viewer.layers.selection.active is desk.layer
    assert desk.session.undo_depth == 0
    np.testing.assert_array_equal(desk.session.codes, before)
    desk.press("Shift-C")
    assert not shown.data.any()
    assert desk.controller.scribbles.count == 0


def test_refining_solves_the_region_near_the_scribbles_in_one_step(desk, qtbot):
    desk.press("S")
    desk.controller.use(diameter=2.0)
    desk.drag((4, 8, 13), (4, 12, 14))
    desk.drag((4, 1, 2), (4, 1, 20), modifiers=("Shift",))
    desk.press("Shift-S")
    assert desk.controller.scribbles.is_busy
    qtbot.waitUntil(lambda: not desk.controller.scribbles.is_busy, timeout=30_000)
    qtbot.waitUntil(lambda: desk.session.undo_depth == 1, timeout=1_000)
    assert desk.session.undo_label == "refine WT"
    found = desk.session.codes > 0
    dice = 2 * (found & lesion()).sum() / (found.sum() + lesion().sum())
    assert dice > 0.85
    assert overlay(desk).data.any()  # they stay, for a few more
    desk.layer.undo()
    assert not desk.session.codes[:, :, 12:].any()


def scribbled(desk: Any, monkeypatch: Any) -> list[tuple[list[Any], int]]:
    """What each refinement is asked: the scribbles and the side of the box."""
    from napari_mmseg.editing.refine import Refinement, Refiner

    asked: list[tuple[list[Any], int]] = []
    nothing = Refinement((slice(0, 1), slice(0, 1), slice(0, 1)), (), {})

    def solve(self: Any, codes: Any, scribbles: Any, side: int) -> Any:
        asked.append((list(scribbles), side))
        return nothing

    monkeypatch.setattr(Refiner, "solve", solve)
    return asked


def refine(desk: Desk, qtbot: Any) -> None:
    desk.press("Shift-S")
    qtbot.waitUntil(lambda: not desk.controller.scribbles.is_busy, timeout=10_000)


def test_earlier_scribbles_of_the_same_place_count_again_and_others_not(desk, qtbot, monkeypatch):
    asked = scribbled(desk, monkeypatch)
    scribbles = desk.controller.scribbles
    scribbles.side = 12
    desk.press("S")
    desk.controller.use(diameter=2.0)
    desk.drag((4, 3, 3))
    refine(desk, qtbot)
    desk.drag((4, 3, 20))  # elsewhere
    refine(desk, qtbot)
    desk.drag((4, 5, 18), modifiers=("Shift",))
    refine(desk, qtbot)
    refine(desk, qtbot)  # once more as it is
    assert [len(drawn) for drawn, _ in asked] == [1, 1, 2, 2]
    assert [one.inside for one in asked[2][0]] == [True, False]
    assert {side for _, side in asked} == {12}
    assert scribbles.count == 3  # all are still shown


def test_the_panel_sets_the_side_of_the_box(desk, qtbot, monkeypatch):
    asked = scribbled(desk, monkeypatch)
    widget = EditWidget()
    qtbot.addWidget(widget)
    desk.controller.join(widget)
    widget._scribbles._box_side.setCurrentIndex(1)
    assert desk.controller.scribbles.side == 96
    desk.press("S")
    desk.drag((4, 3, 3))
    refine(desk, qtbot)
    assert asked[0][1] == 96


def test_what_is_painted_meanwhile_is_never_overwritten(desk, qtbot, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk.press("S")
    desk.drag((4, 10, 13))
    desk.press("Shift-S")
    desk.controller.use(tool="brush", diameter=2.0)
    desk.drag((4, 3, 20))
    painted = desk.session.codes.copy()
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    assert "changed while" in said[0]
    np.testing.assert_array_equal(desk.session.codes, painted)


def test_refining_without_scribbles_says_what_to_do(desk, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk.press("Shift-S")
    assert "Scribble first" in said[0]


def test_detaching_takes_the_scribbles_away(desk):
    desk.press("S")
    desk.drag((4, 10, 13))
    desk.controller.detach()
    assert SCRIBBLES_NAME not in desk.viewer.layers
    desk.controller = attach_editing(desk.viewer, desk.layer, desk.session)
