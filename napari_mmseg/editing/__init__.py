"""Correcting an annotation with tools that cannot break the nesting of its regions.

`EditSession` is the one place where voxels of an annotation change; the other modules make the
footprints (brushes, polygon, lasso, fill) and masks (interpolation, growth, ...) that its strokes
act on; `Refiner` solves a region again near scribbles (`editing.refine.refine` applies it) and
`Carrier` all of them between slices that are right (`editing.refine.carry`), the queues say where
to look next. What needs scipy or scikit-image loads it when it is used.
"""

from __future__ import annotations

from .adaptive import AdaptiveBrush
from .brush import stamp, sweep
from .fill import flood
from .interpolate import interpolate
from .lasso import Lasso
from .lesions import Lesion, Lesions, find_lesions, keep_only, relabel, remove
from .mirror import SymmetryPlane, mirrored, symmetry_plane
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
from .places import Place, Reason
from .polygon import polygon
from .queue import ReviewQueue, SliceQueue
from .refine import Carrier, Refinement, Refiner, Scribble
from .restore import restoring
from .session import EditSession
from .stroke import Change, Footprint, Mode, Stroke

__all__ = [
    "AdaptiveBrush",
    "Carrier",
    "Change",
    "EditSession",
    "Footprint",
    "Lasso",
    "Lesion",
    "Lesions",
    "Mode",
    "Place",
    "Reason",
    "Refinement",
    "Refiner",
    "ReviewQueue",
    "Scribble",
    "SliceQueue",
    "Stroke",
    "SymmetryPlane",
    "add_between",
    "copy_slice",
    "fill_holes",
    "find_lesions",
    "flood",
    "grow",
    "interpolate",
    "keep_between",
    "keep_only",
    "mirrored",
    "polygon",
    "relabel",
    "remove",
    "remove_islands",
    "restoring",
    "shrink",
    "smooth",
    "stamp",
    "sweep",
    "symmetry_plane",
]
