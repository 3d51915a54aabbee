"""The images and labels of a step, a pure function of (seed, step): what makes resuming exact."""

from __future__ import annotations

import multiprocessing
import os
from collections import OrderedDict
from collections.abc import Iterator
from queue import Empty, Full
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_mmseg.errors import MmsegError
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import (
    Head,
    anatomy_files,
    procedural_head,
    read_head,
)
from napari_mmseg.training.simulate.background import (
    Background,
    read_background,
    simulate_on_background,
)
from napari_mmseg.training.simulate.case import Geometry, simulate_geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.render import Box, draw_recipe, render

TEST_HEAD_VOXELS = 64
FIRST_CASES = 8  # cases in the pool at step 0; it grows from there
TUMOUR_CENTRED_SHARE = 0.6
LOW_SHARE = 0.6  # of the other crops: in the lowest part, cerebellum and brainstem
LOW_PART = 0.6
WHOLE_EVERY = 3
FULL_SET_SHARE = 0.85
QUEUE_LENGTH = 6
_CASE_STREAM, _STEP_STREAM = 1, 2
PARENT_CHECK_SECONDS = 20.0

Batch = tuple[Tensor, Tensor]


class Source(Protocol):
    """Batches by step number: images (N, 4, I, P, L) float32 and depths (N, I, P, L) uint8."""

    def __getitem__(self, step: int) -> Batch: ...


class Batches:
    """Simulated batches by step number: each case is rendered afresh at each use."""

    def __init__(self, options: TrainOptions) -> None:
        self.options = options
        self._heads: list[Head] | None = None
        self._backgrounds: list[Background] | None = None
        self._cases: OrderedDict[int, Geometry] = OrderedDict()

    def __getitem__(self, step: int) -> Batch:
        return self.crops(step, self.options.crops)

    def crops(self, step: int, count: int) -> Batch:
        """The first `count` crops of a step."""
        options = self.options
        chance = Chance(options.seed, _STEP_STREAM, step)
        size = crop_size(step, options)
        newest = FIRST_CASES + step // options.steps_per_case
        images, depths = [], []
        for _ in range(count):
            case = self.case(chance.integer(max(0, newest - options.pool), newest))
            box = choose_box(case, size, chance)
            recipe = draw_recipe(case, chance)
            volumes = drop_modalities(render(case, box, recipe, chance), chance)
            depth = torch.from_numpy(t.DEPTH_OF_LESION)[case.lesion[box].long()]
            images.append(_padded(volumes, size))
            depths.append(_padded(depth, size))
        return torch.stack(images), torch.stack(depths)

    def case(self, number: int) -> Geometry:
        """Simulated geometry by number, made on demand and kept while the pool needs it."""
        if number not in self._cases:
            self._cases[number] = self._simulate(Chance(self.options.seed, _CASE_STREAM, number))
            while len(self._cases) > self.options.pool + FIRST_CASES:
                self._cases.popitem(last=False)
        return self._cases[number]

    def _simulate(self, chance: Chance) -> Geometry:
        options = self.options
        if options.backgrounds and chance.happens(options.background_share):
            if self._backgrounds is None:
                self._backgrounds = [read_background(folder) for folder in options.backgrounds]
            scan = self._backgrounds[chance.integer(0, len(self._backgrounds))]
            return simulate_on_background(scan, chance)
        heads = self._read_heads()
        return simulate_geometry(heads[chance.integer(0, len(heads))], chance)

    def _read_heads(self) -> list[Head]:
        if self._heads is None:
            folder = self.options.anatomy
            if folder is None:
                self._heads = [procedural_head(seed, TEST_HEAD_VOXELS) for seed in range(2)]
            else:
                self._heads = [read_head(path) for path in anatomy_files(folder)]
        return self._heads


def crop_size(step: int, options: TrainOptions) -> tuple[int, int, int]:
    """Crop size of a step: two small ones and a whole brain in turn; whole ones at the end.

    Instance normalisation sees other statistics in a whole brain than in a patch, and false
    alarms far from the tumour are only seen there: 600 steps with few whole brains found the
    tumours and a good part of every cerebellum.
    """
    last = step >= options.steps * (1 - options.whole_share)
    whole = last or step % WHOLE_EVERY == WHOLE_EVERY - 1
    return options.whole if whole else options.patch


def choose_box(case: Geometry, size: tuple[int, int, int], chance: Chance) -> Box:
    """A crop of at most `size`: around a tumour voxel mostly, anywhere in the brain else."""
    # Every second voxel along each axis is enough to choose from.
    depth = torch.from_numpy(t.DEPTH_OF_LESION)[case.lesion[::2, ::2, ::2].long()]
    target = depth > 0
    if chance.happens(0.4) and bool((depth > 1).any()):
        target = depth > 1
    if not chance.happens(TUMOUR_CENTRED_SHARE) or not bool(target.any()):
        target = case.tissue[::2, ::2, ::2] != t.OUTSIDE
        if chance.happens(LOW_SHARE):  # where false alarms were most frequent
            target = target.clone()
            target[: int(LOW_PART * target.shape[0])] = False
    places = torch.nonzero(target)
    centre = (places[chance.integer(0, len(places))] * 2).tolist()
    slices = []
    for middle, length, full in zip(centre, size, case.shape, strict=True):
        jitter = chance.integer(-length // 4, length // 4 + 1)
        low = int(np.clip(int(middle) + jitter - length // 2, 0, max(0, full - length)))
        slices.append(slice(low, min(low + length, full)))
    return slices[0], slices[1], slices[2]


def drop_modalities(volumes: Tensor, chance: Chance) -> Tensor:
    """Zero some channels: the full set most often, each of the 15 subsets possible."""
    if chance.happens(FULL_SET_SHARE):
        return volumes
    subset = chance.integer(1, 16)
    kept = [bool(subset >> channel & 1) for channel in range(4)]
    return volumes * torch.tensor(kept, dtype=volumes.dtype, device=volumes.device).view(4, 1, 1, 1)


def _padded(volume: Tensor, size: tuple[int, int, int]) -> Tensor:
    """Zeros after the end of the last three axes up to `size`."""
    padding: list[int] = []
    for length, wanted in reversed(list(zip(volume.shape[-3:], size, strict=True))):
        padding += [0, wanted - length]
    return functional.pad(volume, padding)


def source(options: TrainOptions) -> Source:
    """What a run learns from: simulated cases, a user's, or both; or whole heads."""
    if options.task == "brain":
        from napari_mmseg.training.strip import StripBatches

        return StripBatches(options)
    if options.data is None:
        return Batches(options)
    from napari_mmseg.training.case_batches import CaseBatches, Mixed

    return CaseBatches(options) if options.anatomy is None else Mixed(options)


def stream(options: TrainOptions, first: int) -> Iterator[tuple[int, Batch]]:
    """Batches from step `first` on, made in a process of their own beside the training."""
    if not options.worker:
        batches = source(options)
        for step in range(first, options.steps):
            yield step, batches[step]
        return
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue(maxsize=QUEUE_LENGTH)
    process = context.Process(
        target=_fill, args=(options, first, queue, PARENT_CHECK_SECONDS), daemon=True
    )
    process.start()
    try:
        for step in range(first, options.steps):
            images, depths = _received(queue, process)
            yield step, (torch.from_numpy(images).float(), torch.from_numpy(depths))
    finally:
        process.terminate()
        process.join()


def _received(queue: Any, process: Any) -> Any:
    """The worker's next batch; if it has died, say so instead of waiting for ever."""
    while True:
        try:
            return queue.get(timeout=PARENT_CHECK_SECONDS)
        except Empty:
            if process.is_alive():
                continue
        try:
            return queue.get(timeout=1.0)  # put just before it ended
        except Empty:
            raise MmsegError(
                "the process that makes the training images ended early (exit code "
                f"{process.exitcode}): see its message above, then go on with --resume"
            ) from None


def _fill(options: TrainOptions, first: int, queue: Any, patience: float) -> None:
    torch.set_num_threads(1)
    parent = os.getppid()
    batches = source(options)
    for step in range(first, options.steps):
        images, depths = batches[step]
        # numpy through the pipe: sharing torch tensors needs more shared memory than some
        # containers have.
        batch = (images.half().numpy(), depths.numpy())
        while True:
            try:
                queue.put(batch, timeout=patience)
                break
            except Full:
                if os.getppid() != parent:  # the training was killed: do not outlive it
                    queue.cancel_join_thread()  # nobody reads what still waits to be sent
                    return
