"""The CMFT stage: from unlabelled cases to generators; stopped at any moment, it resumes exactly.

A run's folder holds `checkpoint.pt` (to go on), `generators.safetensors` (to begin a segmentation
network with, or to show a missing contrast) and `log.jsonl`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from napari_mmseg.errors import InputError
from napari_mmseg.models.networks.cmft import SMALLEST_SIDE, save_transition
from napari_mmseg.training.cmft_source import Source, Tell, from_folder, simulated
from napari_mmseg.training.cmft_step import LEARNING_RATE, Cycle
from napari_mmseg.training.loop import CHECKPOINT, LOG, load_checkpoint, save_checkpoint
from napari_mmseg.training.options import runs_folder
from napari_mmseg.training.presets import preset_named
from napari_mmseg.training.simulate.chance import Chance, Shape

GENERATORS = "generators.safetensors"
_STREAM = 42

Progress = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class CmftOptions:
    """A run is fixed by what it learns from, `seed` and the network; the defaults are the paper's.

    anatomy: folder of label maps to simulate cases from; None (and no `data`): procedural heads.
    data: folder of cases with all four contrasts, labels not needed; it goes before `anatomy`.
    preset: how the cases of `data` are prepared. steps, minutes: stop after so many steps, or
    before. crop: voxels of a crop (I, P, L), each a multiple of 2^(levels - 1) and at least 32.
    bf16: run the networks in bfloat16 (the paper: fp32).
    """

    anatomy: Path | None = None
    data: Path | None = None
    name: str = "cmft"
    out: Path = field(default_factory=runs_folder)
    preset: str = "default"
    steps: int = 10_000
    minutes: float | None = None
    seed: int = 0
    base: int = 16
    levels: int = 5
    crop: Shape = (128, 128, 128)
    learning_rate: float = LEARNING_RATE
    checkpoint_seconds: float = 120.0
    bf16: bool = True
    device: str = "cpu"
    resume: bool = False

    @property
    def folder(self) -> Path:
        return self.out / self.name


def train_cmft(
    options: CmftOptions,
    report: Progress | None = None,
    tell: Tell | None = None,
    source: Source | None = None,
) -> Path:
    """Train the generators until `steps` are done or `minutes` have passed; returns the folder.

    `report` gets the losses of each step, `tell` a sentence for each case that is left out.
    `source` gives the volumes of a step instead of what the options name. With `resume` the run
    goes on from its checkpoint, if there is one, and ends with the weights it would have had.

    Raises
    ------
    InputError
        When a run of that name is there and is not to be resumed, was begun otherwise, or its
        cases cannot be used.
    """
    _check_fits(options)
    path = options.folder / CHECKPOINT
    if path.exists() and not options.resume:
        raise InputError(
            f"the run {options.name} is there already: go on with it (--resume), "
            "or give the new run another --name"
        )
    volumes = source or _source(options, tell)
    torch.manual_seed(options.seed)
    preset = preset_named(options.preset)
    cycle = Cycle(
        options.base,
        options.levels,
        options.learning_rate,
        options.bf16,
        options.device,
        preset.normalisation,
        preset.resize,
    )
    step, spent = 0, 0.0
    if path.exists():
        state = load_checkpoint(path)
        _check_same(state, options)
        cycle.load(state["cycle"])
        step, spent = state["step"], state["seconds"]
    options.folder.mkdir(parents=True, exist_ok=True)
    started = saved = time.monotonic()

    def save() -> None:
        state = {
            "cycle": cycle.state(),
            "step": step,
            "seconds": spent + time.monotonic() - started,
            "options": json.dumps(asdict(options), default=str),
        }
        save_checkpoint(path, state)
        save_transition(cycle.transition, options.folder / GENERATORS)

    with (options.folder / LOG).open("a", encoding="utf-8") as log:
        while step < options.steps:
            before = time.monotonic()
            losses = cycle.step(volumes(step), Chance(options.seed, _STREAM, step))
            now = time.monotonic()
            step += 1
            line = {
                "step": step,
                **{name: round(value, 5) for name, value in losses.items()},
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
    return options.folder


def _source(options: CmftOptions, tell: Tell | None) -> Source:
    if options.data is not None:
        return from_folder(options.data, options.crop, options.seed, options.preset, tell)
    return simulated(options.anatomy, options.crop, options.seed)


def _check_fits(options: CmftOptions) -> None:
    if options.data is None and options.preset != "default":
        raise InputError(
            f"the preset {options.preset} prepares a user's images, simulated ones are made as the "
            "default wants them: give --data, or no --preset"
        )
    stride = 2 ** (options.levels - 1)
    if any(side % stride or side < SMALLEST_SIDE for side in options.crop):
        raise InputError(
            f"crops of {'x'.join(map(str, options.crop))} voxels do not fit the networks: choose "
            f"multiples of {stride} from {SMALLEST_SIDE} on"
        )


def _check_same(state: dict[str, Any], options: CmftOptions) -> None:
    begun = json.loads(state["options"])
    for name in ("base", "levels", "seed", "preset"):
        if begun[name] != getattr(options, name):
            raise InputError(
                f"the run {options.name} was begun with {name} {begun[name]}: give the same "
                "again, or another --name"
            )
