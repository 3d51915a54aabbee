"""Which plane a change was painted in, told by its shape."""

from __future__ import annotations

from .stroke import Box

#: The plane across each array axis (I, P, L).
PLANES = ("axial", "coronal", "sagittal")


def plane_of(box: Box, before: str = "") -> str:
    """The plane in which all of a box lies; empty when it is thicker than a voxel every way.

    A line or a point lies in several: then the one that was painted in `before`, if it is among
    them, else the first.
    """
    flat = [plane for plane, side in zip(PLANES, box, strict=True) if side.stop - side.start == 1]
    if before in flat:
        return before
    return flat[0] if flat else ""
