"""`napari-mmseg train`: a model from simulated tumours, a user's labelled cases, or both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InputError
from .arguments import Device
from .output import quiet_stdout

#: How often a line on the progress is printed (seconds).
REPORT_EVERY_S = 30.0

#: The share of simulated crops where a run learns from both.
REPLAY_SHARE = 0.5

#: The run that holds CMFT's generators when none is named.
DEFAULT_CMFT_RUN = "cmft"

#: What a line of the log tells beside losses.
NOT_LOSSES = ("step", "minutes", "step_seconds", "lr")


class Stage(StrEnum):
    """What is trained: the segmentation, or the feature transition that comes before CMFF."""

    SEGMENT = "segment"
    CMFT = "cmft"


Anatomy = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of anatomical label maps (FreeSurfer codes) to simulate tumours in.",
        exists=True,
        file_okay=False,
        show_default=False,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="ENC", help="How the label files are encoded, where nothing tells."),
]
Minutes = Annotated[float | None, typer.Option(min=0, help="Stop earlier, after this long.")]
Seed = Annotated[int, typer.Option(help="The same seed trains the same model.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run NAME.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of the model.  [default: your models/NAME]"),
]
Steps = Annotated[
    int | None,
    typer.Option(min=1, help="Length of the learning-rate schedule.  [default: the preset's]"),
]


def train(
    anatomy: Anatomy = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of labelled cases; nothing outside it is read.",
            exists=True,
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    encoding: Encoding = None,
    preset: Annotated[
        str, typer.Option(metavar="NAME", help="default, paper or minmax128.")
    ] = "default",
    network: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="unet, cmff, ...  [default: the preset's]"),
    ] = None,
    base: Annotated[
        int | None,
        typer.Option(min=1, help="Channels of the network's finest level.  [default: 16]"),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[+NAME...]",
            help="region, cross-entropy, weighted-cross-entropy, dice, focal, tversky, boundary, "
            "nesting, size, smooth, or a sum such as dice+0.1*smooth.  [default: the preset's]",
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="INIT",
            help="Begin with kaiming, normal, cmft (for cmff), distil (from CMFT, any network), or "
            "a model's weights, such as simulated.",
        ),
    ] = None,
    cmft: Annotated[
        str, typer.Option(metavar="NAME", help="The CMFT run for --init cmft or distil.")
    ] = DEFAULT_CMFT_RUN,
    stage: Annotated[
        Stage, typer.Option(help="cmft: feature transition, without labels, before cmff.")
    ] = Stage.SEGMENT,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the run and of its model.  [default: run; cmft for that stage]"),
    ] = None,
    steps: Steps = None,
    minutes: Minutes = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=0, help="Highest learning rate of the run.  [default: the preset's]"),
    ] = None,
    seed: Seed = 0,
    hold_out: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the cases kept to judge by.")
    ] = 0.0,
    validate: Annotated[
        int,
        typer.Option(
            min=0,
            help="Keep the weights best on this many cases: differently simulated heads, or cases "
            "held out where there is no --anatomy.",
        ),
    ] = 0,
    validate_every: Annotated[
        int,
        typer.Option(
            min=0,
            help="Steps between two such looks.  [default: one look, at the end]",
            show_default=False,
        ),
    ] = 0,
    background: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="A real scan without tumour to paint simulated tumours into; repeatable.",
            exists=True,
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    augment: Annotated[bool, typer.Option(help="Vary the cases of --data.")] = True,
    device: Annotated[Device, typer.Option(help="Where the training runs.")] = Device.AUTO,
    devices: Annotated[int, typer.Option(min=1, help="How many graphics cards.")] = 1,
    resume: Resume = False,
    out: Out = None,
) -> None:
    """Train a model; an interrupted run is resumed exactly."""
    if anatomy is None and data is None:
        raise typer.BadParameter("name a folder", param_hint="--anatomy or --data")
    name = name or (DEFAULT_CMFT_RUN if stage is Stage.CMFT else "run")
    checked_name(name)
    checked_name(cmft)
    from ..training.memory import hold_memory

    hold_memory()
    if stage is Stage.CMFT:
        _train_cmft(
            anatomy=anatomy, data=data, name=name, preset=preset, steps=steps, minutes=minutes,
            seed=seed, device=device, resume=resume,
        )  # fmt: skip
        return
    from ..models import user_models_folder
    from ..training.devices import is_first_process
    from ..training.finish import export_trained
    from ..training.loop import train as run
    from ..training.options import runs_folder
    from ..training.presets import options_with

    options = options_with(
        preset,
        anatomy=anatomy,
        data=data,
        encoding=encoding,
        network=network,
        base=base,
        loss=loss,
        init=init,
        cmft=runs_folder() / cmft if init in ("cmft", "distil") else None,
        name=name,
        steps=steps,
        minutes=minutes,
        learning_rate=learning_rate,
        seed=seed,
        hold_out=hold_out,
        validate=validate,
        validate_every=validate_every,
        backgrounds=tuple(background or ()),
        augment=augment,
        device=device.value,
        devices=devices,
        resume=resume,
        replay=REPLAY_SHARE if anatomy and data else 0.0,
    )
    with quiet_stdout():
        checkpoint = run(options, reporter(options.steps), say)
        if not is_first_process():
            return
        card = export_trained(checkpoint, options, out or user_models_folder() / name)
    typer.echo(f"{card.parent} holds the model: napari-mmseg segment CASE --model {card.parent}")


def _train_cmft(*, steps: int | None, device: Device, minutes: float | None, **chosen: Any) -> None:
    """The CMFT stage: generators between the pairs of contrasts, from cases without labels."""
    if chosen["data"] is None:
        _check_anatomy(chosen["anatomy"])
    from ..training.cmft import CmftOptions, train_cmft

    options = CmftOptions(minutes=minutes, device=_one_device(device), **chosen)
    if steps is not None:
        options = replace(options, steps=steps)
    with quiet_stdout():
        train_cmft(options, reporter(options.steps), say)
    typer.echo(
        f"the run {options.name} holds the generators: napari-mmseg train --network cmff "
        f"--init cmft --cmft {options.name}"
    )


def _check_anatomy(folder: Path) -> None:
    """Refuse a folder without label maps, as the segmentation stage does itself.

    Raises
    ------
    InputError
        When it holds none.
    """
    from ..training.simulate.anatomy import anatomy_files

    try:
        anatomy_files(folder)
    except OSError as error:
        raise InputError(
            f'the folder "{folder.name}" holds no anatomical label map (.nii.gz): name one that '
            "does with --anatomy"
        ) from error


def _one_device(device: Device) -> str:
    """The device by torch's name; auto is a graphics card where there is one."""
    import torch

    if device is not Device.AUTO:
        return device.value
    return "cuda" if torch.cuda.is_available() else "cpu"


def checked_name(name: str) -> None:
    """Refuse a run's name that would be a path.

    Raises
    ------
    InputError
        When it is one.
    """
    if Path(name).name != name or name.startswith("."):
        raise InputError(f"{name!r} cannot name a run: use letters, digits and hyphens")


def say(sentence: str) -> None:
    """A sentence of the training on stderr."""
    typer.echo(sentence, err=True)


def reporter(steps: int) -> Callable[[dict[str, Any]], None]:
    """A line on stderr now and then: the step and its losses."""
    due = time.monotonic()

    def report(line: dict[str, Any]) -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        due = time.monotonic() + REPORT_EVERY_S
        losses = ", ".join(f"{k} {v:.3f}" for k, v in line.items() if k not in NOT_LOSSES)
        typer.echo(f"step {line['step']} of {steps}, {losses}, {line['minutes']:.1f} min", err=True)

    return report
