"""Slices corrected by hand are carried to those between by a key, beside the window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from test_editing_controller import SHAPE, Desk, make_session

from napari_mmseg._napari.editing_carry import NO_IMAGES, TOO_FEW
from napari_mmseg._napari.editing_controller import attach_editing


def lesion() -> np.ndarray:
    at = np.indices(SHAPE) - np.reshape([4, 10, 12], (3, 1, 1, 1))
    inside: np.ndarray = (at[0] * 1.2) ** 2 + at[1] ** 2 + at[2] ** 2 < 7.5**2
    return inside


@pytest.fixture
def desk(qapp: Any) -> Iterator[Desk]:
    """A bright lesion of which the labels know nothing."""
    found = Desk(make_session(np.zeros(SHAPE, np.uint8)))
    found.controller.detach()
    image = np.where(lesion(), 200, 50) + np.random.default_rng(0).normal(0, 5, SHAPE)
    images = {"FLAIR": image.astype(np.float32)}
    found.controller = attach_editing(found.viewer, found.layer, found.session, images=images)
    yield found
    found.controller.detach()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sentences: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", sentences.append)
    return sentences


def turn_to(desk: Desk, index: int) -> None:
    desk.viewer.dims.set_point(0, desk.layer.data_to_world((index, 0, 0))[0])


def test_drawn_slices_are_carried_to_those_between_in_one_step(desk, qtbot):
    desk.controller.use(tool="brush", region="WT", diameter=12.0)
    for index in (2, 6):
        turn_to(desk, index)
        desk.drag((index, 10, 12), (index, 10, 13))
    drawn = desk.session.codes.copy()
    desk.press("Shift-I")
    assert desk.controller.carrying.is_busy
    qtbot.waitUntil(lambda: not desk.controller.carrying.is_busy, timeout=30_000)
    qtbot.waitUntil(lambda: desk.session.undo_depth == 3, timeout=1_000)
    assert desk.session.undo_label == "carry to the slices between"
    np.testing.assert_array_equal(desk.session.codes[[2, 6]], drawn[[2, 6]])
    assert (desk.session.codes[3:6, 10, 12] > 0).all()
    assert not desk.session.codes[:2].any()


def test_one_slice_or_no_image_is_not_enough(desk, said):
    desk.controller.use(tool="brush", region="WT", diameter=6.0)
    turn_to(desk, 3)
    desk.drag((3, 10, 12), (3, 10, 13))
    desk.press("Shift-I")
    turn_to(desk, 4)  # none lies between
    desk.press("Shift-I")
    assert said == [TOO_FEW, TOO_FEW]
    desk.controller.detach()
    desk.controller = attach_editing(desk.viewer, desk.layer, desk.session)
    desk.press("Shift-I")
    assert said[-1] == NO_IMAGES
    assert desk.session.undo_depth == 1
