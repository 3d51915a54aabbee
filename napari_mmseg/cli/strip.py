"""`napari-mmseg strip`: the brain out of a scan that still has its skull."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .arguments import Json, check_target
from .output import print_json, print_warnings, quiet_stdout


def strip(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Any contrast, with its skull.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The image with all but the brain at 0."),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The brain as a mask of 0 and 1.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="A brain-extraction model's name or folder.")
    ] = "strip",
    json: Json = False,
) -> None:
    """Find the brain in an image and write the image without its skull, the mask, or both."""
    import numpy as np

    from ..inference.brain import extract_brain
    from ..io import read_volume, write_volume

    targets = [target for target in (out, mask) if target is not None]
    if not targets:
        raise InputError("nothing to write: name --out FILE, --mask FILE or both")
    for target in targets:
        check_target(target)
        if target.resolve() == image.resolve():
            raise InputError(
                f'"{target.name}" is the image itself: name another file for the result'
            )
    if len({target.resolve() for target in targets}) < len(targets):
        raise InputError("--out and --mask name the same file: name two")
    with quiet_stdout():
        volume, notes = read_volume(image)
        brain = extract_brain(volume, model)
        if out is not None:
            stripped = np.where(brain, volume.array, volume.array.dtype.type(0))
            write_volume(stripped, out, volume.source)
        if mask is not None:
            write_volume(brain.astype(np.uint8), mask, volume.source)
    ml = float(np.count_nonzero(brain)) * volume.grid.voxel_volume_ml
    if json:
        print_json({"brain_ml": ml, "warnings": list(notes)})
        return
    typer.echo(f"brain and its fluid: {ml:.0f} ml; written: {', '.join(map(str, targets))}")
    print_warnings(notes)
