"""`napari-mmseg consensus`: one label file out of several of the same case."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .agree import distinct
from .arguments import Json, ProtocolName, check_target, checked_encoding, read_labels
from .output import number, print_json, print_table, print_warnings, quiet_stdout

if TYPE_CHECKING:
    from ..agreement.consensus import Consensus


class Method(StrEnum):
    """How several raters become one."""

    MAJORITY = "majority"
    STAPLE = "staple"
    SIMPLE = "simple"


class Ties(StrEnum):
    """What becomes of voxels with exactly half of the vote."""

    OUT = "out"
    IN = "in"


def consensus(
    labels: Annotated[
        list[Path], typer.Argument(metavar="LABELS...", help="Label files of one case.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help=".nii, .nii.gz, .nrrd or .mha")
    ],
    encoding: Annotated[
        str | None,
        typer.Option(metavar="ENC", help="Encoding of the files, and of the one written."),
    ] = None,
    method: Annotated[Method, typer.Option(help="How several become one.")] = Method.MAJORITY,
    ties: Annotated[
        Ties, typer.Option(help="What becomes of voxels with exactly half of the vote.")
    ] = Ties.OUT,
    soft: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the probabilities, one image per region: FILE-WT and so on."
        ),
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Write rater-1, rater-2, ... for the files' names.")
    ] = False,
    protocol: ProtocolName = "glioma",
    json: Json = False,
) -> None:
    """Make one label file out of several raters' of the same case."""
    from ..agreement.consensus import consensus as fuse
    from ..io import export
    from ..protocol import load_protocol

    regions = load_protocol(protocol)
    checked_encoding(regions, encoding, "--encoding")
    written = {} if soft is None else _soft_targets(soft, [r.name for r in regions.regions])
    for target in (out, *written.values()):
        check_target(target)
        _keep_labels(target, labels)
    names = _rater_names(labels, anonymous)
    with quiet_stdout():
        raters = {
            name: read_labels(file, encoding, "--encoding", protocol=regions)
            for name, file in zip(names, labels, strict=True)
        }
        found = fuse(raters, method.value, ties=ties.value)
        receipt = export(found.annotation, out, encoding=encoding)
        _write_soft(found, written)
    warnings = (*found.notes, *receipt.notes)
    if json:
        print_json(
            {
                "file": str(out),
                "encoding": receipt.encoding,
                "soft": {region: str(file) for region, file in written.items()},
                **found.facts(),
                "warnings": list(warnings),
            }
        )
        return
    print_table(
        ("region", "rater", "sensitivity", "specificity", "weight"),
        [
            (region, name, number(how.sensitivity), number(how.specificity), number(how.weight))
            for region, by_rater in found.raters.items()
            for name, how in by_rater.items()
        ],
    )
    for file in (out, *written.values()):
        typer.echo(f"{file} written")
    print_warnings(warnings)


def _soft_targets(soft: Path, regions: list[str]) -> dict[str, Path]:
    """`soft-WT.nii.gz`, ... for `soft.nii.gz`."""
    from ..io.image import stem_of

    stem = stem_of(soft)
    suffix = soft.name[len(stem) :]
    return {region: soft.with_name(f"{stem}-{region}{suffix}") for region in regions}


def _write_soft(found: Consensus, targets: dict[str, Path]) -> None:
    from ..io import write_volume

    for region, target in targets.items():
        write_volume(found.soft[region], target, found.annotation.source)


def _rater_names(files: list[Path], anonymous: bool) -> list[str]:
    """The files' names without ending; two of one name get numbers."""
    from ..io.image import stem_of

    if anonymous:
        return [f"rater-{n}" for n in range(1, len(files) + 1)]
    return distinct([stem_of(file) for file in files])


def _keep_labels(target: Path, files: list[Path]) -> None:
    """Refuse to write over a rater's file.

    Raises
    ------
    ExportError
        When `target` is one of them.
    """
    from ..errors import ExportError

    if target.resolve() in {file.resolve() for file in files}:
        raise ExportError(f'"{target.name}" is a rater\'s file: choose another name')
