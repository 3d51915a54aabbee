"""What the trees learn from: the scribbles, and present labels that nothing speaks against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Labels count as examples only this far from their border, which may be off (mm).
BORDER_MM = 3.0

#: Labels lose their voice near a scribble that says the opposite: by half at 0.83 of this (mm).
DOUBT_MM = 60.0

#: Examples at most, of each side: of the scribbles, of the labels.
SCRIBBLED, LABELLED = 400, 200

#: Examples are taken to lie anywhere near, so that the trees learn regions and no slices (mm).
POSITION_NOISE_MM = 10.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known and believed of one region in the box; all masks (I, P, L).

    `yes` and `no` are scribbled (no voxel is both), `present` is the region as it is labelled.
    """

    yes: NDArray[np.bool_]
    no: NDArray[np.bool_]
    present: NDArray[np.bool_]
    spacing: tuple[float, float, float]

    def nearest(self) -> NDArray[np.float32]:
        """Distance to the nearest scribble in mm."""
        return distance(self.yes | self.no, self.spacing)


def distance(mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> NDArray[np.float32]:
    """Distance of each voxel to the nearest of `mask` in mm; 0 within, infinite if it is empty."""
    import edt

    if not mask.any():
        return np.full(mask.shape, np.inf, dtype=np.float32)
    found: NDArray[np.float32] = edt.edt(~mask, anisotropy=spacing, parallel=1)
    return found


def draw(
    evidence: Evidence, bank: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """Features (features, samples), sides and weights of examples; each side weighs 1 in total.

    `bank` ends with the three positions. A side of which nothing is known has no examples.
    """
    features, inside, weights = [], [], []
    flat = bank.reshape(len(bank), -1)
    for side, said, against, labels in (
        (True, evidence.yes, evidence.no, evidence.present),
        (False, evidence.no, evidence.yes, ~evidence.present),
    ):
        scribbled = _some(np.flatnonzero(said), SCRIBBLED, rng)
        deep = distance(~labels, evidence.spacing) > BORDER_MM
        deep &= ~(evidence.yes | evidence.no)
        labelled = _some(np.flatnonzero(deep), LABELLED, rng)
        doubt = distance(against, evidence.spacing).ravel()[labelled]
        voice = 1.0 - np.exp(-((doubt / DOUBT_MM) ** 2))
        mine = np.concatenate([_shares(np.ones(scribbled.size)), _shares(voice)])
        chosen = np.concatenate([scribbled, labelled])
        features.append(flat[:, chosen])
        inside.append(np.full(chosen.size, side))
        weights.append(_shares(mine))
    samples = np.concatenate(features, axis=1)
    samples[-3:] += rng.normal(0.0, POSITION_NOISE_MM, (3, samples.shape[1]))
    return samples, np.concatenate(inside), np.concatenate(weights).astype(np.float32)


def _some(indices: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return indices if indices.size <= most else rng.choice(indices, most, replace=False)


def _shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights that sum to 1 (or to 0 where there is none)."""
    total = float(weights.sum())
    return weights / total if total > 0 else weights
