"""Training: batches in, weights out; stopped at any moment, it resumes exactly."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_mmseg.errors import InputError, ModelError
from napari_mmseg.inference.torch import load_network
from napari_mmseg.models import load_card
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

    Raises
    ------
    InputError
        When a run of that name is there and is not to be resumed.
    ModelError
        When the model to begin with is missing, damaged or of another size.
    """
    path = options.folder / CHECKPOINT
    if path.exists() and not options.resume:
        raise InputError(
            f"the run {options.name} is there already: go on with it (--resume), "
            "or give the new run another --name"
        )
    torch.manual_seed(options.seed)
    network = UNet3d(base=options.base, levels=options.levels)
    if options.init is not None:
        begin_with(options.init, network)
    options.folder.mkdir(parents=True, exist_ok=True)
    stepper = Stepper(network, options)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    first, spent = 0, 0.0
    if options.resume and path.exists():
        state = load_checkpoint(path)
        network.load_state_dict(state["network"])
        stepper.optimiser.load_state_dict(state["optimiser"])
        average = state["ema"]
        first, spent = state["step"], state["seconds"]
    started = saved = time.monotonic()
    step = first

    def save() -> None:
        state = {
            "network": network.state_dict(),
            "optimiser": stepper.optimiser.state_dict(),
            "ema": average,
            "step": step,
            "seconds": spent + time.monotonic() - started,
            "options": json.dumps(asdict(options), default=str),
        }
        save_checkpoint(path, state)

    with (options.folder / LOG).open("a", encoding="utf-8") as log:
        for step, (images, depths) in stream(options, first):
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


class Stepper:
    """One optimisation step at a time, each crop of a batch in a thread of its own.

    On a processor that others use too, threads that meet once a step lose far less time than
    threads that meet in every layer (5 s instead of 9 s a step beside one busy process, 2 cores).
    """

    def __init__(self, network: nn.Module, options: TrainOptions) -> None:
        torch.set_num_threads(1)
        network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self.parameters = list(network.parameters())
        self.optimiser = torch.optim.AdamW(
            self.parameters, lr=options.learning_rate, weight_decay=options.weight_decay
        )
        compiled = options.compile and shutil.which("g++") is not None
        self._network: Forward = torch.compile(network, dynamic=False) if compiled else network
        self._compiled_shapes: set[torch.Size] | None = set() if compiled else None
        self._threads = ThreadPoolExecutor(
            options.crops,
            thread_name_prefix="crop",
            initializer=torch.set_num_threads,
            initargs=(1,),
        )

    def step(self, images: Tensor, depths: Tensor, rate: float) -> float:
        """Forward in bfloat16, loss over the whole batch, backward, update; the loss before it.

        The sum of two crops' gradients does not depend on their order, so a run repeats exactly
        with up to two crops.
        """
        crops = images.split(1)
        logits = self._each(self._forward, crops, images.shape)
        joined = torch.cat([part.detach() for part in logits]).float().requires_grad_()
        loss = region_loss(joined, depths)
        loss.backward()
        assert joined.grad is not None
        self.optimiser.zero_grad()
        gradients = [g.to(part.dtype) for g, part in zip(joined.grad.split(1), logits, strict=True)]
        pairs = list(zip(logits, gradients, strict=True))
        self._each(lambda pair: pair[0].backward(pair[1]), pairs, images.shape)
        if self._compiled_shapes is not None:
            self._compiled_shapes.add(images.shape)
        nn.utils.clip_grad_norm_(self.parameters, GRADIENT_LIMIT)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        return float(loss.detach())

    def _forward(self, crop: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return self._network(crop.contiguous(memory_format=torch.channels_last_3d))

    def _each(
        self, work: Callable[[Any], Any], items: Sequence[Any], shape: torch.Size
    ) -> list[Any]:
        # The compiler is not made for two threads: a shape's first step runs in this one.
        if self._compiled_shapes is not None and shape not in self._compiled_shapes:
            return [work(item) for item in items]
        return list(self._threads.map(work, items))


def begin_with(model: str, network: UNet3d) -> None:
    """Copy the weights of a model (name or folder) into `network`."""
    card = load_card(model)
    weights = load_network(card).state_dict()
    shapes = {name: value.shape for name, value in weights.items()}
    if shapes != {name: value.shape for name, value in network.state_dict().items()}:
        raise ModelError(
            f"the model {card.name} is a network of another size than the run's: "
            "begin with another model"
        )
    network.load_state_dict(weights)


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
