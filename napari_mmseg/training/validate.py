"""Dice of a model on cases with known labels: simulated ones held out, and real folders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.simulate.anatomy import anatomy_files, read_head
from napari_mmseg.training.simulate.case import simulate_geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.render import draw_recipe, render

REGIONS = ("WT", "TC", "ET")
_VALIDATION_STREAM = 9

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    """Overlap of two masks; None where both are empty."""
    total = int(first.sum()) + int(second.sum())
    return None if total == 0 else 2 * int((first & second).sum()) / total


def region_dice(
    probabilities: NDArray[np.float32],
    depth: NDArray[np.uint8],
    thresholds: tuple[float, float, float] = (0.5, 0.5, 0.5),
) -> dict[str, float | None]:
    """Dice of WT, TC, ET of `probabilities` (3, I, P, L), nested, against a depth volume."""
    inside = np.ones(depth.shape, dtype=bool)
    result: dict[str, float | None] = {}
    for level, (region, threshold) in enumerate(zip(REGIONS, thresholds, strict=True)):
        inside = inside & (probabilities[level] >= threshold)
        result[region] = dice(inside, depth > level)
    return result


def padded_to(volumes: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """(C, I, P, L) with zeros after the end of each axis up to a multiple of `stride`."""
    padding = [(0, 0)] + [(0, -n % stride) for n in volumes.shape[1:]]
    return np.pad(volumes, padding)


def torch_predictor(network: torch.nn.Module) -> Predict:
    """Probabilities by eager torch in bfloat16 on the CPU, for use during training."""

    def predict(volumes: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            logits = network(torch.from_numpy(volumes)[None])
        result: NDArray[np.float32] = torch.sigmoid(logits.float())[0].numpy()
        return result

    return predict


def validate_simulated(
    predict: Predict, options: TrainOptions, cases: int, stride: int = 16
) -> dict[str, float | None]:
    """Mean Dice per region over whole simulated heads of the held-out anatomies.

    Cases where a region and its prediction are both empty do not count for that region.
    """
    if options.anatomy is None:
        raise ValueError("validation needs a folder of label maps")
    heads = [read_head(path) for path in anatomy_files(options.anatomy, held_out=True)]
    scores: dict[str, list[float]] = {region: [] for region in REGIONS}
    for number in range(cases):
        chance = Chance(options.seed, _VALIDATION_STREAM, number)
        case = simulate_geometry(heads[number % len(heads)], chance, healthy=False)
        i, p, left = case.shape
        box = (slice(0, i), slice(0, p), slice(0, left))
        volumes = render(case, box, draw_recipe(case.shape, chance), chance).numpy()
        found = predict(padded_to(volumes, stride))[:, :i, :p, :left]
        for region, value in region_dice(found, case.depth()).items():
            if value is not None:
                scores[region].append(value)
    return {k: round(float(np.mean(v)), 4) if v else None for k, v in scores.items()}
