"""A case with left and right exchanged, so that a repeat is not known by its anatomy, and back.

The voxels are mirrored across the middle of the grid; the grid stays. The letters L and R of the
viewer go with the grid, so they stand where they always stand, and with respect to the anatomy
they are mirrored too: nothing on the screen, no letter and no position in mm, tells a mirrored
case from another. Mirroring an array twice gives it back voxel for voxel, on any grid, oblique
ones included.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation, FileCodes
from ..case import Case
from ..grid import Grid, Reorientation
from ..volume import SourceSpace, Volume


def left_right_axis(grid: Grid) -> int:
    """The array axis that runs nearest to left-right: 2 in display orientation."""
    return next(i for i, letter in enumerate(grid.orientation) if letter in "LR")


def mirrored_codes(codes: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    """Codes with left and right exchanged, a copy; doing it twice gives the codes back."""
    return np.ascontiguousarray(np.flip(codes, left_right_axis(grid)))


def mirrored_case(case: Case) -> Case:
    """The case with left and right exchanged.

    Its source space undoes that: what is exported from it lies in the patient as it should.
    """
    return replace(case, volumes={m: _volume(v) for m, v in case.volumes.items()})


def mirrored_annotation(annotation: Annotation) -> Annotation:
    """An annotation of a case, for the mirrored case (and back)."""
    file = annotation.file_codes
    if file is not None:
        file = FileCodes(mirrored_codes(file.values, annotation.grid), file.encoding)
    return replace(
        annotation,
        codes=mirrored_codes(annotation.codes, annotation.grid),
        source=mirrored_space(annotation.source),
        file_codes=file,
    )


def mirrored_space(source: SourceSpace) -> SourceSpace:
    """The same file space, reached from mirrored voxels (and back)."""
    way = source.to_display
    across = left_right_axis(source.display_grid)
    a, b, c = (flip != (axis == across) for axis, flip in enumerate(way.flips))
    return replace(source, to_display=Reorientation(way.axes, (a, b, c)))


def _volume(volume: Volume) -> Volume:
    array: NDArray[Any] = np.ascontiguousarray(np.flip(volume.array, left_right_axis(volume.grid)))
    array.flags.writeable = False
    return replace(volume, array=array, source=mirrored_space(volume.source))
