"""`napari-mmseg recover`: a whole work file out of a damaged one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import Json
from .output import print_json


def recover(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A work file (.mmseg).")],
    out: Annotated[Path, typer.Option("--out", metavar="NEW", help="Where the whole one goes.")],
    json: Json = False,
) -> None:
    """Save all that is whole in a damaged work file to a new one; FILE stays as it is."""
    from ..journal import recover as recovered

    found = recovered(file, out)
    if json:
        print_json(
            {
                "out": str(out),
                "rows": found.rows,
                "steps": found.steps,
                "lost": found.lost,
                "was_damaged": found.was_damaged,
            }
        )
        return
    state = "was damaged" if found.was_damaged else "was whole"
    lost = f", {found.lost} rows were lost in a hole" if found.lost else ""
    typer.echo(f"{file.name} {state}: {found.steps} steps are in {out.name}{lost}")
