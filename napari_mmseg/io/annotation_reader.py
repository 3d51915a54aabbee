"""Read a label file as an annotation: values to codes, upright, on the case's grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..annotation import Annotation, FileCodes, Provenance
from ..case import Case
from ..errors import GeometryError
from ..grid import Grid
from ..protocol import Protocol, load_protocol
from . import sidecar
from .case_reader import RESAMPLE_ABOVE_VOXELS
from .image import quoted, read_image
from .label_files import choose_encoding, label_values


def read_annotation(
    path: str | Path,
    *,
    protocol: Protocol | None = None,
    encoding: str | None = None,
    like: Case | Grid | None = None,
    author: str = "unknown",
) -> Annotation:
    """Read a label file.

    Parameters
    ----------
    protocol
        What is labelled; glioma by default.
    encoding
        How the file stores it. None: a sidecar, the dataset's naming, or the values themselves
        where they allow one reading only.
    like
        The case or grid (display orientation) that the labels must lie on. The same voxels in
        another axis order are turned losslessly; labels are never interpolated. With a case,
        exports go to the space of the case's files, otherwise to that of this file.
    author
        Who made it; a sidecar's word is taken when this is "unknown".

    Returns
    -------
    Annotation
        In display orientation (I, P, L), the file's own values kept in `file_codes`.

    Raises
    ------
    EncodingError
        When a value is unknown, or nothing tells the encoding.
    GeometryError
        When the labels lie on other voxels than `like`.
    InputError
        When the file cannot be read.
    """
    path = Path(path)
    protocol = protocol or load_protocol()
    image = read_image(path)
    values = label_values(image)
    beside: list[Path] = []
    if isinstance(like, Case):
        beside = [v.path for v in like.volumes.values() if v.path is not None]
    name = encoding or choose_encoding(path, values, protocol, beside)
    chosen = protocol.encoding(name)
    source = image.source
    upright = np.ascontiguousarray(source.to_display.apply(values))
    upright.flags.writeable = False
    codes = chosen.decode(upright, where=quoted(path))
    grid = source.display_grid
    if like is not None:
        target = like.grid if isinstance(like, Case) else like
        if not target.same_as(grid, RESAMPLE_ABOVE_VOXELS):
            raise GeometryError(_elsewhere(path, grid, target))
        grid = target
        if isinstance(like, Case):
            source = like.source
    data = sidecar.load(path)
    told = sidecar.provenance_in(data) if data else Provenance()
    if data and author == "unknown" and data.get("format") == sidecar.FORMAT:
        author = str(data.get("author") or author)
    return Annotation(codes, grid, protocol, source, author, told, FileCodes(upright, chosen.name))


def _elsewhere(path: Path, grid: Grid, target: Grid) -> str:
    if grid.shape != target.shape:
        has = " x ".join(map(str, grid.shape))
        wants = " x ".join(map(str, target.shape))
        return (
            f"{quoted(path)} has {has} voxels where the case has {wants} (towards inferior, "
            "posterior, left): labels are not interpolated, open the ones that belong to it"
        )
    return (
        f"{quoted(path)} lies elsewhere in space than the case: labels are not interpolated, "
        "open the ones that belong to it"
    )
