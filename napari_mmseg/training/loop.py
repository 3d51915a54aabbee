"""Training: batches in, weights out; stopped at any moment, it resumes exactly."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_mmseg.errors import InputError
from napari_mmseg.models.networks import build
from napari_mmseg.training.batches import stream
from napari_mmseg.training.checkpoint import load_checkpoint, save_checkpoint
from napari_mmseg.training.choice import Choice
from napari_mmseg.training.datasets import Tell, collect
from napari_mmseg.training.devices import Processor, open_devices
from napari_mmseg.training.initial import begin
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.plot import PAGE, write_page
from napari_mmseg.training.precision import resolve
from napari_mmseg.training.simulate.anatomy import anatomy_files

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
WARM_UP_STEPS = 40
POWER = 0.9  # of the polynomial decay of the learning rate
EMA_WARM_UP = 10.0

_OLDEST = {"network": "unet", "optimiser": "adamw"}

Progress = Callable[[dict[str, float]], None]


def learning_rate(step: int, options: TrainOptions) -> float:
    """Linear warm-up, then polynomial decay to zero at the last step; or the same throughout."""
    if options.schedule == "constant":
        return options.learning_rate
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return options.learning_rate * warm * (1 - step / options.steps) ** POWER


def train(options: TrainOptions, report: Progress | None = None, tell: Tell | None = None) -> Path:
    """Train until `steps` are done or `minutes` have passed; returns the checkpoint's path.

    With `resume` it goes on from the checkpoint in the run's folder, if there is one, and gives
    the weights the uninterrupted run would have given. Beside the checkpoint lie the log and a
    page with the loss drawn. `tell` gets sentences about the cases that are learnt from.

    Raises
    ------
    InputError
        When a run of that name is there and is not to be resumed, or its cases cannot be used.
    ModelError
        When the network cannot be made so, the model to begin with is missing, damaged or of
        another size, or the devices are not there.
    """
    path = options.folder / CHECKPOINT
    if path.exists() and not options.resume:
        raise InputError(
            f"the run {options.name} is there already: go on with it (--resume), "
            "or give the new run another --name"
        )
    if options.anatomy is not None:
        _refuse_without_maps(options.anatomy)
    devices = open_devices(options)
    begun = load_checkpoint(path) if path.exists() else None
    options = replace(options, precision=_precision(options, begun))
    torch.manual_seed(options.seed)
    network = build(options.network, options.inputs, options.outputs, options.base, options.levels)
    if options.data is not None:
        if devices.rank == 0:
            collect(options, tell)
        devices.wait()
    if begun is None:
        begin(network, options)
    options.folder.mkdir(parents=True, exist_ok=True)
    stepper = devices.stepper(network, options)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    first, spent = 0, 0.0
    if begun is not None:
        _refuse_other(begun, options)
        network.load_state_dict(begun["network"])
        stepper.optimiser.load_state_dict(begun["optimiser"])
        average = {name: value.to(average[name].device) for name, value in begun["ema"].items()}
        first, spent = begun["step"], begun["seconds"]
    choice = Choice(options, network) if options.validate and devices.rank == 0 else None
    started = saved = time.monotonic()
    step = first
    every = options.validate_every or options.steps

    def save() -> None:
        if devices.rank != 0:
            return
        state = {
            "network": network.state_dict(),
            "optimiser": stepper.optimiser.state_dict(),
            "ema": average,
            "step": step,
            "seconds": spent + time.monotonic() - started,
            "options": json.dumps(asdict(options), default=str),
        }
        save_checkpoint(path, state)
        write_page(options.folder / LOG, options.folder / PAGE, options.name, options.steps)

    with _log_of(options, devices).open("a", encoding="utf-8") as log:
        for step, (images, depths) in stream(devices.batches_of(options), first):
            before = time.monotonic()
            loss = stepper.step(images, depths, learning_rate(step, options))
            update_average(average, network, step, options.ema)
            now = time.monotonic()
            step += 1
            line = {
                "step": step,
                "loss": round(loss, 5),
                "lr": learning_rate(step - 1, options),
                "step_seconds": round(now - before, 3),
                "minutes": round((now - started) / 60, 2),
            }
            last = step == options.steps
            if options.minutes is not None and not last:
                last = devices.agree(now - started > options.minutes * 60)
            if choice is not None and (last or step % every == 0):
                line["validation"] = round(choice.consider(step, average), 4)
            log.write(json.dumps(line) + "\n")
            log.flush()
            if report is not None and devices.rank == 0:
                report(line)
            if last:
                break
            if now - saved > options.checkpoint_seconds:
                save()
                saved = now
    save()
    devices.wait()
    return path


def _precision(options: TrainOptions, begun: dict[str, Any] | None) -> str:
    """A run goes on in the precision it was begun in, also where another is faster."""
    if begun is not None and options.precision == "auto":
        # Runs from before there was a choice were in bfloat16.
        return str(json.loads(begun["options"]).get("precision", "bf16"))
    return resolve(options.precision)


def _refuse_without_maps(folder: Path) -> None:
    """Refuse a folder without label maps now, not minutes later in the process that reads them."""
    try:
        anatomy_files(folder)
    except OSError as error:
        raise InputError(
            f'the folder "{folder.name}" holds no anatomical label map (.nii.gz): name one that '
            "does with --anatomy"
        ) from error


def _refuse_other(state: dict[str, Any], options: TrainOptions) -> None:
    begun = json.loads(state["options"])
    for name, value in (("network", options.network), ("base", options.base),
                        ("levels", options.levels), ("optimiser", options.optimiser)):  # fmt: skip
        # Runs from before there was a choice do not name it.
        if begun.get(name, _OLDEST.get(name)) != value:
            raise InputError(
                f"the run {options.name} was begun with the {name} {begun.get(name)}: go on with "
                "the same, or give the new run another --name"
            )


def _log_of(options: TrainOptions, devices: Processor) -> Path:
    """The run's log; processes but the first write none."""
    return options.folder / LOG if devices.rank == 0 else Path(os.devnull)


def update_average(average: dict[str, Tensor], network: nn.Module, step: int, decay: float) -> None:
    """Exponential moving average of the weights, faster at the start."""
    keep = min(decay, (1 + step) / (EMA_WARM_UP + step))
    for name, value in network.state_dict().items():
        average[name].lerp_(value, 1 - keep)


__all__ = ["CHECKPOINT", "LOG", "Progress", "learning_rate", "load_checkpoint", "save_checkpoint",
           "train", "update_average"]  # fmt: skip
