"""The contract with the private names of napari that the outline touches."""

from __future__ import annotations

from napari._vispy.overlays.base import VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components import ViewerModel
from napari.components.overlays import SceneOverlay

from napari_mmseg._napari.hover_overlay import (
    OVERLAY,
    HoverOverlay,
    VispyHoverOverlay,
    overlay_of,
)


def test_napari_finds_what_draws_the_overlay():
    assert issubclass(HoverOverlay, SceneOverlay)
    assert issubclass(VispyHoverOverlay, VispySceneOverlay)
    assert overlay_to_visual[HoverOverlay] is VispyHoverOverlay


def test_a_viewer_has_one_which_is_hidden_until_there_is_something_to_draw():
    viewer = ViewerModel()
    overlay = overlay_of(viewer)
    assert overlay_of(viewer) is overlay is viewer.scene.overlays[OVERLAY]
    assert not overlay.visible
    assert overlay_of(ViewerModel()) is not overlay
