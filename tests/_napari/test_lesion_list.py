"""Lesions in the list and in the picture, in a viewer without a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QTreeWidget
from test_editing_controller import SHAPE, Desk, make_session

from napari_mmseg._napari.editing_mirror import MIRROR_NAME
from napari_mmseg._napari.editing_sections import EditSections
from napari_mmseg._napari.lesion_list import CHOOSE_FIRST, MARKER_NAME
from napari_mmseg._napari.place_marker import PlaceMarker
from napari_mmseg._napari.widgets.lesion_box import LesionBox
from napari_mmseg._napari.widgets.next_box import NextBox
from napari_mmseg._napari.widgets.shape_box import ShapeBox


class Sections:
    """Three WT lesions, the largest with a core; voxels of 6 mm3."""

    def __init__(self, qtbot: Any) -> None:
        codes = np.zeros(SHAPE, np.uint8)
        codes[1:5, 3:9, 3:9] = 1
        codes[2:4, 5:7, 5:7] = 2
        codes[6:8, 14:18, 4:8] = 1
        codes[4, 12:14, 18:20] = 1
        self.desk = Desk(make_session(codes))
        self.box, self.shape, self.next = LesionBox(), ShapeBox(), NextBox()
        for widget in (self.box, self.shape, self.next):
            qtbot.addWidget(widget)
        self.sections = EditSections(self.shape, self.box, self.next, lambda edit: None)
        self.sections.follow(self.desk.controller)
        self.sections.lesions.open(True)
        self.list = self.box.findChild(QTreeWidget)
        self.qtbot = qtbot

    @property
    def volumes(self) -> list[str]:
        return [self.list.topLevelItem(i).text(1) for i in range(self.list.topLevelItemCount())]

    def press(self, text: str) -> None:
        button = next(b for b in self.box.findChildren(QPushButton) if b.text() == text)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def click_row(self, row: int) -> None:
        self.list.setCurrentItem(self.list.topLevelItem(row))
        self.list.itemClicked.emit(self.list.topLevelItem(row), 0)

    @property
    def has_marker(self) -> bool:
        return MARKER_NAME in self.desk.viewer.layers


@pytest.fixture
def found(qtbot: Any) -> Iterator[Sections]:
    sections = Sections(qtbot)
    yield sections
    sections.sections.follow(None)
    sections.desk.controller.detach()


def test_lesions_are_listed_by_volume_and_a_click_goes_there(found):
    assert found.volumes == ["0.9", "0.2", "0.02"]
    found.click_row(1)
    shown = found.desk.layer.world_to_data(found.desk.viewer.dims.point)
    assert found.desk.session.codes[tuple(np.rint(shown).astype(int))] == 1
    assert found.desk.controller.view.index in (6, 7)
    assert found.has_marker
    assert found.desk.viewer.layers.selection.active is not None


def test_remove_and_keep_only_and_relabel_are_one_step_each(found):
    session = found.desk.session
    found.click_row(2)
    found.press("Remove")
    assert session.undo_label == "remove lesion of WT"
    assert found.volumes == ["0.9", "0.2"]
    assert not found.has_marker
    found.desk.layer.undo()
    found.qtbot.waitUntil(lambda: len(found.volumes) == 3, timeout=5_000)
    found.click_row(0)
    found.press("Keep only")
    assert found.volumes == ["0.9"]
    assert session.codes[2, 5, 5] == 2
    found.desk.layer.undo()
    found.desk.controller.use(region="TC")
    found.qtbot.waitUntil(lambda: len(found.volumes) == 1, timeout=5_000)
    number = found.list.topLevelItem(0).data(0, Qt.ItemDataRole.UserRole)
    found.box.relabel_requested.emit(number, "ET")
    assert (session.codes[2:4, 5:7, 5:7] == 3).all()
    assert session.undo_label == "lesion of TC to ET"


def test_ctrl_and_click_in_the_picture_choose_and_delete_removes(found, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk = found.desk
    desk.press("Delete")
    assert "Choose a lesion first" in said[0]
    told: list[bool] = []
    found.sections.lesions.pointed_at.connect(lambda: told.append(True))
    desk.drag((4, 12, 18), modifiers=("Control",))  # while navigating
    assert told == [True]
    assert found.box.chosen_number is not None
    ring = desk.viewer.layers[MARKER_NAME].data[0]
    assert ring[0] == desk.layer.data_to_world((4, 12, 18))[0]  # seen where it was clicked
    desk.controller.use(tool="brush")
    desk.drag((6, 15, 5), modifiers=("Control",))  # with a brush: nothing is painted
    assert desk.session.undo_depth == 0
    desk.press("Delete")
    assert not desk.session.codes[6:8].any()
    assert desk.session.codes[4, 12, 18] == 1
    desk.drag((0, 0, 0), modifiers=("Control",))
    assert "There is no WT here" in said[1]


def test_what_is_accepted_stays_so_while_other_lesions_change(found):
    found.list.topLevelItem(1).setCheckState(0, Qt.CheckState.Checked)
    found.click_row(0)
    found.press("Remove")
    assert found.volumes == ["0.2", "0.02"]
    assert found.list.topLevelItem(0).checkState(0) == Qt.CheckState.Checked


def test_an_edit_is_seen_in_the_list(found):
    found.desk.controller.use(tool="brush", erase=True, diameter=60.0, in_3d=True)
    found.desk.drag((4, 10, 12))
    found.qtbot.waitUntil(lambda: found.volumes == [], timeout=5_000)


def test_a_region_is_outlined_on_the_other_side(qtbot):
    codes = np.zeros(SHAPE, np.uint8)
    codes[3:6, 8:12, 3:6] = 1
    desk = Desk(make_session(codes))
    desk.controller.detach()
    at = np.indices(SHAPE) - np.reshape([4, 9.5, 11.5], (3, 1, 1, 1))
    head = ((at[0] / 4) ** 2 + (at[1] / 9) ** 2 + (at[2] / 11) ** 2 < 1) * np.float32(100)
    desk.controller.images.update(T1=head)
    desk.controller = type(desk.controller)(
        desk.viewer, desk.layer, desk.session, desk.controller.images
    )
    shape = ShapeBox()
    qtbot.addWidget(shape)
    sections = EditSections(shape, LesionBox(), NextBox(), lambda edit: None)
    sections.follow(desk.controller)
    shape.mirror_requested.emit(True)
    qtbot.waitUntil(lambda: MIRROR_NAME in desk.viewer.layers, timeout=30_000)
    outline = np.argwhere(desk.viewer.layers[MIRROR_NAME].data)
    assert abs(outline[:, 2].mean() - (23 - 4)) <= 1.0
    assert desk.session.undo_depth == 0
    shape.mirror_requested.emit(False)
    assert MIRROR_NAME not in desk.viewer.layers
    sections.follow(None)
    desk.controller.detach()


def test_the_ring_is_no_thicker_than_a_millimetre_however_large_the_lesion(found):
    found.click_row(0)
    ring = found.desk.viewer.layers[MARKER_NAME]
    small = float(ring.border_width[0] * ring.size[0])
    marker = PlaceMarker(found.desk.viewer, found.desk.layer, "Large")
    marker.show((4, 10, 10), (slice(0, 90), slice(0, 90), slice(0, 90)))
    large = found.desk.viewer.layers["Large"]
    assert small <= float(large.border_width[0] * large.size[0]) == pytest.approx(1.0)
    marker.hide()


def test_every_act_on_a_lesion_has_a_key(found, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    desk, session = found.desk, found.desk.session
    desk.press("Y")
    assert said == [CHOOSE_FIRST]
    found.click_row(1)
    desk.press("Y")
    found.qtbot.waitUntil(lambda: "1 accepted" in found.box._about.text(), timeout=5_000)
    desk.press("Y")
    found.qtbot.waitUntil(lambda: "0 accepted" in found.box._about.text(), timeout=5_000)
    desk.press("Alt-1")  # it is WT already
    assert session.undo_depth == 0
    desk.press("Alt-3")
    assert session.undo_label == "lesion of WT to ET"
    assert (session.codes[6:8, 14:18, 4:8] == 3).all()
    desk.press("Shift-Delete")
    assert session.undo_label == "keep one lesion of WT"
    assert not session.codes[:6].any()
    desk.press("Shift-Delete")
    assert "no other WT" in said[-1]
    assert session.undo_depth == 2
    desk.press("Delete")
    assert not session.codes.any()
    assert session.undo_depth == 3
