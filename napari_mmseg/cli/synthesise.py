"""`napari-mmseg synthesise`: a missing contrast, imagined, for looking at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .arguments import CasePaths, ModalityFiles, open_from
from .output import quiet_stdout


def synthesise(
    case: CasePaths = None,
    modality: ModalityFiles = None,
    cmft: Annotated[
        str, typer.Option(metavar="NAME", help="The CMFT run, by its name or folder.")
    ] = "cmft",
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where to write.")
    ] = Path(),
) -> None:
    """Write the contrasts that a case lacks, made of the others by CMFT's generators.

    They are marked as synthetic in their names and are not taken for images of the patient when
    the folder is opened.
    """
    from ..inference.synthetic import MARK, synthetic_contrasts
    from ..io import write_volume
    from ..training.options import runs_folder

    if not out.is_dir():
        raise InputError(f"there is no folder {out}: make it first, or name another with --out")
    # As `training.cmft.GENERATORS`, whose module would load the trainer.
    file = "generators.safetensors"
    run = Path(cmft) if (Path(cmft) / file).is_file() else runs_folder() / cmft
    with quiet_stdout():
        opened = open_from(case, modality)
        images = synthetic_contrasts(opened, run / file)
        reference = opened.volumes[opened.reference]
        written = []
        for contrast, array in images.items():
            written.append(out / f"{opened.id}_{contrast}_{MARK}.nii.gz")
            write_volume(array, written[-1], reference.source, overwrite=False)
    typer.echo(f"written, for looking at alone: {', '.join(map(str, written))}")
