"""One image of a patient, in display orientation, that remembers the file it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .errors import GeometryError
from .grid import Grid, Reorientation


class Modality(StrEnum):
    """The four contrasts, in the order in which networks take them."""

    T1 = "T1"
    T1CE = "T1ce"
    T2 = "T2"
    FLAIR = "FLAIR"


@dataclass(frozen=True)
class SourceSpace:
    """The grid that a file stores its voxels on, and how to go back to it.

    Parameters
    ----------
    grid
        The grid in the file's own axis order.
    to_display
        The reorientation from the file's axes to the display orientation.
    file_format
        "nifti", "nrrd" or "mha".
    nifti_header
        The header's bytes (348 or 540), so that forms, codes and units return as they were;
        None for other formats.
    """

    grid: Grid
    to_display: Reorientation
    file_format: str = "nifti"
    nifti_header: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, grid: Grid, **rest: Any) -> SourceSpace:
        """The space of a file whose voxels lie on `grid`."""
        return cls(grid, grid.to_orientation(), **rest)

    @property
    def display_grid(self) -> Grid:
        return self.grid.reoriented(self.to_display)


@dataclass(frozen=True, eq=False)
class Volume:
    """One contrast on a grid in display orientation.

    Parameters
    ----------
    array
        Voxels, axes (I, P, L). Real and finite.
    grid
        Where they lie; `grid.shape == array.shape`.
    modality
        Which contrast it is, or None when nobody knows.
    source
        The space of its file.
    path
        Its file (a 4D file serves several volumes), or None for one made in memory.
    sha256
        Hash of the file's bytes, for provenance; empty when there is no file.
    resampled
        True when the voxels were interpolated onto the case's grid.
    """

    array: NDArray[Any]
    grid: Grid
    modality: Modality | None
    source: SourceSpace
    path: Path | None = None
    sha256: str = ""
    resampled: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.array.shape != self.grid.shape:
            raise GeometryError(
                f"an image of {self.array.shape} voxels does not fit a grid of {self.grid.shape}"
            )
