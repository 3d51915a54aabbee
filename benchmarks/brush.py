"""A nested brush stroke against napari's own `Labels.paint` of the same footprint.

Both paint the same round footprints at the same places on the same volume, and both end with
voxels, undo history and the layer's view up to date. napari's layer only overwrites labels; ours
keeps regions nested, counts edits and bounds the memory of undo. No canvas: what drawing costs
is the same for both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

SHAPE = (155, 240, 240)
ROUNDS = 3

#: Diameters in voxels (odd, as napari makes them) by dimensions painted.
DIAMETERS = {2: 21, 3: 41}

#: napari calls radius + 0.5 what we call radius; this makes the footprints equal (mm).
_HALF_VOXEL_RIM = 1.0


def run() -> dict[str, Any]:
    """Median times of one stamp; `ratio` is the worse of 2D and 3D."""
    result: dict[str, Any] = {"shape": list(SHAPE)}
    for dimensions, diameter in DIAMETERS.items():
        result[f"{dimensions}d"] = _compare(dimensions, diameter)
    result["ratio"] = max(result[f"{dimensions}d"]["ratio"] for dimensions in DIAMETERS)
    return result


def _compare(dimensions: int, diameter: int) -> dict[str, Any]:
    from napari.components import ViewerModel

    from napari_mmseg._napari.editing_controller import attach_editing
    from napari_mmseg.editing import EditSession

    viewer = ViewerModel()
    ours, theirs = (viewer.add_labels(np.zeros(SHAPE, np.uint8)) for _ in range(2))
    session = EditSession(_empty())
    controller = attach_editing(viewer, ours, session)
    viewer.dims.set_point(0, SHAPE[0] // 2)
    theirs.brush_size, theirs.n_edit_dimensions = diameter, dimensions
    controller.use(diameter=diameter - 1 + _HALF_VOXEL_RIM, in_3d=dimensions == 3)
    places = _places(dimensions, diameter)
    ours_ms: list[float] = []
    theirs_ms: list[float] = []
    same = True
    for _ in range(ROUNDS):
        # From the outer region inwards, so that both change the same voxels at every stamp.
        for label in (1, 2, 3):
            for place in places:  # in turns, so that a busy machine slows both alike
                ours_ms.append(_time_ms(ours.paint, place, label))
                theirs_ms.append(_time_ms(theirs.paint, place, label))
            same = same and bool(np.array_equal(ours.data, theirs.data))
        session.replace(np.zeros(SHAPE, np.uint8), "clear")
        theirs.data = np.zeros(SHAPE, np.uint8)
    mine, napari = float(np.median(ours_ms)), float(np.median(theirs_ms))
    return {
        "diameter_voxels": diameter,
        "stamps": len(ours_ms),
        "same_voxels": same,
        "ours_ms": mine,
        "napari_ms": napari,
        "ratio": mine / napari,
    }


def _places(dimensions: int, diameter: int) -> list[tuple[int, int, int]]:
    """Where the stamps go: row by row, each a third of its diameter on from the one before."""
    margin, step = diameter // 2 + 1, diameter // 3
    rows = range(margin, SHAPE[1] - margin, step)
    columns = range(margin, SHAPE[2] - margin, step)
    return [(SHAPE[0] // 2, row, column) for row in rows for column in columns]


def _time_ms(paint: Callable[[Any, int], None], place: tuple[int, int, int], label: int) -> float:
    begin = time.perf_counter()
    paint(place, label)
    return 1000 * (time.perf_counter() - begin)


def _empty() -> Any:
    from napari_mmseg.annotation import Annotation
    from napari_mmseg.grid import Grid
    from napari_mmseg.protocol import load_protocol
    from napari_mmseg.volume import SourceSpace

    affine = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1]], dtype=float)
    grid = Grid(SHAPE, affine)
    return Annotation(np.zeros(SHAPE, np.uint8), grid, load_protocol(), SourceSpace.of(grid))
