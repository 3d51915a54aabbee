"""The ring round a place: drawn once a place, above labels, no reason for the scene to grow."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel

from napari_mmseg._napari.place_marker import PlaceMarker

BOX = (slice(2, 4), slice(2, 4), slice(2, 4))


def test_a_ring_is_drawn_once_concealed_and_shown_again_above_labels():
    viewer = ViewerModel()
    place = {"scale": (2.0, 1.0, 1.0), "translate": (50.0, 60.0, 70.0)}
    labels = viewer.add_labels(np.zeros((8, 9, 10), np.uint8), **place)
    before = viewer.dims.range
    marker = PlaceMarker(viewer, labels, "ring")
    marker.show((2, 3, 4), BOX)
    ring = viewer.layers["ring"]
    assert viewer.layers.selection.active is labels
    np.testing.assert_allclose(ring.data, [[54.0, 63.0, 74.0]])
    drawn = []
    ring.events.set_data.connect(lambda _: drawn.append(1))
    marker.show((5, 3, 4), BOX)
    assert len(drawn) == 1
    np.testing.assert_allclose(ring.data, [[60.0, 63.0, 74.0]])
    marker.conceal()
    assert not ring.shown.any()
    viewer.add_labels(np.zeros((8, 9, 10), np.uint8), **place)
    viewer.layers.selection.active = labels
    marker.show((2, 3, 4), BOX)
    assert ring.shown.all()
    assert viewer.layers[-1] is ring
    assert viewer.layers.selection.active is labels
    extent = [(r.start, r.stop) for r in viewer.dims.range]
    np.testing.assert_allclose(extent, [(r.start, r.stop) for r in before])
    marker.hide()
    assert "ring" not in viewer.layers
