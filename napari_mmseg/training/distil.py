"""Knowledge distillation: a network of any build learns to feel what the CMFT generators feel.

The founding paper copies the generators' weights into branches of the same build and names
distillation as future work. Here the student's features, through 1^3 convolutions that are thrown
away afterwards, are taught to equal the generators' last two decoder levels (Romero et al.,
FitNets, ICLR 2015), on unlabelled volumes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_mmseg.errors import InputError, ModelError
from napari_mmseg.models.networks import RegionNetwork
from napari_mmseg.models.networks.cmft import Transition, load_transition, split_pairs
from napari_mmseg.models.networks.decision import DecisionFusion
from napari_mmseg.training.cmft import GENERATORS
from napari_mmseg.training.cmft_source import Source, from_cases, simulated
from napari_mmseg.training.datasets import FOLDER, stored_cases
from napari_mmseg.training.options import TrainOptions

LEARNING_RATE = 1e-3
BEGINNING_STEPS = 500  # before a run begins: a small share of a training's
_TAUGHT_LAYERS = 2

Progress = Callable[[dict[str, float]], None]


class Distiller(nn.Module):
    """The distance between a student's features and those of the frozen generators.

    `layers` are the student's modules that are taught (default: its last two features, those of
    each modality's network for decision-level fusion); all of them together, brought to the size
    of a teacher's features and through its adapter, are compared with it.
    """

    def __init__(
        self, transition: Transition, student: RegionNetwork, layers: Sequence[str] | None = None
    ) -> None:
        super().__init__()
        self.teacher = deepcopy(transition).eval().requires_grad_(False)
        self.student = student
        self.layers = tuple(layers or _last_features(student))
        self.adapters = nn.ModuleList()
        side = 2 * max(student.stride, transition.stride)
        probe = torch.zeros(1, student.inputs, side, side, side)
        training = student.training
        with torch.no_grad():
            given = sum(
                features.shape[1] for features in self._student_features(probe.to(_on(student)))
            )
            for features in self._teacher_features(probe.to(_on(transition))):
                self.adapters.append(nn.Conv3d(given, features.shape[1], 1))
        student.train(training)
        self.adapters.to(_on(student))

    def forward(self, volumes: Tensor) -> Tensor:
        """The mean squared distance over both generators' last two levels, a scalar."""
        with torch.no_grad():
            wanted = self._teacher_features(volumes)
        given = self._student_features(volumes)
        distances = []
        for adapter, target in zip(self.adapters, wanted, strict=True):
            sized = [_sized(features, target) for features in given]
            distances.append(
                functional.mse_loss(adapter(torch.cat(sized, 1)).float(), target.float())
            )
        return torch.stack(distances).mean()

    def learning(self) -> list[nn.Parameter]:
        """What is trained: the student and the adapters, not the teacher."""
        return [*self.student.parameters(), *self.adapters.parameters()]

    def _teacher_features(self, volumes: Tensor) -> list[Tensor]:
        first, second = split_pairs(volumes)
        return [*self.teacher.forth.features(first), *self.teacher.back.features(second)]

    def _student_features(self, volumes: Tensor) -> list[Tensor]:
        with listening(self.student, self.layers) as heard:
            self.student(volumes)
        return [heard[name] for name in self.layers]


def distil(
    transition: Transition,
    student: RegionNetwork,
    volumes: Source,
    steps: int,
    learning_rate: float = LEARNING_RATE,
    bf16: bool = True,
    report: Progress | None = None,
) -> None:
    """Teach `student` for `steps` steps; its weights change, its last layer's do not.

    `volumes` gives those of a step (N, 4, I, P, L), all four contrasts; sides multiples of both
    networks' strides.
    """
    distiller = Distiller(transition, student)
    device = _on(student)
    optimiser = torch.optim.Adam(distiller.learning(), lr=learning_rate)
    for step in range(steps):
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss = distiller(volumes(step).to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if report is not None:
            report({"step": step + 1, "loss": float(loss.detach())})


def begin_by_distilling(network: RegionNetwork, options: TrainOptions) -> None:
    """Teach `network`, before its run begins, the generators of the run's CMFT folder.

    On simulated cases where the run has label maps, else on its training cases (prepared already)
    that have all four contrasts; never on those that are held out.

    Raises
    ------
    InputError
        When the options name no CMFT run, or no case has all four contrasts.
    ModelError
        When the CMFT run has no generators.
    """
    if options.cmft is None:
        raise InputError(
            "distillation needs the folder of a CMFT run: train one first "
            "(napari-mmseg train --stage cmft), or take --init kaiming"
        )
    transition = load_transition(options.cmft / GENERATORS)
    if options.anatomy is None and options.data is not None:
        volumes = from_cases(stored_cases(options.folder / FOLDER), options.patch, options.seed)
    else:
        volumes = simulated(options.anatomy, options.patch, options.seed)
    distil(transition, network, volumes, BEGINNING_STEPS)


@contextmanager
def listening(network: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """The outputs of the named modules of whatever runs inside, by name."""
    heard: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        return lambda _, __, output: heard.update({name: output})

    hooks = [network.get_submodule(name).register_forward_hook(keep(name)) for name in layers]
    try:
        yield heard
    finally:
        for hook in hooks:
            hook.remove()


def _last_features(student: RegionNetwork) -> tuple[str, ...]:
    each = student.inputs if isinstance(student, DecisionFusion) else 1
    layers = student.feature_layers[-_TAUGHT_LAYERS * each :]
    if not layers:
        raise ModelError(f"the network {student.kind} names no features that it could be taught")
    return layers


def _sized(features: Tensor, target: Tensor) -> Tensor:
    if features.shape[2:] == target.shape[2:]:
        return features
    return functional.interpolate(features, size=target.shape[2:], mode="trilinear")


def _on(network: nn.Module) -> torch.device:
    return next(network.parameters()).device
