"""Segmentation without learning: what a mixture of Gaussians and a few plain rules reach.

The intensities of one case (FLAIR, T1ce, T2, robust z-scores in the brain) are taken for draws from
a mixture of Gaussians (full covariances, fitted by expectation maximisation). Its components get
their meaning by rules that follow the definition of the regions; their probabilities are smoothed
a little and cut at one half:

- WT begins with the components that are bright on FLAIR; of these voxels the island with the
  largest sum of FLAIR is kept, closed and filled.
- ET is what is bright on T1ce in WT and close about it, by a second mixture of that neighbourhood.
- TC is ET with what it encloses, and what is dark on T1ce and bright on T2 in WT.

The real cases were looked at twice. With fixed levels, set before the first look (1.5 for FLAIR, 2
for T1ce), whole tumours were missed where they are large or pale: mean Dice 0.46, 0.39 and 0.25 for
WT, TC and ET. Then "bright" was made relative to the brightest component, and nothing since.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_mmseg.annotation import Annotation
from napari_mmseg.case import Case
from napari_mmseg.errors import InputError
from napari_mmseg.preprocess.normalise import brain_mask, normalise
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import Modality

CONTRASTS = (Modality.FLAIR, Modality.T1CE, Modality.T2)
_FLAIR, _T1CE, _T2 = range(3)

#: A component is bright when its mean is above this share of the brightest one's, and above a floor
#: (robust sigmas of the brain).
BRIGHT_SHARE = 0.5
FLOOR_FLAIR = 0.5
FLOOR_T1CE = 1.0

#: Necrosis: components darker on T1ce and brighter on T2 than these.
DARK_T1CE = -0.5
BRIGHT_T2 = 1.5

SMOOTHING_MM = 1.0
CLOSING_MM = 2.0
NEIGHBOURHOOD_MM = 3.0

#: Shares of the FLAIR-sorted voxels at which the components begin: the tails get their own.
FIRST_GROUPS = (0.0, 0.1, 0.4, 0.7, 0.9, 0.97, 1.0)
FIRST_GROUPS_INSIDE = (0.0, 0.15, 0.6, 0.85, 1.0)

SAMPLE_VOXELS = 30_000
ROUNDS = 60
_RIDGE = 1e-2  # keeps covariances invertible


@dataclass(frozen=True)
class Mixture:
    """Gaussians with their shares: `means` (K, D), `covariances` (K, D, D), `shares` (K,)."""

    shares: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    def log_densities(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Log of share times density, (N, K), but for a constant."""
        columns = []
        for share, mean, covariance in zip(self.shares, self.means, self.covariances, strict=True):
            root = np.linalg.cholesky(covariance)
            scaled = np.linalg.solve(root, (points - mean).T)
            half_log_det = np.log(np.diag(root)).sum()
            columns.append(np.log(share) - half_log_det - 0.5 * (scaled**2).sum(axis=0))
        return np.stack(columns, axis=1)

    def probabilities(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Of each component for each point, (N, K); rows sum to one."""
        logs = self.log_densities(points)
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def fit_mixture(
    points: NDArray[Any], groups: tuple[float, ...], *, along: int = 0, rounds: int = ROUNDS
) -> Mixture:
    """Expectation maximisation from groups of the points, sorted along one axis.

    `points` is (N, D); `groups` are the shares at which a group begins, then 1. Nothing is drawn
    at random.
    """
    order = np.argsort(points[:, along], kind="stable")
    ends = (np.array(groups) * len(points)).astype(int)
    belongs = np.zeros((len(points), len(groups) - 1))
    for number, (start, end) in enumerate(pairwise(ends)):
        belongs[order[start:end], number] = 1.0
    mixture = _from_weights(points, belongs)
    for _ in range(rounds):
        mixture = _from_weights(points, mixture.probabilities(points))
    return mixture


def segment(case: Case) -> Annotation:
    """WT, TC and ET of a skull-stripped case.

    Raises
    ------
    InputError
        When FLAIR, T1ce or T2 is missing.
    """
    if lacking := [m for m in CONTRASTS if m not in case.volumes]:
        raise InputError(f"{case.id} lacks {', '.join(lacking)}: the mixture needs all three")
    spacing = case.grid.spacing
    brain = brain_mask([case.volumes[m].array for m in CONTRASTS])
    contrasts = np.stack([normalise(case.volumes[m].array, brain) for m in CONTRASTS])
    whole = _whole_tumour(contrasts, brain, spacing)
    codes = np.zeros(brain.shape, np.uint8)
    if whole.any():
        enhancing, core = _inside(contrasts, brain, whole, spacing)
        codes[whole | core] = 1
        codes[core] = 2
        codes[enhancing] = 3
    return Annotation(codes, case.grid, load_protocol(), case.source, author="model:mixture")


def _whole_tumour(
    contrasts: NDArray[Any], brain: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> NDArray[np.bool_]:
    import cc3d
    import fill_voids

    points = contrasts[:, brain].T
    mixture = fit_mixture(_thinned(points), FIRST_GROUPS, along=_FLAIR)
    bright_ones = _bright(mixture.means[:, _FLAIR], FLOOR_FLAIR)
    bright = _likely(mixture, bright_ones, contrasts, brain, spacing)
    islands = cc3d.connected_components(bright, connectivity=6)
    weight = np.bincount(islands.ravel(), weights=contrasts[_FLAIR].ravel())
    weight[0] = 0.0
    if weight.max() <= 0:
        return np.zeros_like(brain)
    island = islands == weight.argmax()
    closed = ndimage.binary_closing(island, _ball(CLOSING_MM, spacing))
    return fill_voids.fill(closed | island) & brain  # closing loses what touches the border


def _inside(
    contrasts: NDArray[Any],
    brain: NDArray[np.bool_],
    whole: NDArray[np.bool_],
    spacing: tuple[float, float, float],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """ET and TC in a whole tumour and its neighbourhood."""
    import fill_voids

    near = ndimage.binary_dilation(whole, _ball(NEIGHBOURHOOD_MM, spacing)) & brain
    points = contrasts[:, near].T
    mixture = fit_mixture(_thinned(points), FIRST_GROUPS_INSIDE, along=_T1CE)
    t1ce, t2 = mixture.means[:, _T1CE], mixture.means[:, _T2]
    enhancing = _likely(mixture, _bright(t1ce, FLOOR_T1CE), contrasts, near, spacing)
    dead = (t1ce < DARK_T1CE) & (t2 > BRIGHT_T2)
    necrotic = _likely(mixture, dead, contrasts, near, spacing)
    closed = ndimage.binary_closing(enhancing, _ball(CLOSING_MM, spacing))
    core = fill_voids.fill(closed | enhancing) | (necrotic & whole)
    return enhancing, core


def _bright(means: NDArray[np.float64], floor: float) -> NDArray[np.bool_]:
    return np.asarray(means > max(floor, BRIGHT_SHARE * float(means.max())))


def _likely(
    mixture: Mixture,
    chosen: NDArray[np.bool_],
    contrasts: NDArray[Any],
    where: NDArray[np.bool_],
    spacing: tuple[float, float, float],
) -> NDArray[np.bool_]:
    """Voxels of `where` in one of the chosen components, judged with their surroundings."""
    likely = np.zeros(where.shape, np.float32)
    likely[where] = mixture.probabilities(contrasts[:, where].T)[:, chosen].sum(axis=1)
    smooth = ndimage.gaussian_filter(likely, [SMOOTHING_MM / mm for mm in spacing])
    return np.asarray(smooth > 0.5) & where


def _from_weights(points: NDArray[Any], weights: NDArray[np.float64]) -> Mixture:
    totals = weights.sum(axis=0) + 1e-9
    means = (weights.T @ points) / totals[:, None]
    ridge = _RIDGE * np.eye(points.shape[1])
    covariances = np.stack(
        [
            ((points - mean) * weight[:, None]).T @ (points - mean) / total + ridge
            for mean, weight, total in zip(means, weights.T, totals, strict=True)
        ]
    )
    return Mixture(totals / totals.sum(), means, covariances)


def _thinned(points: NDArray[Any]) -> NDArray[Any]:
    return points[:: max(1, len(points) // SAMPLE_VOXELS)].astype(np.float64)


def _ball(radius_mm: float, spacing: tuple[float, float, float]) -> NDArray[np.bool_]:
    reach = [int(radius_mm // mm) for mm in spacing]
    axes = np.ogrid[tuple(slice(-n, n + 1) for n in reach)]
    inside = sum((axis * mm) ** 2 for axis, mm in zip(axes, spacing, strict=True))
    return np.asarray(inside <= radius_mm**2)
