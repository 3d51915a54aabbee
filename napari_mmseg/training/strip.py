"""Batches that teach brain extraction: whole heads in random contrasts, and where the brain is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_mmseg.models.networks import RegionNetwork
from napari_mmseg.preprocess.head import SPACING_MM
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.simulate.anatomy import anatomy_files, procedural_head
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.whole_head import (
    GRID,
    WholeHead,
    draw_whole_head,
    made_up_head,
    read_whole_head,
)

STRIP_RUN: dict[str, Any] = {
    "task": "brain", "network": "unet-patch", "base": 16, "levels": 5, "patch": GRID, "whole": GRID,
    "pool": 0,
}  # fmt: skip

_STEP_STREAM, _HELD_OUT_STREAM = 31, 32
_MADE_UP_VOXELS = 96

Heads = list[tuple[WholeHead, NDArray[np.bool_]]]


class StripBatches:
    """By step number: images (N, 1, *GRID) float32 in 0..1 and brains (N, *GRID) uint8."""

    def __init__(self, options: TrainOptions) -> None:
        self.options = options
        self._heads: Heads | None = None

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        if self._heads is None:
            self._heads = read_heads(self.options.anatomy)
        chance = Chance(self.options.seed, _STEP_STREAM, step)
        drawn = []
        for _ in range(self.options.crops):
            head, is_brain = self._heads[chance.integer(0, len(self._heads))]
            drawn.append(draw_whole_head(head, is_brain, chance))
        return torch.stack([image for image, _ in drawn]), torch.stack([b for _, b in drawn])


def read_heads(anatomy: Path | None, held_out: bool = False) -> Heads:
    """The label maps of a folder, or made-up heads for tests."""
    if anatomy is None:
        return [made_up_head(procedural_head(seed, _MADE_UP_VOXELS)) for seed in range(2)]
    return [read_whole_head(path) for path in anatomy_files(anatomy, held_out)]


def held_out_cases(anatomy: Path, cases: int, seed: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
    """Images (1, *GRID) and brains (*GRID) of label maps that training never draws from."""
    heads = read_heads(anatomy, held_out=True)
    for number in range(cases):
        head, is_brain = heads[number % len(heads)]
        yield draw_whole_head(head, is_brain, Chance(seed, _HELD_OUT_STREAM, number))


def brain_card(name: str, network: RegionNetwork) -> dict[str, Any]:
    """What the card of a brain-extraction network says, whatever it was trained on."""
    return {
        "name": name,
        "version": "1",
        "network": {"kind": network.kind, "base": network.base, "levels": network.levels,
                    "in": network.inputs, "out": 1},
        # One channel of any contrast; cards name channels by modality.
        "channels": ["T1"],
        "any_contrast": True,
        "protocol": "brain",
        "regions": ["brain"],
        "orientation": "IPL",
        "spacing_mm": SPACING_MM,
        "stride": network.stride,
        "output": "probabilities",
        "thresholds": {"brain": 0.5},
        "intended_use": "A mask of the brain with its fluid in MRI of adult heads, any contrast.",
        "not_for": ["children under 2", "CT", "diagnosis or treatment decisions"],
        "trained_on": "Whole-head label maps in random contrasts; no image of a patient.",
        "licence": "BSD-3-Clause",
        "research_use": "For research only. Not a medical device.",
    }  # fmt: skip
