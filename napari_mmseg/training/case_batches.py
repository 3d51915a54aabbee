"""Crops of a user's cases as batches, alone or among simulated ones: a function of (seed, step)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from napari_mmseg.training.augment import UNCHANGED, USUAL, recolour, warp
from napari_mmseg.training.batches import (
    TUMOUR_CENTRED_SHARE,
    Batch,
    Batches,
    crop_size,
    drop_modalities,
)
from napari_mmseg.training.datasets import FOLDER, CaseSet, StoredCase, stored_cases
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.simulate.chance import Chance, Shape

_CASE_STREAM, _MIX_STREAM = 12, 13
CORE_CENTRED_SHARE = 0.4  # of the crops around a tumour: around its core


class CaseBatches:
    """Batches of the cases a run has prepared: as `Batches`, images and depths by step."""

    def __init__(self, options: TrainOptions, cases: CaseSet | None = None) -> None:
        self.options = options
        self.cases = cases or stored_cases(options.folder / FOLDER)

    def __getitem__(self, step: int) -> Batch:
        return self.crops(step, self.options.crops)

    def crops(self, step: int, count: int) -> Batch:
        """The first `count` crops of a step."""
        chance = Chance(self.options.seed, _CASE_STREAM, step)
        size = crop_size(step, self.options)
        pairs = [self._crop(size, chance) for _ in range(count)]
        return torch.stack([image for image, _ in pairs]), torch.stack([d for _, d in pairs])

    def _crop(self, size: Shape, chance: Chance) -> tuple[Tensor, Tensor]:
        known = self.cases.training
        images, depth = self._read(known[chance.integer(0, len(known))])
        centre = choose_centre(images, depth, size, chance)
        strengths = USUAL if self.options.augment else UNCHANGED
        crop, labels = warp(images, depth, chance, strengths, size, centre)
        return drop_modalities(recolour(crop, chance, strengths), chance), labels

    def _read(self, case: StoredCase) -> tuple[Tensor, Tensor]:
        images, depth = self.cases.read(case)
        # Copies in memory: torch cannot share what is mapped read-only.
        return torch.from_numpy(np.array(images)), torch.from_numpy(np.array(depth))


class Mixed:
    """Batches in which each crop is simulated with the probability `replay`, else a user's."""

    def __init__(self, options: TrainOptions) -> None:
        self.options = options
        self._simulated = Batches(options)
        self._real = CaseBatches(options)

    def __getitem__(self, step: int) -> Batch:
        chance = Chance(self.options.seed, _MIX_STREAM, step)
        drawn = sum(chance.happens(self.options.replay) for _ in range(self.options.crops))
        parts = []
        if drawn:
            parts.append(self._simulated.crops(step, drawn))
        if drawn < self.options.crops:
            parts.append(self._real.crops(step, self.options.crops - drawn))
        return torch.cat([images for images, _ in parts]), torch.cat([d for _, d in parts])


def choose_centre(
    images: Tensor, depth: Tensor, size: Shape, chance: Chance
) -> tuple[float, float, float]:
    """The middle voxel of a crop: on the tumour mostly, anywhere in the brain else.

    Moved by up to a quarter of the crop, then as far back as the case's edges ask.
    """
    coarse = depth[::2, ::2, ::2]
    target = coarse > 1 if chance.happens(CORE_CENTRED_SHARE) else coarse > 0
    if not bool(target.any()):
        target = coarse > 0
    if not chance.happens(TUMOUR_CENTRED_SHARE) or not bool(target.any()):
        target = (images[:, ::2, ::2, ::2] != 0).any(dim=0)
    places = torch.nonzero(target)
    if not len(places):
        places = torch.tensor([[n // 4 for n in depth.shape]])
    chosen = (places[chance.integer(0, len(places))] * 2).tolist()
    middle = []
    for place, length, full in zip(chosen, size, depth.shape, strict=True):
        jitter = chance.integer(-length // 4, length // 4 + 1)
        start = min(max(place + jitter - length // 2, 0), max(0, full - length))
        # A crop larger than the case holds it at its middle.
        low = (full - length) / 2 if length > full else float(start)
        middle.append(low + (length - 1) / 2)
    return middle[0], middle[1], middle[2]
