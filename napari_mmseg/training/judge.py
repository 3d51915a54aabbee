"""How good a network is on cases that it has not learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from torch import nn

from napari_mmseg.training.datasets import CaseSet, StoredCase
from napari_mmseg.training.validate import (
    REGIONS,
    Labelled,
    padded_to,
    region_dice,
    torch_predictor,
)

THRESHOLDS = dict.fromkeys(REGIONS, 0.5)


def dice_over(
    network: nn.Module,
    stride: int,
    cases: Iterable[Labelled],
    thresholds: Mapping[str, float] = THRESHOLDS,
) -> dict[str, float]:
    """Mean Dice of WT, TC and ET over whole cases, and `mean`, the mean of the three.

    A region that is neither there nor found counts as 1, so that every model is judged on the
    same regions: one that invents an enhancing tumour loses by it.
    """
    a, b, c = (thresholds[region] for region in REGIONS)
    predict = torch_predictor(network.eval())
    scores: dict[str, list[float]] = {region: [] for region in REGIONS}
    for images, depth in cases:
        i, p, left = depth.shape
        found = predict(padded_to(images, stride))[:, :i, :p, :left]
        for region, value in region_dice(found, depth, (a, b, c)).items():
            scores[region].append(1.0 if value is None else value)
    means = {region: float(np.mean(values)) for region, values in scores.items()}
    return {**means, "mean": float(np.mean(list(means.values())))}


def held_out_dice(
    network: nn.Module,
    stride: int,
    cases: CaseSet,
    chosen: Sequence[StoredCase],
    thresholds: Mapping[str, float] = THRESHOLDS,
) -> dict[str, float]:
    """`dice_over` some of a run's prepared cases, one in memory at a time."""
    return dice_over(network, stride, whole_cases(cases, chosen), thresholds)


def whole_cases(cases: CaseSet, chosen: Sequence[StoredCase]) -> Iterator[Labelled]:
    """Images (4, I, P, L) float32 and depths (I, P, L) of prepared cases."""
    for case in chosen:
        images, depth = cases.read(case)
        yield np.asarray(images, dtype=np.float32), np.asarray(depth)
