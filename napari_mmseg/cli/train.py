"""`napari-mmseg train`: a model from simulated tumours."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError
from .output import quiet_stdout

if TYPE_CHECKING:
    from ..training.options import TrainOptions

DEFAULT_STEPS = 1800

#: How often a line on the progress is printed (seconds).
REPORT_EVERY_S = 30.0


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
    init: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Begin with a model's weights, such as simulated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the model.  [default: your models/NAME]"),
    ] = None,
) -> None:
    """Train a model on simulated tumours; an interrupted run is resumed exactly."""
    if Path(name).name != name or name.startswith("."):
        raise InputError(f"{name!r} cannot name a run: use letters, digits and hyphens")
    from ..models import user_models_folder
    from ..training.loop import train as run
    from ..training.options import TrainOptions

    options = TrainOptions(
        anatomy=anatomy,
        name=name,
        steps=steps,
        minutes=minutes,
        seed=seed,
        resume=resume,
        init=init,
    )
    with quiet_stdout():
        checkpoint = run(options, _reporter(options))
        card = _export(checkpoint, options, out or user_models_folder() / name)
    typer.echo(f"{card.parent} holds the model: napari-mmseg segment CASE --model {card.parent}")


def _reporter(options: TrainOptions) -> Callable[[dict[str, Any]], None]:
    """A line on stderr now and then."""
    due = time.monotonic()

    def report(line: dict[str, Any]) -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        due = time.monotonic() + REPORT_EVERY_S
        typer.echo(
            f"step {line['step']} of {options.steps}, loss {line['loss']:.3f}, "
            f"{line['minutes']:.1f} min",
            err=True,
        )

    return report


def _export(checkpoint: Path, options: TrainOptions, folder: Path) -> Path:
    """The model's files and its card, which says how little is known of how good it is."""
    from ..training.export import base_card, export_model, network_of
    from ..training.loop import load_checkpoint

    state = load_checkpoint(checkpoint)
    network = network_of(state)
    card = {
        **base_card(options.name, network),
        "trained_on": "simulated tumours in the label maps given with --anatomy",
        "steps": int(state["step"]),
        "minutes": round(float(state["seconds"]) / 60, 1),
        "seed": options.seed,
        "validation": {},
    }
    return export_model(network, folder, options.name, card)
