"""The contract with the private names of napari that editing touches."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_mmseg._napari import editing_compat
from napari_mmseg._napari.colours import label_colormap
from napari_mmseg.protocol import load_protocol

BOX = (slice(2, 3), slice(1, 5), slice(3, 9))


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_labels(np.zeros((6, 10, 12), np.uint8), colormap=label_colormap(load_protocol()))
    viewer.dims.set_point(0, 2)
    return viewer


@pytest.mark.parametrize("contour", [0, 1])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_redrawing_a_box_shows_what_slicing_anew_would_show(viewer, contour, order):
    layer = viewer.layers[0]
    layer.contour = contour
    viewer.dims.order = order
    viewer.dims.set_point(order[0], 4 if order[0] else 2)
    seen: list[tuple[np.ndarray, list[int]]] = []
    layer.events.labels_update.connect(lambda e: seen.append((e.data.copy(), list(e.offset))))
    shown = layer._slice.image.view.copy()
    layer.data[BOX] = 3
    editing_compat.redraw(layer, BOX)
    (patch, offset) = seen[-1]
    shown[tuple(slice(o, o + n) for o, n in zip(offset, patch.shape, strict=True))] = patch
    layer.refresh()
    np.testing.assert_array_equal(shown, layer._slice.image.view)


def test_redrawing_falls_back_to_the_public_way(viewer, monkeypatch):
    layer = viewer.layers[0]
    monkeypatch.delattr(Labels, "_accumulate_updated_slice")
    layer.data[BOX] = 3
    editing_compat.redraw(layer, BOX)
    assert (layer._slice.image.view[1:5, 3:9] == layer._slice.image.view[1, 3]).all()
    assert layer._slice.image.view[1, 3] != layer._slice.image.view[0, 0]


def test_napari_s_drawing_is_taken_out_by_name_and_comes_back_with_a_mode(viewer):
    layer = viewer.layers[0]
    for mode in ("paint", "erase", "fill"):
        layer.mode = mode
        assert any(callback.__name__ == "draw" for callback in layer.mouse_drag_callbacks)
        editing_compat.remove_own_drawing(layer)
        assert not any(callback.__name__ == "draw" for callback in layer.mouse_drag_callbacks)


def test_the_hooks_of_the_encircling_stroke_exist():
    assert all(callable(getattr(Labels, name)) for name in editing_compat.STROKE_HOOKS)


def test_the_dark_square_in_the_brush_circle_is_switched_off(viewer):
    editing_compat.bare_brush_circle(viewer)
    assert viewer.canvas.overlays["_brush_circle"].box is False
