"""`napari-mmseg train`: a model from simulated tumours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import quiet_stdout

DEFAULT_STEPS = 1800


def train(
    anatomy: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder of anatomical label maps (FreeSurfer codes).",
            exists=True,
            file_okay=False,
        ),
    ],
    name: Annotated[str, typer.Option(help="Name of the run and of its model.")] = "run",
    steps: Annotated[
        int, typer.Option(min=1, help="Length of the learning-rate schedule.")
    ] = DEFAULT_STEPS,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop earlier, after this long.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed trains the same model.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run NAME.")] = False,
) -> None:
    """Train a model on simulated tumours; an interrupted run is resumed exactly."""
    from ..training.loop import train as run
    from ..training.options import TrainOptions

    options = TrainOptions(
        anatomy=anatomy, name=name, steps=steps, minutes=minutes, seed=seed, resume=resume
    )
    with quiet_stdout():
        written = run(options)
    typer.echo(f"{written} written")
