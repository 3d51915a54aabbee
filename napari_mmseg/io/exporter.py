"""Write annotations and images: on the source grid, verified, nothing overwritten for good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from ..errors import ExportError, GeometryError
from ..grid import Grid
from ..protocol import Encoding
from ..volume import SourceSpace, Volume
from . import sidecar
from .formats import to_bytes
from .image import SUFFIXES, quoted, stem_of, suffix_of
from .safe_write import Draft, replace_files
from .verify import check_file

PER_REGION = "one binary file per region"


@dataclass(frozen=True)
class ExportReceipt:
    """What an export did.

    Parameters
    ----------
    files
        The label files, in the protocol's order where there is one per region.
    sidecar
        The JSON file beside them.
    backups
        Where the files went that had these names before.
    encoding
        The encoding written, or `PER_REGION`.
    notes
        Sentences for the user about what the encoding could not keep.
    """

    files: tuple[Path, ...]
    sidecar: Path
    encoding: str
    backups: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def export(
    annotation: Annotation,
    path: str | Path,
    *,
    encoding: str | None = None,
    per_region: bool = False,
    overwrite: bool = True,
) -> ExportReceipt:
    """Write an annotation on its source grid, with a JSON sidecar.

    Every file is written aside, read back by another path, compared (grid, forms and codes,
    voxels) and only then renamed; a file of the same name is kept as NAME.1.bak.

    Parameters
    ----------
    path
        .nii.gz, .nii, .nrrd or .mha.
    encoding
        The protocol's default when None. Voxels that were not edited keep the value that their
        file had, where it was read in this encoding.
    per_region
        Write STEM-REGION files of zeros and ones instead.
    overwrite
        False refuses when a file is there.

    Raises
    ------
    ExportError
        When something cannot be written; then everything is as it was.
    EncodingError
        When the encoding is unknown.
    """
    path = Path(path)
    suffix = _suffix(path)
    source = annotation.source
    if source.display_grid.shape != annotation.codes.shape:
        raise GeometryError("the labels do not fit the space of the file that they go back to")
    if per_region:
        arrays = {
            region.name: annotation.region(region.name).astype(np.uint8)
            for region in annotation.protocol.regions
        }
        targets = {n: path.with_name(f"{stem_of(path)}-{n}{_own_suffix(path)}") for n in arrays}
        name = PER_REGION
        notes: tuple[str, ...] = ()
        values = {"inside the region": 1}
    else:
        chosen = annotation.protocol.encoding(encoding or annotation.protocol.default_encoding)
        kept, notes = _kept_values(annotation, chosen)
        arrays = {"labels": chosen.encode(annotation.codes, kept)}
        targets = {"labels": path}
        name = chosen.name
        values = {
            r.compartment: chosen.write[r.code]
            for r in annotation.protocol.regions
            if r.code in chosen.write
        }
    drafts: list[Draft] = []
    hashes: dict[str, str] = {}
    for key, array in arrays.items():
        target = targets[key]
        _refuse(target, annotation.provenance.inputs, overwrite)
        stored = source.to_display.invert(array)
        data = to_bytes(
            stored, source, suffix, labels=True, name=key if per_region else chosen.name
        )
        hashes[key] = hashlib.sha256(data).hexdigest()
        drafts.append(
            Draft(target, data, partial(check_file, target=target, array=stored, source=source))
        )
    told = json.dumps(sidecar.describe(annotation, name, hashes, values), indent=2) + "\n"
    beside = sidecar.sidecar_path(path)
    drafts.append(Draft(beside, told.encode(), partial(_check_text, target=beside, text=told)))
    backups = replace_files(drafts)
    return ExportReceipt(tuple(targets.values()), beside, name, backups, notes)


def write_volume(
    volume: Volume | NDArray[Any],
    path: str | Path,
    source: SourceSpace | Grid | None = None,
    *,
    overwrite: bool = True,
) -> tuple[Path, ...]:
    """Write an image on its source grid, verified; returns the backups made.

    Parameters
    ----------
    source
        Where an array lies: the space of a file (then the array's axes are I, P, L), or a grid
        (then they are the grid's). A `Volume` knows its own; one that was resampled is written on
        the grid that it was resampled to.

    Raises
    ------
    ExportError
        As `export`.
    GeometryError
        When array and grid differ in shape, or nothing says where an array lies.
    """
    path = Path(path)
    suffix = _suffix(path)
    array = volume.array if isinstance(volume, Volume) else volume
    if source is None:
        if not isinstance(volume, Volume):
            raise GeometryError("an array alone does not say where it lies: give a source or grid")
        source = volume.grid if volume.resampled else volume.source
    space = SourceSpace.of(source) if isinstance(source, Grid) else source
    expected = space.grid.shape if isinstance(source, Grid) else space.display_grid.shape
    if array.shape != expected:
        raise GeometryError(f"an image of {array.shape} voxels does not fit a grid of {expected}")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    _refuse(path, {}, overwrite)
    stored = array if isinstance(source, Grid) else space.to_display.invert(array)
    data = to_bytes(stored, space, suffix, labels=False)
    check = partial(check_file, target=path, array=stored, source=space)
    return replace_files([Draft(path, data, check)])


def _suffix(path: Path) -> str:
    suffix = suffix_of(path)
    if suffix is None:
        raise ExportError(
            f"{quoted(path)} names no format that can be written: end it in {', '.join(SUFFIXES)}"
        )
    return suffix


def _own_suffix(path: Path) -> str:
    return path.name[len(stem_of(path)) :]


def _refuse(target: Path, inputs: Mapping[str, str], overwrite: bool) -> None:
    """Refuse to replace what must stay."""
    try:
        if not target.exists():
            return
    except OSError as error:
        raise ExportError(
            f"{quoted(target)} cannot be written ({error.strerror}): choose another name or folder"
        ) from error
    if not overwrite:
        raise ExportError(f"{quoted(target)} is there already: choose another name")
    if target.is_dir():
        raise ExportError(f"{quoted(target)} is a folder: name a file in it")
    if not target.is_file():
        raise ExportError(f"{quoted(target)} is a device or a pipe: name a file")
    try:
        there = hashlib.sha256(target.read_bytes()).hexdigest()
    except OSError:  # what cannot be read was not segmented
        return
    if there in inputs.values():
        raise ExportError(
            f"{quoted(target)} is one of the images that were segmented: choose another name"
        )


def _kept_values(
    annotation: Annotation, encoding: Encoding
) -> tuple[NDArray[np.uint8] | None, tuple[str, ...]]:
    """The file values that unedited voxels go back to, and what to say about the others."""
    file = annotation.file_codes
    folded = _folded(encoding)
    if file is None:
        return None, _said(annotation, encoding, folded, np.ones((), dtype=bool))
    if file.encoding == encoding.name:
        before = annotation.protocol.encoding(file.encoding).read
        table = np.zeros(256, dtype=np.uint8)
        table[list(before)] = list(before.values())
        return file.values, _said(
            annotation, encoding, folded, table[file.values] != annotation.codes
        )
    lost = _folded(annotation.protocol.encoding(file.encoding))
    present = set(np.flatnonzero(np.bincount(file.values.ravel(), minlength=256)).tolist())
    notes = tuple(
        f"the values {_and(values)} of {file.encoding} mean the same region here and are both "
        f"written as {encoding.write[code]} in {encoding.name}"
        for code, values in lost.items()
        if len(present & set(values)) > 1
    )
    return None, notes


def _folded(encoding: Encoding) -> dict[int, list[int]]:
    """Codes that several file values are read as."""
    by_code: dict[int, list[int]] = {}
    for value, code in encoding.read.items():
        by_code.setdefault(code, []).append(value)
    return {code: values for code, values in by_code.items() if len(values) > 1}


def _said(
    annotation: Annotation,
    encoding: Encoding,
    folded: Mapping[int, list[int]],
    edited: NDArray[np.bool_],
) -> tuple[str, ...]:
    regions = {r.code: r for r in annotation.protocol.regions}
    which = "all" if annotation.file_codes is None else "edited"
    return tuple(
        f"{which} {regions[code].compartment} voxels get {encoding.write[code]} "
        f"({encoding.name} tells {_and(values)} apart, this program does not)"
        for code, values in folded.items()
        if bool(((annotation.codes == code) & edited).any())
    )


def _and(values: list[int]) -> str:
    return " and ".join(str(v) for v in sorted(values))


def _check_text(path: Path, target: Path, text: str) -> None:
    if path.read_text(encoding="utf-8") != text:
        raise ExportError(f"{quoted(target)} was not written: it did not read back as written")
