"""Commands on a whole region, from the keys and from the Shape section."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton
from test_editing_controller import SHAPE, Desk, make_session

from napari_mmseg._napari.editing_actions import SECTION_ACTIONS
from napari_mmseg._napari.editing_controller import attach_editing
from napari_mmseg._napari.editing_cut import CUT_NAME
from napari_mmseg._napari.editing_sections import CUT_UNSEEN, EditSections
from napari_mmseg._napari.editing_shaping import ShapeRequest, Shaping
from napari_mmseg._napari.widgets.lesion_box import LesionBox
from napari_mmseg._napari.widgets.next_box import NextBox
from napari_mmseg._napari.widgets.shape_box import ShapeBox


@pytest.fixture
def desk() -> Iterator[Desk]:
    """WT with a hole in a slice, and a far island."""
    codes = np.zeros(SHAPE, np.uint8)
    codes[3:6, 5:15, 5:15] = 1
    codes[4, 9, 9] = 0
    codes[8, 0, 0] = 1
    found = Desk(make_session(codes))
    found.controller.detach()
    image = np.zeros(SHAPE, np.float32)
    image[:, :, :10] = 100
    images = {"T2": image}
    found.controller = attach_editing(found.viewer, found.layer, found.session, images=images)
    yield found
    found.controller.detach()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sentences: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", sentences.append)
    return sentences


def test_each_command_is_one_step_with_a_name(desk, said):
    codes, run = desk.session.codes, desk.controller.shaper.run
    run(ShapeRequest(Shaping.FILL_HOLES))
    assert codes[4, 9, 9] == 1
    assert desk.session.undo_label == "fill holes of WT"
    run(ShapeRequest(Shaping.REMOVE_ISLANDS, 20.0))
    assert codes[8, 0, 0] == 0
    run(ShapeRequest(Shaping.GROW, 1.0))
    assert codes[4, 4, 10] == 1
    run(ShapeRequest(Shaping.SHRINK, 1.0))
    assert codes[4, 4, 10] == 0
    run(ShapeRequest(Shaping.KEEP_BETWEEN, looks_at="T2", low=50.0, high=150.0))
    assert not codes[:, :, 10:].any()
    assert codes[4, 10, 9] == 1
    assert desk.session.undo_depth == 5
    assert said == []


def test_a_command_that_changes_nothing_says_so(desk, said):
    desk.controller.shaper.run(ShapeRequest(Shaping.REMOVE_ISLANDS, 1.0))
    assert said == ["WT has no islands as small as that"]
    assert desk.session.undo_depth == 0


def test_what_cannot_be_done_is_said_in_a_sentence(desk, said):
    desk.controller.shaper.run(ShapeRequest(Shaping.ADD_BETWEEN, looks_at="T2"))
    assert "WT lies in no other region" in said[0]


def test_slices_are_copied_and_interpolated_along_the_shown_plane_by_key(desk):
    codes, dims = desk.session.codes, desk.viewer.dims
    world = desk.layer.data_to_world
    dims.set_point(0, world((6, 0, 0))[0])
    desk.press("D")
    np.testing.assert_array_equal(codes[6], codes[5])
    dims.set_point(0, world((2, 0, 0))[0])
    desk.press("Shift-D")
    np.testing.assert_array_equal(codes[2], codes[3])
    codes_before = codes.copy()
    desk.controller.use(region="TC")
    desk.controller.use(tool="brush", diameter=4.0)
    dims.order = (2, 0, 1)
    for column in (6, 10):
        dims.set_point(2, world((0, 0, column))[2])
        desk.drag((4, 12, column))
    desk.press("I")
    assert desk.session.undo_label == "interpolate TC (sagittal)"
    assert (codes[4, 12, 6:11] == 2).all()
    np.testing.assert_array_equal(codes > 0, codes_before > 0)


def test_a_cut_begins_with_the_intensities_of_the_region(desk):
    assert desk.controller.shaper.cut("T2") == (0.0, 100.0, True)
    desk.session.replace(np.zeros(SHAPE, np.uint8), "nothing")
    assert desk.controller.shaper.cut("T2") == (100.0, 100.0, True)  # of all that is not black


def test_whole_intensities_are_cut_at_whole_numbers(desk, qtbot):
    box = ShapeBox()
    qtbot.addWidget(box)
    image = desk.controller.images["T2"]
    image[...] = np.arange(image.size, dtype=image.dtype).reshape(image.shape) % 30
    low, high, whole = desk.controller.shaper.cut("T2")
    assert whole
    assert (low, high) == (round(low), round(high))
    box.show_cut(low, high, whole)
    assert [part.text() for part in (box._low, box._high)] == [f"{low:.0f}", f"{high:.0f}"]
    box.show_cut(0.25, 1.5)
    assert box._low.text() == "0.250"
    desk.controller.images["T2"] = image + 0.5
    assert not desk.controller.shaper.cut("T2")[2]


def preview(desk: Desk) -> np.ndarray | None:
    return next((ly.data for ly in desk.viewer.layers if ly.name == CUT_NAME), None)


def test_a_cut_is_shown_while_its_limits_are_set_and_follows_edits(desk, qtbot):
    box, lesions, next_box = ShapeBox(), LesionBox(), NextBox()
    for widget in (box, lesions, next_box):
        qtbot.addWidget(widget)
    sections = EditSections(box, lesions, next_box, lambda edit: None)
    sections.follow(desk.controller)
    box.show_cut(50.0, 150.0)
    assert preview(desk) is None
    box._preview.click()
    qtbot.waitUntil(lambda: preview(desk) is not None, timeout=5_000)
    shown = preview(desk)
    assert shown is not None
    assert (shown[4, 6, 12], shown[4, 6, 8], shown[4, 0, 0]) == (1, 0, 0)  # T2 ends at column 10
    assert desk.session.undo_depth == 0
    box.show_cut(-1.0, 50.0)
    qtbot.waitUntil(lambda: shown[4, 6, 8] == 1 and shown[4, 6, 12] == 0, timeout=5_000)
    desk.controller.use(region="TC")  # nothing to erase, a parent to add from
    qtbot.waitUntil(lambda: shown[4, 6, 12] == 2 and shown[4, 6, 8] == 0, timeout=5_000)
    desk.session.replace(np.zeros(SHAPE, np.uint8), "wipe", as_proposal=False)
    qtbot.waitUntil(lambda: not shown.any(), timeout=5_000)
    box._preview.click()
    assert preview(desk) is None
    sections.follow(None)


def test_every_command_has_a_key_that_does_what_its_button_does(desk, qtbot, said):
    box, lesions, next_box = ShapeBox(), LesionBox(), NextBox()
    for widget in (box, lesions, next_box):
        qtbot.addWidget(widget)
    sections = EditSections(box, lesions, next_box, lambda edit: None)
    sections.follow(desk.controller)
    for action in SECTION_ACTIONS:
        button = next(b for b in box.findChildren(QPushButton) if b.text() == action.title)
        assert action.key.replace("-", "+") in button.toolTip()
    session = desk.session
    for key, label in (
        ("Shift-F", "fill holes of WT"),
        ("Shift-R", "remove islands of WT"),
        ("Shift-G", "grow WT by 1 mm"),
        ("Alt-G", "shrink WT by 1 mm"),
        ("Alt-M", "smooth WT by 1 mm"),
    ):
        depth = session.undo_depth
        desk.press(key)
        if session.undo_depth > depth:
            assert session.undo_label == label
        else:
            assert said
    assert session.undo_depth >= 3
    depth, told = session.undo_depth, len(said)
    desk.press("Alt-K")  # nobody has seen at which intensities
    assert (session.undo_depth, said[told:]) == (depth, [CUT_UNSEEN])
    desk.press("Shift-T")
    qtbot.waitUntil(lambda: preview(desk) is not None, timeout=5_000)
    box.show_cut(50.0, 150.0)
    desk.press("Alt-K")
    assert session.undo_label == "keep WT from 50 to 150"
    desk.press("Shift-T")
    assert preview(desk) is None
    asked: list[bool] = []
    box.mirror_requested.connect(asked.append)
    desk.press("Alt-O")
    desk.press("Alt-O")
    assert asked == [True, False]
    sections.follow(None)


def test_the_contrast_on_screen_is_cut_until_another_is_chosen(qtbot):
    box = ShapeBox()
    qtbot.addWidget(box)
    box.offer(["T1", "T2", "FLAIR"])
    wanted: list[str] = []
    box.cut_wanted.connect(wanted.append)
    box.show_contrast("FLAIR")
    assert wanted == []  # nobody sees the section
    box.show()
    assert wanted == ["FLAIR"]
    box.show_contrast("T1ce − T1")  # the subtraction cannot be cut
    box.show_contrast(None)
    assert box._contrast.value == "FLAIR"
    box._preview.setChecked(True)
    box.show_contrast("T1")  # looked at beside what is being cut
    assert box._contrast.value == "FLAIR"
    box._preview.setChecked(False)
    box._contrast.setCurrentIndex(1)
    box._contrast.activated.emit(1)
    box.show_contrast("T1")
    assert box._contrast.value == "T2"


def test_it_is_said_that_the_midline_is_looked_for(qtbot):
    box = ShapeBox()
    qtbot.addWidget(box)
    box.offer(["T1"])
    box._mirror.click()
    assert "looking for the midline" in box._mirror.text()
    box.show_mirror(True)
    assert box._mirror.text() == "Outline mirrored to the other side"


def test_the_box_asks_with_amounts_and_knows_no_viewer(qtbot):
    box = ShapeBox()
    qtbot.addWidget(box)
    assert not box.isEnabled()
    box.offer(["T1", "FLAIR"])
    box.show_cut(10.0, 90.0)
    buttons = {button.text(): button for button in box.findChildren(QPushButton)}
    asked: list[ShapeRequest] = []
    box.shape_requested.connect(asked.append)
    for text in ("Remove islands <", "Grow", "Interpolate slices", "Keep only these"):
        qtbot.mouseClick(buttons[text], Qt.MouseButton.LeftButton)
    islands, grow, between, keep = asked
    assert (islands.shaping, islands.amount) == (Shaping.REMOVE_ISLANDS, 100.0)
    assert (grow.amount, grow.within_parent) == (1.0, True)
    assert between.shaping is Shaping.INTERPOLATE
    assert (keep.looks_at, keep.low, keep.high) == ("T1", 10.0, 90.0)
    assert "(I)" in buttons["Interpolate slices"].toolTip()
    assert "(Shift+D)" in buttons["Copy next"].toolTip()
    assert box.minimumSizeHint().width() <= 300
