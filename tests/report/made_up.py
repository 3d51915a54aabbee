"""Made-up scores and annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_mmseg.agreement import compare
from napari_mmseg.annotation import Annotation
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.report import CaseScores, Cohort, Pair
from napari_mmseg.volume import SourceSpace

#: Axes I, P, L with edges of 3, 2 and 1 mm.
AFFINE = np.array([[0, 0, -1, 9], [0, -2, 0, 8], [-3, 0, 0, 7], [0, 0, 0, 1.0]])


def annotation(codes: np.ndarray) -> Annotation:
    grid = Grid(codes.shape, AFFINE)
    return Annotation(codes.astype(np.uint8), grid, load_protocol(), SourceSpace.of(grid))


def blocks(shift: int = 0) -> np.ndarray:
    """Nested blocks of codes 1, 2 and 3, moved along the last axis."""
    codes = np.zeros((10, 12, 14), np.uint8)
    for depth, margin in enumerate((1, 2, 3), start=1):
        codes[margin : 8 - margin, margin : 9 - margin, margin + shift : 9 - margin + shift] = depth
    return codes


def cohort(*names: str) -> Cohort:
    """A case a name, each a voxel worse than the one before."""
    reference = blocks()
    protocol = load_protocol()
    cases = []
    for shift, name in enumerate(names):
        regions = {
            region.name: compare(
                protocol.inside(blocks(shift), region.name),
                protocol.inside(reference, region.name),
                (3.0, 2.0, 1.0),
            )
            for region in protocol.regions
        }
        cases.append(CaseScores(name, Pair(name, Path(f"p-{name}.nii"), Path("r.nii")), regions))
    return Cohort(tuple(cases))
