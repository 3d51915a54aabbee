"""A patient's co-registered contrasts on one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from .errors import GeometryError, InputError
from .grid import Grid
from .volume import Modality, SourceSpace, Volume


@dataclass(frozen=True)
class LabelFile:
    """A segmentation found beside the images, not yet read under any protocol.

    `encoding` is what a sidecar or the dataset's own naming says, or None: then it is for the
    user to say.
    """

    path: Path
    encoding: str | None = None
    said_by: str = ""


@dataclass(frozen=True, eq=False)
class Case:
    """Co-registered volumes on one grid, in display orientation.

    Parameters
    ----------
    id
        A short name for the screen (never written into exports).
    volumes
        By modality; at least one, all on the same grid.
    reference
        The volume whose file's space exports go back to.
    labels
        Label files found beside the images.
    warnings
        Sentences for the user about what was assumed, replaced or left out while opening.
    """

    id: str
    volumes: Mapping[Modality, Volume]
    reference: Modality
    labels: tuple[LabelFile, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.volumes:
            raise InputError(f"{self.id} holds no image of a known modality")
        for modality, volume in self.volumes.items():
            if not volume.grid.same_as(self.grid):
                raise GeometryError(f"{modality} lies on another grid than {self.reference}")
        ordered = {m: self.volumes[m] for m in Modality if m in self.volumes}
        object.__setattr__(self, "volumes", MappingProxyType(ordered))

    @property
    def grid(self) -> Grid:
        """The one grid of all volumes, in display orientation."""
        return self.volumes[self.reference].grid

    @property
    def source(self) -> SourceSpace:
        """The space of the reference volume's file: where exports go back to."""
        return self.volumes[self.reference].source

    @property
    def modalities(self) -> tuple[Modality, ...]:
        return tuple(self.volumes)

    @property
    def missing(self) -> tuple[Modality, ...]:
        return tuple(m for m in Modality if m not in self.volumes)
