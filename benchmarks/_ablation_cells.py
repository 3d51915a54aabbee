"""The cells of the ablation: which there are, how one is trained, and how it is judged.

A cell is a bounded training run in a folder of its own. What it reached on each case lies beside
its checkpoint; a cell that has that file is done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_mmseg

from .accuracy import real_cases

if TYPE_CHECKING:
    from napari_mmseg.models.networks.region import RegionNetwork
    from napari_mmseg.training.cmft import CmftOptions
    from napari_mmseg.training.options import TrainOptions
    from napari_mmseg.training.validate import Labelled

#: Networks, and seconds of a step at base 8, 4 levels and the crops below: half of the processor
#: time that one took here (two cores), and 0.3 for the simulated cases.
NETWORKS: Mapping[str, float] = {
    "cmff": 3.1, "unet": 0.9, "layer": 1.7, "decision": 3.1, "deeplab": 0.5, "segresnet": 1.8,
}  # fmt: skip
INITS = ("cmft", "kaiming", "normal")
MAIN_LOSSES = ("region", "dice")
#: Tried on two networks alone.
MORE_LOSSES = ("cross-entropy", "focal", "tversky", "dice+cross-entropy", "dice+0.1*boundary")
MORE_LOSSES_FOR = (("unet", "kaiming"), ("cmff", "kaiming"))

REGIONS = ("WT", "TC", "ET")
RESULT = "dice.json"
CMFT_RUN = "cmft"
PATCH, WHOLE = (64, 80, 64), (96, 112, 96)
CMFT_CROP = (64, 64, 64)
SHIFTED_CASES = 9

#: Beside the steps, a guess: the first simulated cases, and judging, as so many steps.
START_SECONDS, JUDGING_STEPS = 30.0, 40

#: Dice of WT, TC and ET in a case; None where the region is neither there nor found.
CaseDice = Mapping[str, float | None]


@dataclass(frozen=True)
class Cell:
    """One training run of the ablation."""

    network: str
    init: str
    loss: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.network}-{self.init}-{self.loss.replace('*', 'x')}-seed{self.seed}"

    @property
    def setting(self) -> tuple[str, str, str]:
        """Without the seed."""
        return self.network, self.init, self.loss


@dataclass(frozen=True)
class Bench:
    """Where the cells lie and how each is trained; `anatomy` None: procedural heads."""

    folder: Path
    anatomy: Path | None
    steps: int
    base: int
    levels: int
    device: str = "cpu"
    patch: tuple[int, int, int] = PATCH
    whole: tuple[int, int, int] = WHOLE
    cmft_crop: tuple[int, int, int] = CMFT_CROP
    shifted: int = SHIFTED_CASES

    def options(self, cell: Cell) -> TrainOptions:
        from napari_mmseg.training.options import TrainOptions

        # Compiling takes minutes a network, longer than most of these runs.
        return TrainOptions(
            anatomy=self.anatomy, out=self.folder, name=cell.name, steps=self.steps,
            seed=cell.seed, network=cell.network, loss=cell.loss, init=cell.init,
            base=self.base, levels=self.levels, patch=self.patch, whole=self.whole,
            cmft=self.folder / CMFT_RUN, compile=False, resume=True, device=self.device,
            worker=self.anatomy is not None,
        )  # fmt: skip

    def cmft_options(self) -> CmftOptions:
        """The generators that all cells with `cmft` begin with: as many steps, no labels."""
        from napari_mmseg.training.cmft import CmftOptions

        return CmftOptions(
            anatomy=self.anatomy, out=self.folder, name=CMFT_RUN, steps=self.steps,
            base=self.base, levels=self.levels, crop=self.cmft_crop, resume=True,
            device=self.device,
        )  # fmt: skip

    def result(self, cell: Cell) -> dict[str, Any] | None:
        """What a cell that is done has reached."""
        path = self.folder / cell.name / RESULT
        if not path.is_file():
            return None
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return told

    def finish(self, cell: Cell) -> dict[str, Any]:
        """Train a cell, as far as it is not yet, and judge it."""
        from napari_mmseg.training.cmft import train_cmft
        from napari_mmseg.training.export import network_of
        from napari_mmseg.training.loop import load_checkpoint, train

        if cell.init == "cmft":
            train_cmft(self.cmft_options())
        state = load_checkpoint(train(self.options(cell)))
        network = network_of(state)
        told = {
            "steps": int(state["step"]),
            "seconds": round(float(state["seconds"]), 1),
            "shifted": {name: judged(network, case) for name, case in self._shifted.items()},
            "real": {name: judged(network, case) for name, case in self._real.items()},
        }
        path = self.folder / cell.name / RESULT
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)
        return told

    @cached_property
    def _shifted(self) -> Mapping[str, Labelled]:
        from napari_mmseg.training.batches import TEST_HEAD_VOXELS
        from napari_mmseg.training.simulate.anatomy import procedural_head
        from napari_mmseg.training.validate import held_out_heads, shifted_cases

        heads = (
            [procedural_head(7, TEST_HEAD_VOXELS)]
            if self.anatomy is None
            else held_out_heads(self.anatomy)
        )
        return {
            f"shifted-{number}": (images.astype(np.float16), depth)
            for number, (images, depth) in enumerate(shifted_cases(heads, self.shifted))
        }

    @cached_property
    def _real(self) -> Mapping[str, Labelled]:
        """The real cases as the networks see them. No cell learns from them."""
        from napari_mmseg.training.datasets import prepared_pair
        from napari_mmseg.training.presets import preset_named

        found = {}
        for name, (images, labels, encoding) in real_cases():
            case = napari_mmseg.open_case(images)
            reference = napari_mmseg.read_annotation(labels, encoding=encoding, like=case)
            channels, depth, _ = prepared_pair(case, reference, preset_named("default"))
            found[name] = (channels, depth)
        return found


def judged(network: RegionNetwork, case: Labelled) -> CaseDice:
    """Dice by region of the network's own nested proposal: no component is dropped."""
    from napari_mmseg.training.validate import padded_to, region_dice, torch_predictor

    images, depth = case
    i, p, left = depth.shape
    padded = padded_to(images.astype(np.float32), network.stride)
    found = torch_predictor(network.eval())(padded)[:, :i, :p, :left]
    return {
        region: None if value is None else round(value, 4)
        for region, value in region_dice(found, depth).items()
    }


def cells(
    networks: Sequence[str] = tuple(NETWORKS),
    inits: Sequence[str] = INITS,
    losses: Sequence[str] = MAIN_LOSSES,
    seeds: int = 2,
    more_losses: Sequence[str] = MORE_LOSSES,
) -> Iterator[Cell]:
    """Seed by seed, so that every setting has been seen once before one is seen twice.

    CMFT goes with the network that has a branch for each of its generators alone.
    """
    for seed in range(seeds):
        for loss in losses:
            for network in networks:
                for init in inits:
                    if init != "cmft" or network == "cmff":
                        yield Cell(network, init, loss, seed)
        for loss in more_losses:
            for network, init in MORE_LOSSES_FOR:
                if network in networks and init in inits and loss not in losses:
                    yield Cell(network, init, loss, seed)


def estimate(bench: Bench, cell: Cell) -> float:
    """Seconds that a cell still takes; from its own or a like run's log where there is one."""
    if bench.result(cell) is not None:
        return 0.0
    done, own = _log(bench, cell.name)
    like = own or next(
        (
            seconds
            for other in sorted(bench.folder.glob(f"{cell.network}-*"))
            if (seconds := _log(bench, other.name)[1])
        ),
        [],
    )
    a_step = median(like) if like else NETWORKS[cell.network]
    return START_SECONDS + (JUDGING_STEPS + max(0, bench.steps - done)) * a_step


def state_of(bench: Bench, cell: Cell) -> str:
    """In words: done, begun or to do."""
    if bench.result(cell) is not None:
        return "done"
    steps, _ = _log(bench, cell.name)
    return f"begun, {steps} of {bench.steps} steps" if steps else "to do"


def _log(bench: Bench, name: str) -> tuple[int, list[float]]:
    """The last step of a run and what its steps took (s)."""
    path = bench.folder / name / "log.jsonl"
    if not path.is_file():
        return 0, []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return (lines[-1]["step"] if lines else 0), [line["step_seconds"] for line in lines]
