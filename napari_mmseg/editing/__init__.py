"""Correcting an annotation with tools that cannot break the nesting of its regions.

`EditSession` is the one place where voxels of an annotation change; the other modules make the
footprints (brush, polygon, fill) that its strokes act on.
"""

from __future__ import annotations

from .brush import stamp, sweep
from .fill import flood
from .polygon import polygon
from .session import EditSession
from .stroke import Change, Footprint, Mode, Stroke

__all__ = [
    "Change",
    "EditSession",
    "Footprint",
    "Mode",
    "Stroke",
    "flood",
    "polygon",
    "stamp",
    "sweep",
]
