"""Previews, painting while the model runs, uncertainty: the Segment section on a case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import phantom
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_mmseg._napari.panel import Panel
from napari_mmseg._napari.prediction_layers import PREVIEW_NAME
from napari_mmseg._napari.segment_texts import WAITING
from napari_mmseg._napari.widgets.segment_box import SegmentRequest
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.errors import ModelError
from napari_mmseg.io import open_case

RUN = SegmentRequest("stand-in", "auto", new_layer=False)
WAIT_MS = 30_000
UNCERTAINTY = "Uncertainty (stand-in)"


@pytest.fixture
def panel(
    qtbot: QtBot, model_viewer: ViewerModel, stand_in_model: Any, tmp_path: Path
) -> Iterator[Panel]:
    """A case without labels; the model shows a preview and then waits."""
    stand_in_model.has_preview = stand_in_model.is_held = True
    panel = Panel(model_viewer)
    qtbot.addWidget(panel)
    panel.show()
    panel.coordinator.show_case(open_case(phantom.write_case(tmp_path / "p", labels=False)))
    yield panel
    panel.coordinator.segmenter.cancel()
    if panel.coordinator.session is not None:
        panel.coordinator.session.close()


def names(panel: Panel) -> list[str]:
    return [layer.name for layer in panel.coordinator.viewer.layers]


def edit_of(panel: Panel) -> EditSession:
    session = panel.coordinator.session
    assert session is not None
    return session.edit


def scratch(edit: EditSession) -> None:
    """One voxel of WT in a corner, far from the tumour."""
    edit.apply(Stroke("WT", Mode.PAINT, Footprint((0, 0, 0), np.ones((1, 1, 1), bool))))


def start(panel: Panel, qtbot: QtBot, request: SegmentRequest = RUN) -> None:
    panel.segment.run_requested.emit(request)
    qtbot.waitUntil(lambda: PREVIEW_NAME in names(panel), timeout=WAIT_MS)


def finish(panel: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    stand_in_model.is_held = False
    qtbot.waitUntil(lambda: not panel.coordinator.segmenter.is_running, timeout=WAIT_MS)


def test_a_preview_is_no_work_of_the_user(panel: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    edit, viewer = edit_of(panel), panel.coordinator.viewer
    start(panel, qtbot)
    layer = viewer.layers[PREVIEW_NAME]
    assert layer.data.any()
    assert not layer.editable
    assert not edit.codes.any()
    assert (edit.undo_depth, edit.is_saved) == (0, True)
    assert viewer.layers.selection.active.name == "Segmentation"
    assert names(panel)[-2:] == [PREVIEW_NAME, "Segmentation"]
    finish(panel, qtbot, stand_in_model)
    assert PREVIEW_NAME not in names(panel)
    assert edit.codes.any()
    assert edit.undo_depth == 1
    assert viewer.layers.selection.active.name == "Segmentation"


def test_the_view_goes_to_the_tumour_once(panel: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    dims = panel.coordinator.viewer.dims
    before = dims.point
    start(panel, qtbot)
    assert dims.point != before
    dims.set_point(0, before[0])  # the user looks elsewhere
    finish(panel, qtbot, stand_in_model)
    assert dims.point[0] == before[0]


def test_what_was_painted_meanwhile_is_kept(
    panel: Panel, qtbot: QtBot, stand_in_model: Any
) -> None:
    edit = edit_of(panel)
    start(panel, qtbot)
    scratch(edit)
    finish(panel, qtbot, stand_in_model)
    assert edit.codes[0, 0, 0] == 1
    assert edit.codes.max() == 3
    assert edit.edit_counts()["WT"] == {"added": 1, "removed": 0}
    assert "kept" in panel.segment._result.text()
    edit.undo()
    assert edit.codes[0, 0, 0] == 0
    assert edit.codes.max() == 3  # the result alone
    edit.undo()
    assert np.flatnonzero(edit.codes).tolist() == [0]  # what was there before it


def test_what_was_erased_meanwhile_stays_erased(
    panel: Panel, qtbot: QtBot, stand_in_model: Any
) -> None:
    """Corrections of an earlier result count as well as painting."""
    edit = edit_of(panel)
    start(panel, qtbot)
    finish(panel, qtbot, stand_in_model)
    voxel = tuple(int(i[0]) for i in np.nonzero(edit.codes == 3))
    stand_in_model.is_held = True
    start(panel, qtbot)
    corner = (voxel[0], voxel[1], voxel[2])
    edit.apply(Stroke("WT", Mode.ERASE, Footprint(corner, np.ones((1, 1, 1), bool))))
    finish(panel, qtbot, stand_in_model)
    assert edit.codes[voxel] == 0


def test_a_result_waits_for_the_end_of_a_stroke(
    panel: Panel, qtbot: QtBot, stand_in_model: Any
) -> None:
    edit = edit_of(panel)
    start(panel, qtbot)
    dot = Stroke("WT", Mode.PAINT, Footprint((0, 0, 0), np.ones((1, 1, 1), bool)))
    edit.begin("stroke")
    edit.extend(dot)
    stand_in_model.is_held = False
    qtbot.waitUntil(lambda: panel.segment._stage.text() == WAITING, timeout=WAIT_MS)
    assert edit.is_open
    assert edit.codes.max() == 1
    assert panel.coordinator.segmenter.is_running
    edit.extend(Stroke("WT", Mode.PAINT, Footprint((0, 0, 1), np.ones((1, 1, 1), bool))))
    edit.end()
    qtbot.waitUntil(lambda: not panel.coordinator.segmenter.is_running, timeout=WAIT_MS)
    assert edit.codes[0, 0, :2].tolist() == [1, 1]
    assert edit.codes.max() == 3


def test_a_waiting_result_can_be_cancelled(panel: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    edit = edit_of(panel)
    start(panel, qtbot)
    edit.begin("stroke")
    edit.extend(Stroke("WT", Mode.PAINT, Footprint((0, 0, 0), np.ones((1, 1, 1), bool))))
    stand_in_model.is_held = False
    qtbot.waitUntil(lambda: panel.segment._stage.text() == WAITING, timeout=WAIT_MS)
    panel.segment.cancel_requested.emit()
    edit.end()
    qtbot.wait(150)
    assert edit.codes.max() == 1
    assert not panel.coordinator.segmenter.is_running
    assert PREVIEW_NAME not in names(panel)


@pytest.mark.parametrize("how", ["cancel", "fail", "leave"])
def test_the_preview_goes_when_no_result_comes(
    how: str, panel: Panel, qtbot: QtBot, stand_in_model: Any, tmp_path: Path
) -> None:
    start(panel, qtbot)
    if how == "cancel":
        panel.segment.cancel_requested.emit()
    elif how == "fail":
        stand_in_model.error = ModelError("the model does not fit in memory")
        finish(panel, qtbot, stand_in_model)
    else:
        panel.coordinator.show_case(open_case(phantom.write_case(tmp_path / "q", labels=False)))
    assert PREVIEW_NAME not in names(panel)
    assert not edit_of(panel).codes.any()


def test_how_often_to_look_is_asked_for(panel: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    stand_in_model.is_held = False
    choice = panel.segment._looks
    assert choice.currentText() == "As the model says"
    for shown, asked in (
        ("As the model says", None),
        ("Once", "single"),
        ("Mirrored too", "mirrored"),
        ("Thoroughly", "thorough"),
    ):
        choice.setCurrentText(shown)
        panel.segment._emit_run()
        finish(panel, qtbot, stand_in_model)
        assert stand_in_model.looks == asked


def test_fitting_to_the_case_can_be_left_out(
    panel: Panel, qtbot: QtBot, stand_in_model: Any
) -> None:
    stand_in_model.is_held = False
    for wanted in (True, False):
        panel.segment._adapt.setChecked(wanted)
        panel.segment._emit_run()
        finish(panel, qtbot, stand_in_model)
        assert stand_in_model.adapt is wanted


def test_the_skull_is_removed_on_request(panel: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    stand_in_model.is_held = False
    for wanted, said in ((False, "keep"), (True, "remove")):
        panel.segment._strip.setChecked(wanted)
        panel.segment._emit_run()
        finish(panel, qtbot, stand_in_model)
        assert stand_in_model.skull == said


def test_uncertainty_is_a_layer_on_request(panel: Panel, qtbot: QtBot, stand_in_model: Any) -> None:
    box = panel.segment._uncertainty
    assert not box.isEnabled()
    start(panel, qtbot)
    finish(panel, qtbot, stand_in_model)
    assert box.isEnabled()
    assert UNCERTAINTY not in names(panel)
    box.setChecked(True)
    viewer = panel.coordinator.viewer
    layer = viewer.layers[UNCERTAINTY]
    assert layer.data.shape == edit_of(panel).codes.shape
    assert 0 < float(layer.data.max()) <= 1
    assert viewer.layers.selection.active.name == "Segmentation"
    assert names(panel)[-1] == "Segmentation"
    box.setChecked(False)
    assert UNCERTAINTY not in names(panel)
    box.setChecked(True)
    viewer.layers.remove(UNCERTAINTY)
    scratch(edit_of(panel))
    assert not box.isChecked()
