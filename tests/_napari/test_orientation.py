"""Letters at the view's edges, for every plane and way to turn the view."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_mmseg._napari.orientation import (
    PLANES,
    EdgeLetters,
    LetterOverlay,
    edge_letters,
    plane_of,
    show_plane,
)
from napari_mmseg.grid import Grid


def filled(viewer: ViewerModel) -> ViewerModel:
    viewer.add_image(np.zeros((4, 5, 6), dtype=np.uint8))
    return viewer


def shown(viewer: ViewerModel) -> dict[str, str]:
    return {
        edge: viewer.canvas.overlays[f"mmseg_{edge}"].text
        for edge in ("top", "bottom", "left", "right")
    }


@pytest.mark.parametrize(
    ("plane", "expected"),
    [
        ("axial", EdgeLetters("A", "P", "R", "L")),
        ("coronal", EdgeLetters("S", "I", "R", "L")),
        ("sagittal", EdgeLetters("S", "I", "A", "P")),
    ],
)
def test_planes_are_radiological(plane: str, expected: EdgeLetters) -> None:
    assert edge_letters(PLANES[plane][1:]) == expected


def test_letters_agree_with_the_affine_in_every_view() -> None:
    """Independent of the letters' own table: walk along the screen and see where RAS goes."""
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, -1], [0, -1, 0], [-1, 0, 0]]  # IPL
    grid = Grid((4, 5, 6), affine)
    names = (("L", "R"), ("P", "A"), ("I", "S"))
    for rows, columns in itertools.permutations(range(3), 2):
        for down, right in itertools.product(("down", "up"), ("right", "left")):
            letters = edge_letters((rows, columns), (down, right))
            for axis, way, edge in (
                (rows, 1 if down == "down" else -1, letters.bottom),
                (columns, 1 if right == "right" else -1, letters.right),
            ):
                step = np.zeros(3)
                step[axis] = way
                moved = grid.to_world(step) - grid.to_world(np.zeros(3))
                world = int(np.argmax(np.abs(moved)))
                assert edge == names[world][int(moved[world] > 0)]


def test_letters_follow_the_view(model_viewer: ViewerModel) -> None:
    viewer = filled(model_viewer)
    letters = LetterOverlay(viewer)
    show_plane(viewer, "sagittal")
    assert shown(viewer) == {"top": "S", "bottom": "I", "left": "A", "right": "P"}
    viewer.dims.order = (0, 2, 1)
    assert shown(viewer) == {"top": "R", "bottom": "L", "left": "A", "right": "P"}
    viewer.scene.camera.orientation2d = ("up", "left")
    assert shown(viewer) == {"top": "L", "bottom": "R", "left": "P", "right": "A"}
    letters.remove()
    assert not any(name.startswith("mmseg") for name in viewer.canvas.overlays)


def test_letters_vanish_in_3d_and_come_back(model_viewer: ViewerModel) -> None:
    viewer = filled(model_viewer)
    letters = LetterOverlay(viewer)
    overlay: Any = viewer.canvas.overlays["mmseg_top"]
    assert overlay.visible
    viewer.dims.ndisplay = 3
    assert not overlay.visible
    show_plane(viewer, "coronal")
    assert (overlay.visible, overlay.text) == (True, "S")
    letters.remove()


def test_planes_have_names() -> None:
    assert [plane_of(order) for order in PLANES.values()] == list(PLANES)
    assert plane_of((0, 2, 1)) is None
