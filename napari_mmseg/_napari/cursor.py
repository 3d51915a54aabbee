"""What the status bar says about the voxel under the cursor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..case import Case
from ..grid import Grid
from ..protocol import Protocol


def voxel_at(grid: Grid, position: NDArray[Any]) -> tuple[int, int, int] | None:
    """The voxel at a position of the drawn scene (mm along I, P, L); None outside the grid."""
    index = (np.asarray(position, dtype=float) - grid.display_translate) / grid.spacing
    rounded = np.round(index).astype(int)
    if (rounded < 0).any() or (rounded >= np.array(grid.shape)).any():
        return None
    return int(rounded[0]), int(rounded[1]), int(rounded[2])


def patient_position(grid: Grid, position: NDArray[Any]) -> NDArray[np.float64]:
    """RAS+ mm in the patient, by the source affine, of a position of the drawn scene.

    The scene is drawn unrotated; on an oblique scan the two differ.
    """
    index = (np.asarray(position, dtype=float) - grid.display_translate) / grid.spacing
    return grid.to_world(index)


def position_text(world: NDArray[np.float64]) -> str:
    """`R 12.0  A 3.5  S 40.0 mm`: letters instead of signs, so that nobody need remember them."""
    pairs = zip(world, (("R", "L"), ("A", "P"), ("S", "I")), strict=True)
    return "  ".join(f"{p[0] if v >= 0 else p[1]} {abs(v):.1f}" for v, p in pairs) + " mm"


def describe(
    case: Case,
    position: NDArray[Any],
    codes: NDArray[np.uint8] | None = None,
    protocol: Protocol | None = None,
) -> tuple[str, str]:
    """Where the cursor is and what is there: patient coordinates; values and region.

    The second text is empty outside the grid.
    """
    where = position_text(patient_position(case.grid, position))
    voxel = voxel_at(case.grid, position)
    if voxel is None:
        return where, ""
    values = "  ".join(f"{m} {_number(v.array[voxel])}" for m, v in case.volumes.items())
    if codes is not None and protocol is not None and (code := int(codes[voxel])):
        region = next(r for r in protocol.regions if r.code == code)
        names = [region.name, *(a.name for a in protocol.ancestors(region.name))]
        values += f"  |  {region.compartment} ({', '.join(reversed(names))})"
    return where, values


def _number(value: Any) -> str:
    return f"{float(value):.4g}" if abs(float(value)) < 1e4 else f"{float(value):.0f}"
