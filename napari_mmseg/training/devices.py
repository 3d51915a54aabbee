"""Where a training runs: this processor, one graphics card, or many under `torchrun`.

The processor's way is `Stepper`, whose steps repeat exactly; everything else goes through
Lightning Fabric (`pip install napari-mmseg[train]`), which spreads a network over cards and
machines. With several processes each draws its own batches, gradients are averaged over all of
them, and only the first writes files.

Checked: Fabric with one process on a processor, against the plain way (in the tests), and two
processes on one under `torchrun` (by hand). Not checked for want of the machines: graphics cards,
several machines.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from napari_mmseg.errors import ModelError
from napari_mmseg.models.networks.region import RegionNetwork
from napari_mmseg.training.losses import mean_over_heads, named_loss
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.stepper import GRADIENT_LIMIT, Stepper, optimiser_for

#: Between the seeds of two processes' batches: no run's seed and its neighbour's meet.
SEEDS_APART = 1_000_003


#: How torchrun and Fabric number a run's processes, machines included.
RANK_VARIABLES = ("RANK", "LOCAL_RANK", "NODE_RANK")


def is_first_process() -> bool:
    """Is this the process that writes files? True where there is only one."""
    return all(os.environ.get(name, "0") == "0" for name in RANK_VARIABLES)


class Steps(Protocol):
    """What the loop asks of a stepper."""

    optimiser: torch.optim.Optimizer

    def step(self, images: Tensor, depths: Tensor, rate: float) -> float: ...


class Processor:
    """One process on the processor."""

    rank = 0

    def stepper(self, network: RegionNetwork, options: TrainOptions) -> Steps:
        return Stepper(network, options)

    def wait(self) -> None:
        """Until all processes have come here."""

    def agree(self, decision: bool) -> bool:
        """The first process's decision, for all."""
        return decision

    def batches_of(self, options: TrainOptions) -> TrainOptions:
        """The options by which this process draws its batches."""
        return replace(options, seed=options.seed + SEEDS_APART * self.rank)


class Cards(Processor):
    """Graphics cards, or several processes on processors, through Lightning Fabric.

    Raises
    ------
    ModelError
        When Fabric is not installed, or there are no such devices.
    """

    def __init__(self, accelerator: str, devices: int) -> None:
        try:
            from lightning_fabric import Fabric
        except ImportError as error:
            raise ModelError(
                "training on a graphics card or in several processes needs Lightning Fabric: pip "
                "install 'napari-mmseg[train]', or train with --device cpu"
            ) from error
        try:
            self.fabric: Any = Fabric(
                accelerator=accelerator, devices=devices, precision="bf16-mixed"
            )
        except Exception as error:  # Fabric has no common error for devices that are not there
            if not _is_fabrics(error):
                raise
            raise ModelError(
                f"{devices} devices of the kind {accelerator} cannot be used: {error}"
            ) from error
        self.fabric.launch()
        self.rank = int(self.fabric.global_rank)

    def stepper(self, network: RegionNetwork, options: TrainOptions) -> Steps:
        return _FabricStepper(self.fabric, network, options)

    def wait(self) -> None:
        self.fabric.barrier()

    def agree(self, decision: bool) -> bool:
        return bool(self.fabric.broadcast(decision))


def open_devices(options: TrainOptions) -> Processor:
    """Where `options` say that the training runs; auto takes a graphics card if there is one."""
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and options.devices == 1:
        return Processor()
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError(
            "there is no CUDA graphics card here that torch can use: train with --device cpu"
        )
    return Cards(device, options.devices)


class _FabricStepper:
    """A step through Fabric: the whole batch at once, in mixed precision."""

    def __init__(self, fabric: Any, network: RegionNetwork, options: TrainOptions) -> None:
        self.optimiser = optimiser_for(network, options)
        self._fabric = fabric
        self._loss = named_loss(options.loss)
        self._module, self._driven = fabric.setup(_AllHeads(network), self.optimiser)

    def step(self, images: Tensor, depths: Tensor, rate: float) -> float:
        images, depths = self._fabric.to_device((images, depths))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = mean_over_heads(self._loss, self._module(images), depths)
        self._driven.zero_grad()
        self._fabric.backward(loss)
        self._fabric.clip_gradients(self._module, self._driven, max_norm=GRADIENT_LIMIT)
        self._driven.step()
        return float(loss.detach())


class _AllHeads(nn.Module):
    """The network with all its outputs as `forward`: the one call that processes share."""

    def __init__(self, network: RegionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, volumes: Tensor) -> tuple[Tensor, ...]:
        return self.network.heads(volumes)


def _is_fabrics(error: Exception) -> bool:
    return type(error).__module__.startswith("lightning_fabric") or isinstance(
        error, ValueError | RuntimeError
    )
