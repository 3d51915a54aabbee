"""`napari-mmseg recover`: a whole work file out of a damaged one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import Json
from .output import print_json


def recover(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A work file (.mmseg).")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="NEW",
            help="Where the whole one goes; FILE's name with -recovered, in this folder.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Save all that is whole in a damaged work file to a new one; FILE stays as it is.

    Opening the case in the viewer mends its work file by itself and keeps the damaged one; this is
    for files that lie elsewhere.
    """
    from ..journal import recover as recovered

    new = out or Path(f"{file.stem}-recovered{file.suffix}")
    found = recovered(file, new)
    if json:
        print_json(
            {
                "out": str(new),
                "rows": found.rows,
                "steps": found.steps,
                "lost": found.lost,
                "was_damaged": found.was_damaged,
            }
        )
        return
    state = "was damaged" if found.was_damaged else "was whole"
    steps = "1 step is" if found.steps == 1 else f"{found.steps} steps are"
    lost = f"; {found.lost} rows were lost in a hole" if found.lost else ""
    typer.echo(f"{file.name} {state}: {steps} in {new.name}{lost}")
