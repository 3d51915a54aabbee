"""The edit panel says what the user wants and shows what it is told, and knows no viewer."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QDoubleSpinBox,
    QPushButton,
    QSlider,
)

from napari_mmseg._napari.editing_tool import ROUND_TOOLS, EditTool, Tool
from napari_mmseg._napari.editing_widget import EditState, EditWidget
from napari_mmseg._napari.widgets.section import Choice
from napari_mmseg.protocol import load_protocol

NOTHING = {name: {"added": 0, "removed": 0} for name in ("WT", "TC", "ET")}


@pytest.fixture
def widget(qtbot: Any) -> EditWidget:
    widget = EditWidget()
    qtbot.addWidget(widget)
    widget.show_protocol(load_protocol())
    widget.show_tool(EditTool("WT"))
    widget.show_state(EditState("", "", 0, NOTHING, False))
    return widget


def button(widget: EditWidget, text: str) -> QAbstractButton:
    return next(b for b in widget.findChildren(QAbstractButton) if b.text() == text)


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [("Brush", "tool", "brush"), ("Polygon", "tool", "polygon"), ("TC", "region", "TC")],
)
def test_a_button_asks_for_its_action(widget, qtbot, text, name, argument):
    with qtbot.waitSignal(widget.action_requested) as asked:
        qtbot.mouseClick(button(widget, text), Qt.MouseButton.LeftButton)
    assert (asked.args[0].name, asked.args[0].argument) == (name, argument)


def test_erase_exact_and_3d_are_asked_for(widget, qtbot):
    with qtbot.waitSignal(widget.erase_requested) as asked:
        qtbot.mouseClick(button(widget, "Erase"), Qt.MouseButton.LeftButton)
    assert asked.args == [True]
    ticks = {box.text(): box for box in widget.findChildren(QCheckBox)}
    for text, signal in (("Exact", widget.exact_requested), ("3D", widget.in_3d_requested)):
        with qtbot.waitSignal(signal) as asked:
            ticks[text].click()
        assert asked.args == [True]


def test_the_slider_sets_small_brushes_finely_and_reaches_the_largest(widget, qtbot):
    slider = widget.findChild(QSlider)
    sizes = []
    widget.diameter_requested.connect(sizes.append)
    for step in range(slider.minimum(), slider.maximum() + 1):
        slider.setValue(step)
    assert sizes[-1] == 60.0
    assert {1.0, 1.5, 2.0, 2.5, 3.0} <= set(sizes)
    assert sizes == sorted(sizes)


def test_what_is_shown_is_not_asked_for_again(widget, qtbot):
    asked: list[Any] = []
    for signal in (
        widget.action_requested,
        widget.erase_requested,
        widget.exact_requested,
        widget.in_3d_requested,
        widget.diameter_requested,
        widget.proposal_requested,
    ):
        signal.connect(asked.append)
    widget.show_tool(EditTool("ET", Tool.BRUSH, erase=True, exact=True, diameter=22.5, in_3d=True))
    widget.show_state(EditState("brush", "", 3, NOTHING, True))
    assert asked == []
    assert widget.findChild(QDoubleSpinBox).value() == 22.5
    assert button(widget, "ET").isChecked()
    assert button(widget, "Erase").isChecked()


def test_the_sentence_tells_what_a_stroke_does(widget):
    def told(**tool: Any) -> str:
        widget.show_tool(EditTool(**{"tool": Tool.BRUSH, **tool}))
        return widget.sentence

    assert told(region="WT", tool=Tool.NAVIGATE) == "Drag moves the image. Choose a tool to edit."
    assert told(region="WT") == "Adds to whole tumour, keeps TC, ET."
    assert told(region="TC", erase=True) == "Erases tumour core and ET."
    assert "what was proposed" in told(region="TC", tool=Tool.RESTORE, erase=True)
    lasso = told(region="TC", tool=Tool.LASSO)
    assert lasso == "Click along the outline, double click to close. Adds to tumour core, keeps ET."
    assert told(region="WT", exact=True) == "Makes every voxel oedema."
    assert "Turns enhancing tumour into necrotic" in told(region="ET", exact=True, erase=True)


def test_it_is_said_what_a_tool_looks_at_where_no_contrast_is_chosen(widget):
    looks_at = next(c for c in widget.findChildren(Choice) if "contrast" in c.toolTip())
    widget.offer_contrasts(["T1", "FLAIR"])
    widget.show_tool(EditTool("WT", Tool.ADAPTIVE))
    assert looks_at.currentText() == "all contrasts"
    widget.show_tool(EditTool("WT", Tool.LASSO))
    assert looks_at.currentText() == "the contrast on screen"
    widget.show_tool(EditTool("WT", Tool.LASSO, looks_at="FLAIR"))
    assert looks_at.currentText() == "FLAIR"
    widget.offer_contrasts([])
    widget.show_tool(EditTool("WT", Tool.ADAPTIVE))
    assert looks_at.currentText() == "no image: a plain brush"


def test_the_size_is_offered_for_round_tools_only(widget):
    size = widget.findChild(QDoubleSpinBox)
    for tool in Tool:
        widget.show_tool(EditTool("WT", tool))
        assert size.isEnabled() == (tool in ROUND_TOOLS)


def test_counts_undo_and_restore_follow_the_state(widget, qtbot):
    buttons = {b.text(): b for b in widget.findChildren(QPushButton)}
    assert not buttons["Undo"].isEnabled()
    restores = [b for b in widget.findChildren(QPushButton) if b.text() == "Restore all"]
    assert [b.isEnabled() for b in restores] == [False] * 3
    edits = {**NOTHING, "TC": {"added": 1234, "removed": 5}}
    widget.show_state(EditState("brush: add TC", "", 2, edits, False))
    assert [b.isEnabled() for b in restores] == [False, True, False]
    assert "brush: add TC" in buttons["Undo"].toolTip()
    assert buttons["Undo"].text() == "Undo (2)"
    assert "1 234" in widget.counts_text("TC")
    with qtbot.waitSignal(widget.restore_requested) as asked:
        qtbot.mouseClick(restores[1], Qt.MouseButton.LeftButton)
    assert asked.args == ["TC"]


def test_in_the_3d_view_only_navigating_is_offered(widget):
    widget.show_tool(EditTool("WT"), editable=False)
    assert button(widget, "Navigate").isEnabled()
    assert not button(widget, "Brush").isEnabled()
    assert "2D view" in widget.sentence


def test_the_contrast_is_asked_for_and_shown_only_with_a_tool_that_looks(widget, qtbot):
    widget.offer_contrasts(["T1", "FLAIR"])
    widget.show()
    widget.show_tool(EditTool("WT", Tool.BRUSH))
    choice = widget.findChild(Choice)
    assert not choice.isVisible()
    widget.show_tool(EditTool("WT", Tool.ADAPTIVE, looks_at="FLAIR"))
    assert choice.isVisible()
    assert choice.currentText() == "FLAIR"
    with qtbot.waitSignal(widget.contrast_requested) as asked:
        choice.setCurrentIndex(0)
    assert asked.args == [""]


def test_another_protocol_brings_its_own_regions(widget):
    widget.show_protocol(load_protocol("ms_lesion"))
    widget.show_tool(EditTool("lesion"))
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    texts = {b.text() for b in widget.findChildren(QAbstractButton)}
    assert "lesion" in texts
    assert not texts & {"WT", "TC", "ET"}


def test_without_a_protocol_nothing_can_be_pressed(widget):
    widget.show_protocol(None)
    assert not widget.isEnabled()


def test_the_outline_before_a_press_is_offered_with_the_tools_that_have_one(widget):
    tick = next(t for t in widget.findChildren(QCheckBox) if "a press takes" in t.text())
    wanted: list[bool] = []
    widget.hover_requested.connect(wanted.append)
    for tool in Tool:
        widget.show_tool(EditTool("WT", tool))
        assert tick.isVisibleTo(widget) == (tool in (Tool.ADAPTIVE, Tool.FILL))
    widget.show_hover(True)
    assert tick.isChecked()
    assert not wanted
    tick.click()
    assert wanted == [False]
    assert "Shift+P" in tick.toolTip()
