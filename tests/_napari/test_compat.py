"""napari's names that are not promised to stay."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image

from napari_mmseg._napari.closing import main_window_of
from napari_mmseg._napari.compat import describe_as_before, describe_with, drop_target


def test_the_status_is_asked_from_the_layer_as_we_answer() -> None:
    layer = Image(np.zeros((3, 4, 5)), name="T1")
    keys = set(layer.get_status((1, 1, 1), world=True, dims_displayed=[1, 2]))
    describe_with(layer, lambda position: ("R 1.0 mm", f"T1 {position[0]:.0f}"))
    status = layer.get_status((1.0, 1.0, 1.0), world=True, view_direction=None)
    assert set(status) >= keys
    assert status["coordinates"] == "R 1.0 mm   T1 1"
    assert layer.get_status((1.0, 1.0), world=True)["coordinates"] != status["coordinates"]
    describe_as_before(layer)
    assert "R 1.0" not in layer.get_status((1, 1, 1), world=True)["coordinates"]


def test_the_viewers_status_bar_gets_our_words(viewer: Any) -> None:
    layer = viewer.add_image(np.zeros((3, 4, 5)))
    describe_with(layer, lambda position: ("A 2.0 mm", ""))
    viewer.mouse_over_canvas = True
    viewer.cursor.position = (1, 1, 1)
    viewer.update_status_from_cursor()
    assert viewer.status["coordinates"] == "A 2.0 mm"


def test_the_window_has_a_place_that_takes_drops(viewer: Any) -> None:
    from qtpy.QtWidgets import QLabel

    label = QLabel()
    viewer.window.add_dock_widget(label, name="x")
    window = main_window_of(label)
    assert window is not None
    assert drop_target(window).acceptDrops()
