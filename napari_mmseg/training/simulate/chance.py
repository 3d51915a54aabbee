"""Every random draw of the simulator, from one seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from napari_mmseg.training.simulate.between import stretched

Shape = tuple[int, int, int]


class Chance:
    """Scalars from numpy and fields from torch, both reproducible from `seed`.

    `seed` is one integer or a path of integers (run, case, use), so that streams never overlap.
    """

    def __init__(self, *seed: int, device: str | torch.device = "cpu") -> None:
        self.rng = np.random.default_rng(seed)
        self.device = torch.device(device)
        self.generator = torch.Generator(device=self.device)
        self.generator.manual_seed(int(self.rng.integers(2**62)))

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def log_uniform(self, low: float, high: float) -> float:
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def normal(self, scale: float = 1.0) -> float:
        return float(self.rng.normal(0.0, scale))

    def happens(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high)."""
        return int(self.rng.integers(low, high))

    def pick(self, weights: Sequence[float]) -> int:
        """An index drawn in proportion to `weights`."""
        share = np.asarray(weights, dtype=float)
        return int(self.rng.choice(len(share), p=share / share.sum()))

    def white(self, shape: Sequence[int]) -> Tensor:
        """Independent standard normal values, float32."""
        return torch.randn(tuple(shape), generator=self.generator, device=self.device)

    def field(self, shape: Shape, scale_mm: float, channels: int = 1) -> Tensor:
        """Smooth noise of about unit variance with structures of `scale_mm`: (channels, *shape).

        White noise on a coarse grid, upsampled trilinearly, which is ten times faster than a
        cubic zoom.
        """
        coarse = [max(2, round(length / scale_mm) + 2) for length in shape]
        grid = self.white((channels, *coarse))
        # Trilinear interpolation averages neighbours: restore the variance lost on the way.
        return stretched(grid * 1.5 if scale_mm > 1.5 else grid, shape)

    def cloud(self, shape: Shape, scale_mm: float, octaves: int = 2) -> Tensor:
        """Sum of `octaves` fields, each of half the scale and half the weight: (*shape)."""
        total = torch.zeros(shape, device=self.device)
        for octave in range(octaves):
            total += self.field(shape, max(1.0, scale_mm / 2**octave))[0] * 0.5**octave
        return total
