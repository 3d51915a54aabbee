"""Correcting an annotation with tools that cannot break the nesting of its regions.

`EditSession` is the one place where voxels of an annotation change; the other modules make the
footprints (brushes, polygon, lasso, fill) and masks (interpolation, growth, ...) that its strokes
act on. What needs scipy or scikit-image loads it when it is used.
"""

from __future__ import annotations

from .adaptive import AdaptiveBrush
from .brush import stamp, sweep
from .fill import flood
from .operations import (
    add_between,
    copy_slice,
    fill_holes,
    grow,
    keep_between,
    remove_islands,
    shrink,
    smooth,
)
from .polygon import polygon
from .restore import restoring
from .session import EditSession
from .stroke import Change, Footprint, Mode, Stroke

__all__ = [
    "AdaptiveBrush",
    "Change",
    "EditSession",
    "Footprint",
    "Mode",
    "Stroke",
    "add_between",
    "copy_slice",
    "fill_holes",
    "flood",
    "grow",
    "keep_between",
    "polygon",
    "remove_islands",
    "restoring",
    "shrink",
    "smooth",
    "stamp",
    "sweep",
]
