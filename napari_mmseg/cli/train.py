"""`napari-mmseg train`: a model from simulated tumours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    anatomy: Annotated[Path, typer.Option(metavar="DIR", help="Folder of anatomical label maps.")],
    name: Annotated[str, typer.Option(help="Name of the run and of its model.")] = "simulated",
    minutes: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    steps: Annotated[int | None, typer.Option(help="Stop after this many steps.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run NAME.")] = False,
) -> None:
    """Train a model on simulated tumours; an interrupted run is resumed exactly."""
    from ..training import Options
    from ..training import train as run

    options = Options(anatomy=anatomy, name=name, minutes=minutes, steps=steps, resume=resume)
    typer.echo(f"{run(options)} written")
