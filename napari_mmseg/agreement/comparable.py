"""May annotations be compared voxel by voxel? One sentence where they may not."""

from __future__ import annotations

from itertools import product

import numpy as np

from ..annotation import Annotation
from ..errors import GeometryError, InputError
from ..grid import Grid

#: Files of one patient by different programs may differ in the last digits of their affines; labels
#: less than this share of a voxel apart are compared voxel by voxel.
SAME_PLACE_VOXELS = 0.1


def check_comparable(
    first: Annotation,
    second: Annotation,
    called: tuple[str, str] = ("the prediction", "the reference"),
) -> None:
    """Refuse two annotations that name other regions or lie on other voxels.

    `called` is what the sentence calls them.

    Raises
    ------
    InputError
        When the two follow different protocols.
    GeometryError
        When their voxels do not lie in the same places.
    """
    one, other = called
    if first.protocol.name != second.protocol.name:
        raise InputError(
            f"{one} follows the protocol {first.protocol.name}, {other} "
            f"{second.protocol.name}: their regions cannot be compared"
        )
    if not first.grid.same_as(second.grid, SAME_PLACE_VOXELS):
        raise GeometryError(
            f"{one} and {other} lie on different grids "
            f"({_described(first)} and {_described(second)}"
            f"{_apart(first.grid, second.grid)}): export both for the same images first"
        )


def _apart(first: Grid, second: Grid) -> str:
    """How far grids of the same shape lie apart, which their descriptions may not show."""
    if first.shape != second.shape:
        return ""
    corners = np.array(list(product(*((0, n - 1) for n in first.shape))))
    mm = np.linalg.norm(first.to_world(corners) - second.to_world(corners), axis=1).max()
    return f", up to {mm:.3g} mm apart"


def _described(annotation: Annotation) -> str:
    grid = annotation.source.grid
    sides = " x ".join(str(n) for n in grid.shape)
    edges = " x ".join(f"{mm:.3g}" for mm in grid.spacing)
    return f"{sides} voxels of {edges} mm, {grid.orientation}"
