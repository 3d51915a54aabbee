"""`napari-mmseg convert`: the same labels in another encoding or file format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import ProtocolName, checked_encoding, read_labels
from .output import print_warnings


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A label file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help=".nii, .nii.gz, .nrrd or .mha")],
    to: Annotated[str, typer.Option("--to", metavar="ENC", help="Encoding of OUT.")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ENC",
            help="Encoding of IN; may be left out where a sidecar or the values tell.",
        ),
    ] = None,
    protocol: ProtocolName = "glioma",
) -> None:
    """Write a label file again in another encoding (and file format, by OUT's ending)."""
    from ..io import export
    from ..protocol import load_protocol

    regions = load_protocol(protocol)
    checked_encoding(regions, from_, "--from")
    checked_encoding(regions, to, "--to")
    annotation = read_labels(source, from_, "--from", protocol=regions)
    receipt = export(annotation, out, encoding=to)
    typer.echo(f"{out} written as {to}")
    print_warnings(receipt.notes)
