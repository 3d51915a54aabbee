"""`napari-mmseg finetune`: go on with a model on a user's corrected cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import print_table, quiet_stdout
from .train import Anatomy, Encoding, Minutes, Out, Resume, Seed, checked_name, reporter, say


def finetune(
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder of labelled cases; nothing outside it is read.",
            exists=True,
            file_okay=False,
        ),
    ],
    model: Annotated[
        str, typer.Option(help="The model to continue: a name or a folder.")
    ] = "simulated",
    anatomy: Anatomy = None,
    encoding: Encoding = None,
    hold_out: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the cases kept to judge by.")
    ] = 0.25,
    name: Annotated[str, typer.Option(help="Name of the run and of its model.")] = "tuned",
    steps: Annotated[int, typer.Option(min=1, help="Steps of training.")] = 300,
    minutes: Minutes = None,
    seed: Seed = 0,
    resume: Resume = False,
    out: Out = None,
) -> None:
    """Continue a model on labelled cases; one that does worse on those held out replaces nothing.

    With --anatomy half of what it sees is simulated, so that it keeps what it knows.
    """
    checked_name(name)
    from ..training.memory import hold_memory

    hold_memory()
    from ..models import user_models_folder
    from ..training.finetune import LEARNING_RATE, REPLAY
    from ..training.finetune import finetune as run
    from ..training.options import TrainOptions

    options = TrainOptions(
        anatomy=anatomy,
        data=data,
        encoding=encoding,
        hold_out=hold_out,
        name=name,
        steps=steps,
        minutes=minutes,
        seed=seed,
        resume=resume,
        replay=REPLAY,
        learning_rate=LEARNING_RATE,
    )
    with quiet_stdout():
        tuned = run(
            options, model, out or user_models_folder() / name, reporter(options.steps), say
        )
    print_table(
        ["region", "Dice before", "after"],
        [[r, f"{tuned.before[r]:.3f}", f"{tuned.after[r]:.3f}"] for r in tuned.after],
    )
    typer.echo(
        f"{tuned.folder} holds the model, judged on {tuned.cases} cases held out: "
        f"napari-mmseg segment CASE --model {tuned.folder}"
    )
