"""The Look inside section: its requests, the layers it makes and takes away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_mmseg._napari import looking_inside
from napari_mmseg._napari.feature_layers import feature_layers, feature_tuples, show_features
from napari_mmseg._napari.panel import Panel
from napari_mmseg._napari.widgets.inside_box import InsideBox, InsideRequest
from napari_mmseg.case import Case
from napari_mmseg.errors import Cancelled, ModelError
from napari_mmseg.inference.features import GUIDANCE, FeatureMaps

WAIT_MS = 30_000
BOX = (slice(2, 10), slice(4, 30), slice(3, 25))


def maps_of(layer: str = "encoders.1", count: int = 3) -> FeatureMaps:
    shape = tuple(side.stop - side.start for side in BOX)
    values = np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)
    return FeatureMaps("stand-in", layer, tuple(range(5, 5 + count)), values, BOX, 32, 2)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """In place of a network: what it was asked, what it answers."""
    state: dict[str, Any] = {"asked": [], "error": None, "held": None}

    def look(case: Case, request: InsideRequest, report: Any, cancelled: Any) -> FeatureMaps:
        state["asked"].append(request)
        report("predict", 0.5)
        while state["held"] is not None and not state["held"].wait(0.01):
            if cancelled():
                raise Cancelled("cancelled")
        if state["error"] is not None:
            raise state["error"]
        return maps_of(request.layer, request.most)

    monkeypatch.setattr(looking_inside, "_models", lambda: ["stand-in", "other"])
    monkeypatch.setattr(looking_inside, "_layers", lambda model: (f"{model}.0", "encoders.1"))
    monkeypatch.setattr(looking_inside, "_look", look)
    return state


@pytest.fixture
def panel(
    qtbot: QtBot, model_viewer: ViewerModel, stand_in_model: Any, network: Any, case: Case
) -> Iterator[Panel]:
    panel = Panel(model_viewer)
    qtbot.addWidget(panel)
    panel.show()
    panel.coordinator.show_case(case)
    yield panel
    if panel.coordinator.session is not None:
        panel.coordinator.session.close()


def button(box: InsideBox, text: str) -> QPushButton:
    return next(b for b in box.findChildren(QPushButton) if b.text() == text)


def opened(panel: Panel, qtbot: QtBot) -> InsideBox:
    panel.show_section("inside")
    qtbot.waitUntil(lambda: button(panel.inside, "Show maps").isEnabled(), timeout=WAIT_MS)
    return panel.inside


def test_layers_are_listed_when_the_section_is_opened(
    panel: Panel, qtbot: QtBot, network: dict[str, Any]
) -> None:
    assert not button(panel.inside, "Show maps").isEnabled()
    box = opened(panel, qtbot)
    assert box._layer.itemText(0) == "stand-in.0"
    box._model.setCurrentIndex(1)
    qtbot.waitUntil(lambda: box._layer.itemText(0) == "other.0", timeout=WAIT_MS)


def test_maps_are_shown_over_the_case_and_removed_at_once(
    panel: Panel, qtbot: QtBot, network: dict[str, Any], case: Case
) -> None:
    box = opened(panel, qtbot)
    viewer, session = panel.coordinator.viewer, panel.coordinator.session
    before = list(viewer.layers)
    box._most.setValue(2)
    box._layer.choose("encoders.1")
    qtbot.mouseClick(button(box, "Show maps"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(feature_layers(viewer, case)), timeout=WAIT_MS)
    assert network["asked"] == [InsideRequest("stand-in", "encoders.1", 2, False)]
    shown = feature_layers(viewer, case)
    assert {ly.name for ly in shown} == {
        "encoders.1 #5 (stand-in)",
        "encoders.1 #6 (stand-in)",
    }
    assert [ly.name for ly in shown if ly.visible] == ["encoders.1 #5 (stand-in)"]
    assert viewer.layers[-1] is session.labels  # still on top, still selected
    assert viewer.layers.selection.active is session.labels
    assert "2 of 32 maps" in box._told.text()
    qtbot.mouseClick(button(box, "Show maps"), Qt.MouseButton.LeftButton)  # in place of the first
    qtbot.waitUntil(lambda: len(network["asked"]) == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not panel.coordinator.inspector.is_running, timeout=WAIT_MS)
    assert len(feature_layers(viewer, case)) == 2
    qtbot.mouseClick(button(box, "Remove"), Qt.MouseButton.LeftButton)
    assert list(viewer.layers) == before
    assert not button(box, "Remove").isEnabled()


def test_a_refusal_is_told_in_the_section(
    panel: Panel, qtbot: QtBot, network: dict[str, Any], case: Case
) -> None:
    network["error"] = ModelError("its layers cannot be looked at")
    box = opened(panel, qtbot)
    box.show_requested.emit(InsideRequest("other", "encoders.1", 2, False))
    qtbot.waitUntil(lambda: "cannot be looked at" in box._told.text(), timeout=WAIT_MS)
    assert not feature_layers(panel.coordinator.viewer, case)
    assert button(box, "Show maps").isEnabled()


def test_cancelling_leaves_nothing(
    panel: Panel, qtbot: QtBot, network: dict[str, Any], case: Case
) -> None:
    network["held"] = threading.Event()
    box = opened(panel, qtbot)
    box.show_requested.emit(InsideRequest("stand-in", "encoders.1", 2, True))
    qtbot.waitUntil(lambda: "works up to" in box._stage.text(), timeout=WAIT_MS)
    qtbot.mouseClick(button(box, "Cancel"), Qt.MouseButton.LeftButton)
    assert "Cancelled" in box._told.text()
    network["held"].set()
    assert not feature_layers(panel.coordinator.viewer, case)


def test_maps_go_with_their_case(panel: Panel, case: Case) -> None:
    show_features(panel.coordinator.viewer, case, maps_of())
    panel.coordinator.session.close()
    panel.coordinator.session = None
    assert not panel.coordinator.viewer.layers


def test_maps_lie_where_the_head_is(case: Case) -> None:
    data, meta, kind = feature_tuples(case, maps_of())[0]
    assert kind == "image"
    assert data.shape == (8, 26, 22)
    spacing, origin = case.grid.spacing, case.grid.display_translate
    assert meta["scale"] == spacing
    for axis, side in enumerate(BOX):
        assert meta["translate"][axis] == pytest.approx(origin[axis] + side.start * spacing[axis])
    low, high = meta["contrast_limits"]
    assert data.min() <= low < high <= data.max()


def test_guidance_is_named_by_its_classes(case: Case) -> None:
    found = FeatureMaps("cmff", GUIDANCE, (0, 1, 2, 3), maps_of(count=4).maps, BOX, 4, 1)
    names = [meta["name"] for _, meta, _ in feature_tuples(case, found)]
    assert names[0] == "guidance background (cmff)"
    assert names[3] == "guidance ET (cmff)"


def test_a_flat_map_has_a_window(case: Case) -> None:
    flat = FeatureMaps("m", "l", (0,), np.zeros((1, 8, 26, 22), np.float32), BOX, 1, 1)
    low, high = feature_tuples(case, flat)[0][1]["contrast_limits"]
    assert low < high
