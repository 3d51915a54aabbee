"""Going through the places that are worth a look, in a viewer without a window."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from test_editing_controller import SHAPE, Desk, make_session

from napari_mmseg._napari.editing_sections import EditSections
from napari_mmseg._napari.next_place import MARKER_NAME
from napari_mmseg._napari.widgets.lesion_box import LesionBox
from napari_mmseg._napari.widgets.next_box import NextBox
from napari_mmseg._napari.widgets.shape_box import ShapeBox
from napari_mmseg.editing import ReviewQueue


class Sections:
    def __init__(self, qtbot: Any) -> None:
        codes = np.zeros(SHAPE, np.uint8)
        codes[1:8, 5:15, 5:15] = 1
        codes[8, 0:3, 19:22] = 1  # an island of 54 mm3
        self.desk = Desk(make_session(codes))
        self.box, self.shape, self.lesions = NextBox(), ShapeBox(), LesionBox()
        for widget in (self.box, self.shape, self.lesions):
            qtbot.addWidget(widget)
        self.sections = EditSections(self.shape, self.lesions, self.box, lambda edit: None)
        self.sections.follow(self.desk.controller)
        self._qtbot = qtbot

    def press_next(self) -> None:
        """The key, and until the place is there: the first time it is sought in a thread."""
        self.desk.press("N")
        self._qtbot.waitUntil(lambda: not self.sections.next_place.is_looking, timeout=20_000)


@pytest.fixture
def found(qtbot: Any) -> Iterator[Sections]:
    sections = Sections(qtbot)
    yield sections
    sections.sections.follow(None)
    sections.desk.controller.detach()


def marker(desk: Desk) -> Any:
    return next((ly for ly in desk.viewer.layers if ly.name == MARKER_NAME), None)


def test_the_key_leads_from_place_to_place_with_a_count(found):
    desk, box = found.desk, found.box
    desk.viewer.layers.selection.active = desk.layer
    seen = []
    for number in range(1, 20):
        found.press_next()
        if not box.text.startswith(f"Place {number} of ") or "left to put right" not in (
            box.left_text
        ):
            break
        seen.append(box.text)
        place = found.sections.next_place.place
        assert place is not None
        shown = desk.layer.world_to_data(desk.viewer.dims.point)
        np.testing.assert_allclose(shown, place.centre, atol=1e-6)
        assert marker(desk).data.shape == (1, 3)
    assert any("island of WT" in text for text in seen)
    assert "Nothing is left" in box.left_text
    assert marker(desk) is None
    assert desk.viewer.layers.selection.active is desk.layer


def test_every_so_many_slices_of_the_shown_plane(found):
    desk, box = found.desk, found.box
    box.order_requested.emit(3)
    found.press_next()
    assert box.text.startswith("Place 1 of 3")
    assert desk.controller.view.index == 1
    found.press_next()
    assert desk.controller.view.index == 4
    desk.viewer.dims.order = (2, 0, 1)
    found.press_next()  # another plane begins anew
    assert box.text.startswith("Place 1 of ")
    assert desk.controller.view.index == 5


def test_again_returns_to_the_place(found):
    desk = found.desk
    found.press_next()
    place = found.sections.next_place.place
    desk.viewer.dims.set_point(0, desk.layer.data_to_world((0, 0, 0))[0])
    found.box.again_requested.emit()
    assert desk.controller.view.index == place.centre[0]


def test_an_edit_changes_what_is_left(found, qtbot):
    desk = found.desk
    found.press_next()
    before = found.box.left_text
    desk.session.replace(np.zeros(SHAPE, np.uint8), "wipe", as_proposal=False)
    qtbot.waitUntil(lambda: found.box.left_text != before, timeout=5_000)


def test_an_empty_annotation_has_nothing_to_look_at(found):
    desk = found.desk
    desk.session.replace(np.zeros(SHAPE, np.uint8), "empty")
    found.press_next()
    assert "Nothing is left" in found.box.left_text


def test_the_first_look_does_not_hold_the_window_up(found, monkeypatch):
    """While it lasts the key does nothing more, and what was edited is seen with the next place."""
    desk, box, place = found.desk, found.box, found.sections.next_place
    begun, go = threading.Event(), threading.Event()
    own = ReviewQueue._look_for_pieces

    def wait(self: ReviewQueue) -> None:
        begun.set()
        go.wait(20)
        own(self)

    monkeypatch.setattr(ReviewQueue, "_look_for_pieces", wait)
    desk.press("N")
    assert place.is_looking
    assert "Looking through" in box.left_text
    assert place.place is None
    desk.press("N")
    assert begun.wait(20)
    desk.session.replace(np.zeros(SHAPE, np.uint8), "wipe", as_proposal=False)
    go.set()
    found.press_next()
    assert box.text.startswith("Place 1 of ")
    found.press_next()
    assert "island" not in box.text


def test_a_look_for_another_annotation_is_dropped(found):
    found.desk.press("N")
    found.sections.follow(None)
    assert not found.sections.next_place.is_looking
    assert found.sections.next_place.place is None
