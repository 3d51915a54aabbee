"""A reading of a study in the viewer: its own work file, blind, read-only once submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import Notification, notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QWidget

from napari_mmseg._napari.panel import Panel
from napari_mmseg._napari.widgets.segment_box import SegmentRequest
from napari_mmseg.editing import Footprint, Mode, Stroke
from napari_mmseg.study import (
    Design,
    Proposals,
    Study,
    load_annotation,
    new_study,
    open_item,
    reopen,
    submit,
)

CUBE = Footprint((2, 2, 2), np.ones((3, 3, 3), bool))


@pytest.fixture
def study(tmp_path: Path, case_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """One case, which comes back mirrored; its folder is called "patient one"."""
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
    return new_study(
        tmp_path / "study",
        design=Design(Proposals.HIDDEN, repeats=1.0, mirror=True),
        seed=1,
        cases=[case_folder],
        raters=["ann", "zebra"],
    )


@pytest.fixture
def told() -> Iterator[list[Notification]]:
    found: list[Notification] = []
    notification_manager.notification_ready.connect(found.append)
    yield found
    notification_manager.notification_ready.disconnect(found.append)


@pytest.fixture
def new_panel(qtbot: QtBot, stand_in_model: Any) -> Iterator[Callable[[], Panel]]:
    made: list[Panel] = []

    def make() -> Panel:
        panel = Panel(ViewerModel())
        qtbot.addWidget(panel)
        made.append(panel)
        return panel

    yield make
    for panel in made:
        if panel.coordinator.session is not None:
            panel.coordinator.work_file.let_go()
            panel.coordinator.session.close()


def test_what_is_drawn_is_in_the_raters_work_file_and_goes_on_from_there(new_panel, study):
    panel = new_panel()
    first, second = (i.item for i in study.worklist("ann"))
    assert panel.coordinator.show_sitting(open_item(study, "ann", first))
    panel.coordinator.session.edit.apply(Stroke("TC", Mode.PAINT, CUBE), "brush: add TC")
    # Nothing is asked: the work file is what the study wants.
    assert panel.coordinator.show_sitting(open_item(study, "ann", second))
    assert not panel.coordinator.session.edit.codes.any()
    assert load_annotation(study.reading("ann", first)).codes.sum() == 2 * 27
    assert panel.coordinator.show_sitting(open_item(study, "ann", first))
    assert panel.coordinator.session.edit.codes.sum() == 2 * 27
    assert panel.coordinator.session.edit.undo_depth == 1


def texts(panel: Panel, told: list[Notification]) -> list[str]:
    """All that can be read in the panel, the layers and the notifications."""
    viewer = panel.coordinator.viewer
    found = [viewer.title, viewer.help, viewer.status, *(str(n.message) for n in told)]
    for layer in viewer.layers:
        found += [layer.name, layer.source.path, layer.translate, layer.scale, layer.help]
    for widget in panel.findChildren(QWidget):
        for name in ("text", "toolTip", "title", "placeholderText"):
            if callable(getattr(widget, name, None)):
                found.append(getattr(widget, name)())
    return [str(text) for text in found]


def test_nothing_in_the_viewer_tells_case_repeat_or_rater(new_panel, study, told):
    seen = []
    for work in study.worklist("ann"):
        panel = new_panel()
        panel.coordinator.show_sitting(open_item(study, "ann", work.item))
        found = texts(panel, told)
        for word in ("patient one", "case-0", "zebra", str(study.folder)):
            assert not [text for text in found if word in text]
        seen.append([text.replace(work.item, "ITEM") for text in found])
    assert seen[0] == seen[1]  # the case, and the same case mirrored


def test_the_model_is_not_run_where_its_proposal_is_hidden(new_panel, study):
    panel = new_panel()
    panel.coordinator.show_sitting(open_item(study, "ann"))
    panel.coordinator.segmenter.run(SegmentRequest("stand-in", "auto", False))
    assert not panel.coordinator.segmenter.is_running
    assert not panel.coordinator.session.edit.codes.any()


def test_a_submitted_reading_is_shown_and_cannot_be_changed(new_panel, study, told):
    item = study.worklist("ann")[0].item
    panel = new_panel()
    panel.coordinator.show_sitting(open_item(study, "ann", item))
    panel.coordinator.session.edit.apply(Stroke("WT", Mode.PAINT, CUBE), "brush: add WT")
    panel.coordinator.work_file.journal.writer.flush()
    submit(study, "ann", item)
    before = study.reading("ann", item).path.read_bytes()
    panel.coordinator.show_sitting(open_item(study, "ann", item))
    edit = panel.coordinator.session.edit
    assert edit.codes.sum() == 27
    edit.apply(Stroke("ET", Mode.PAINT, CUBE), "brush: add ET")
    assert edit.codes.sum() == 27
    assert any("reopen it" in str(n.message) for n in told)
    reopen(study, "ann", item)
    panel.coordinator.show_sitting(open_item(study, "ann", item))
    panel.coordinator.session.edit.apply(Stroke("ET", Mode.PAINT, CUBE), "brush: add ET")
    assert panel.coordinator.session.edit.codes.sum() == 3 * 27
    assert before[:16] == b"SQLite format 3\x00"
