"""Training: batches in, weights out; stopped at any moment, it resumes exactly."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_mmseg.models.networks.unet import UNet3d
from napari_mmseg.training.batches import stream
from napari_mmseg.training.losses import region_loss
from napari_mmseg.training.options import TrainOptions

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
GRADIENT_LIMIT = 5.0
WARM_UP_STEPS = 40
POWER = 0.9  # of the polynomial decay of the learning rate
EMA_WARM_UP = 10.0

Forward = Callable[[Tensor], Tensor]
Progress = Callable[[dict[str, float]], None]


def learning_rate(step: int, options: TrainOptions) -> float:
    """Linear warm-up, then polynomial decay to zero at the last step."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return options.learning_rate * warm * (1 - step / options.steps) ** POWER


def train(options: TrainOptions, report: Progress | None = None) -> Path:
    """Train until `steps` are done or `minutes` have passed; returns the checkpoint's path.

    With `resume` it goes on from the checkpoint in the run's folder, if there is one, and gives
    the weights the uninterrupted run would have given.
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.folder.mkdir(parents=True, exist_ok=True)
    network = UNet3d(base=options.base, levels=options.levels)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
    )
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    first, spent = 0, 0.0
    path = options.folder / CHECKPOINT
    if options.resume and path.exists():
        state = load_checkpoint(path)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average = state["ema"]
        first, spent = state["step"], state["seconds"]
    network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    forward: Forward = network
    if options.compile and shutil.which("g++"):
        forward = torch.compile(network, dynamic=False)
    started = saved = time.monotonic()
    step = first

    def save() -> None:
        save_checkpoint(path, {
            "network": network.state_dict(), "optimiser": optimiser.state_dict(), "ema": average,
            "step": step, "seconds": spent + time.monotonic() - started,
            "options": json.dumps(asdict(options), default=str),
        })  # fmt: skip

    with (options.folder / LOG).open("a", encoding="utf-8") as log:
        for step, (images, depths) in stream(options, first):
            before = time.monotonic()
            loss = train_step(forward, optimiser, images, depths, learning_rate(step, options))
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
            log.write(json.dumps(line) + "\n")
            log.flush()
            if report is not None:
                report(line)
            if options.minutes is not None and now - started > options.minutes * 60:
                break
            if now - saved > options.checkpoint_seconds:
                save()
                saved = now
    save()
    return path


def train_step(
    forward: Forward,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    depths: Tensor,
    rate: float,
) -> float:
    """One step in bfloat16 autocast; the loss before it."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    with torch.autocast("cpu", torch.bfloat16):
        logits = forward(images.contiguous(memory_format=torch.channels_last_3d))
    loss = region_loss(logits, depths)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], GRADIENT_LIMIT)
    optimiser.step()
    return float(loss.detach())


def update_average(average: dict[str, Tensor], network: nn.Module, step: int, decay: float) -> None:
    """Exponential moving average of the weights, faster at the start."""
    keep = min(decay, (1 + step) / (EMA_WARM_UP + step))
    for name, value in network.state_dict().items():
        average[name].lerp_(value, 1 - keep)


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write beside, then rename: a run killed while saving leaves the old checkpoint whole."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of `train`; tensors and plain values only, nothing is unpickled."""
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state
