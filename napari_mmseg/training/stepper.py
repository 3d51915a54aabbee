"""One optimisation step on the processor: the fastest way found on few cores."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor, nn

from napari_mmseg.cores import usable_cores
from napari_mmseg.errors import ModelError
from napari_mmseg.models.networks.region import RegionNetwork
from napari_mmseg.training.losses import mean_over_heads, named_loss
from napari_mmseg.training.options import ALL, TrainOptions
from napari_mmseg.training.precision import resolve

GRADIENT_LIMIT = 5.0

_NORMALISATIONS = (nn.InstanceNorm3d, nn.BatchNorm3d, nn.GroupNorm)

#: Networks whose compiled steps were compared with plain ones and gave the same losses (torch
#: 2.13, CPU, bf16; `cmff-single` is the code of `cmff`). Compiled, `deeplab` got gradients of zero
#: and `segresnet` failed to run; `deeplab-unet` and `dynunet` were not tried.
COMPILED_KINDS = frozenset(
    {"unet", "unet-patch", "cmff", "cmff-single", "layer", "decision", "decision-learned"}
)

Heads = Callable[[Tensor], tuple[Tensor, ...]]


def learnt(network: nn.Module, options: TrainOptions) -> list[nn.Parameter]:
    """The weights that a run changes; all others are frozen, in place.

    `scales`: of the normalisation layers alone, some thousands among millions. They weigh what a
    network has learnt to see anew and cannot teach it to see anything else, so they need few cases
    (Frankle J et al., ICLR 2021).

    Raises
    ------
    ModelError
        When the network's normalisation layers have no weights.
    """
    if options.learn == ALL:
        return list(network.parameters())
    scales = [
        weight
        for layer in network.modules()
        if isinstance(layer, _NORMALISATIONS)
        for weight in layer.parameters(recurse=False)
    ]
    if not scales:
        raise ModelError(
            f"the network {options.network} has normalisation layers without weights: let the run "
            f"learn {ALL}"
        )
    network.requires_grad_(False)
    for weight in scales:
        weight.requires_grad_(True)
    return scales


def optimiser_for(network: nn.Module, options: TrainOptions) -> torch.optim.Optimizer:
    """Adam or AdamW over the weights that are learnt, as the options say."""
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[options.optimiser]
    return kind(
        learnt(network, options), lr=options.learning_rate, weight_decay=options.weight_decay
    )


def may_compile(options: TrainOptions) -> bool:
    """Is the network to be compiled: asked for, known to come out right, and a compiler there?"""
    wanted = options.compile and options.network in COMPILED_KINDS
    return wanted and shutil.which("g++") is not None


class Stepper:
    """One optimisation step at a time, each crop of a batch in a thread of its own.

    On a processor that others use too, threads that meet once a step lose far less time than
    threads that meet in every layer (5 s instead of 9 s a step beside one busy process, 2 cores).
    Where there are more cores than crops, a crop's layers share what is left over.
    """

    def __init__(self, network: RegionNetwork, options: TrainOptions) -> None:
        self._threads_each = max(1, usable_cores() // options.crops)
        torch.set_num_threads(self._threads_each)
        self._bf16 = resolve(options.precision) == "bf16"
        network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self.optimiser = optimiser_for(network, options)
        self.parameters = [w for group in self.optimiser.param_groups for w in group["params"]]
        self._loss = named_loss(options.loss)
        compiled = may_compile(options)
        self._heads = _heads_of(network, compiled)
        self._compiled_shapes: set[torch.Size] | None = set() if compiled else None
        self._threads = ThreadPoolExecutor(
            options.crops,
            thread_name_prefix="crop",
            initializer=torch.set_num_threads,  # a setting of each thread's own
            initargs=(self._threads_each,),
        )

    def step(self, images: Tensor, depths: Tensor, rate: float) -> float:
        """Forward, loss over the whole batch, backward, update; the loss before it.

        The sum of two crops' gradients does not depend on their order, so a run repeats exactly
        with up to two crops.
        """
        outputs = self._each(self._forward, images.split(1), images.shape)
        joined = tuple(
            torch.cat([part.detach() for part in head]).float().requires_grad_()
            for head in zip(*outputs, strict=True)
        )
        loss = mean_over_heads(self._loss, joined, depths)
        loss.backward()
        self.optimiser.zero_grad()
        gradients = zip(*(_split(head) for head in joined), strict=True)
        pairs = [
            (heads, tuple(g.to(part.dtype) for g, part in zip(given, heads, strict=True)))
            for heads, given in zip(outputs, gradients, strict=True)
        ]
        self._each(lambda pair: torch.autograd.backward(*pair), pairs, images.shape)
        if self._compiled_shapes is not None:
            self._compiled_shapes.add(images.shape)
        nn.utils.clip_grad_norm_(self.parameters, GRADIENT_LIMIT)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        return float(loss.detach())

    def _forward(self, crop: Tensor) -> tuple[Tensor, ...]:
        # The cache of cast weights is shared by all threads and locks up when one clears it while
        # another, holding the interpreter, waits for it; here each weight is cast once anyway.
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16, cache_enabled=False):
            return self._heads(crop.contiguous(memory_format=torch.channels_last_3d))

    def _each(
        self, work: Callable[[Any], Any], items: Sequence[Any], shape: torch.Size
    ) -> list[Any]:
        # The compiler is not made for two threads: a shape's first step runs in this one.
        if self._compiled_shapes is not None and shape not in self._compiled_shapes:
            return [work(item) for item in items]
        return list(self._threads.map(work, items))


def _heads_of(network: RegionNetwork, compiled: bool) -> Heads:
    """All outputs of the network; a network with one is compiled as a whole."""
    if type(network).heads is not RegionNetwork.heads:
        heads: Heads = torch.compile(network.heads, dynamic=False) if compiled else network.heads
        return heads
    forward = torch.compile(network, dynamic=False) if compiled else network
    return lambda volumes: (forward(volumes),)


def _split(head: Tensor) -> tuple[Tensor, ...]:
    assert head.grad is not None
    return head.grad.split(1)
