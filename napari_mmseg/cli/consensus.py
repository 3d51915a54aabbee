"""`napari-mmseg consensus`: one label file out of several of the same case."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .arguments import Json, ProtocolName, check_target, checked_encoding
from .maps import Maps, map_targets, write_maps
from .output import number, print_json, print_table, print_warnings, quiet_stdout
from .raters import Anonymous, Labels, keep_labels, read_raters


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
    labels: Labels,
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
    heat: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write where raters differ: entropy in bits over all regions."
        ),
    ] = None,
    maps: Maps = None,
    anonymous: Anonymous = False,
    protocol: ProtocolName = "glioma",
    json: Json = False,
) -> None:
    """Make one label file out of several raters' of the same case."""
    from ..agreement.consensus import consensus as fuse
    from ..agreement.disagreement import disagreement
    from ..io import export, write_volume
    from ..protocol import load_protocol

    regions = load_protocol(protocol)
    checked_encoding(regions, encoding, "--encoding")
    written = {} if soft is None else _soft_targets(soft, [r.name for r in regions.regions])
    mapped = {} if maps is None else map_targets(maps, regions)
    targets = [out, *written.values(), *([] if heat is None else [heat]), *mapped.values()]
    for target in targets:
        check_target(target)
    keep_labels(targets, labels)
    with quiet_stdout():
        raters = read_raters(labels, encoding, regions, anonymous)
        found = fuse(raters, method.value, ties=ties.value)
        receipt = export(found.annotation, out, encoding=encoding)
        for region, target in written.items():
            write_volume(found.soft[region], target, found.annotation.source)
        if heat is not None:
            write_volume(disagreement(raters).overall_entropy, heat, found.annotation.source)
        if mapped:
            write_maps(raters, mapped)
    warnings = (*found.notes, *receipt.notes)
    if json:
        print_json(
            {
                "file": str(out),
                "encoding": receipt.encoding,
                "soft": {region: str(file) for region, file in written.items()},
                "heat": None if heat is None else str(heat),
                "maps": {name: str(file) for name, file in mapped.items()},
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
    for file in targets:
        typer.echo(f"{file} written")
    print_warnings(warnings)


def _soft_targets(soft: Path, regions: list[str]) -> dict[str, Path]:
    """`soft-WT.nii.gz`, ... for `soft.nii.gz`."""
    from ..io.image import stem_of

    stem = stem_of(soft)
    suffix = soft.name[len(stem) :]
    return {region: soft.with_name(f"{stem}-{region}{suffix}") for region in regions}
