"""Dice of a model on simulated cases of held-out anatomies, made as in training or differently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.simulate.anatomy import Head, anatomy_files, read_head
from napari_mmseg.training.simulate.case import simulate_geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.render import draw_recipe, render
from napari_mmseg.training.simulate.shifted import shifted_case

REGIONS = ("WT", "TC", "ET")
_VALIDATION_STREAM, _SHIFTED_STREAM = 9, 10

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Labelled = tuple[NDArray[np.float32], NDArray[np.uint8]]  # images (4, I, P, L), depths (I, P, L)


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
    """Probabilities by eager torch on the CPU, for use during training."""
    from napari_mmseg.training.precision import fastest

    bf16 = fastest() == "bf16"

    def predict(volumes: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
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
    heads = held_out_heads(options.anatomy)
    return mean_dice(predict, simulated_cases(heads, cases, options.seed), stride)


def simulated_cases(heads: list[Head], cases: int, seed: int = 0) -> Iterator[Labelled]:
    """Images and depths of `cases` whole heads with tumours, simulated as in training."""
    for number in range(cases):
        chance = Chance(seed, _VALIDATION_STREAM, number)
        case = simulate_geometry(heads[number % len(heads)], chance, healthy=False)
        i, p, left = case.shape
        box = (slice(0, i), slice(0, p), slice(0, left))
        yield render(case, box, draw_recipe(case, chance), chance).numpy(), case.depth()


def shifted_cases(heads: list[Head], cases: int, seed: int = 0) -> Iterator[Labelled]:
    """Images and depths of `cases` heads simulated differently from training (shifted.py)."""
    for number in range(cases):
        chance = Chance(seed, _SHIFTED_STREAM, number)
        case, volumes = shifted_case(heads[number % len(heads)], chance)
        yield volumes, case.depth()


def held_out_heads(anatomy: Path) -> list[Head]:
    """The anatomies of a folder that training never draws from."""
    return [read_head(path) for path in anatomy_files(anatomy, held_out=True)]


def mean_dice(
    predict: Predict,
    cases: Iterable[Labelled],
    stride: int = 16,
    thresholds: tuple[float, float, float] = (0.5, 0.5, 0.5),
) -> dict[str, float | None]:
    """Mean Dice per region over `cases`; those with nothing there and nothing found do not count.

    Something found where nothing is counts as 0.
    """
    scores: dict[str, list[float]] = {region: [] for region in REGIONS}
    for volumes, depth in cases:
        i, p, left = depth.shape
        found = predict(padded_to(volumes, stride))[:, :i, :p, :left]
        for region, value in region_dice(found, depth, thresholds).items():
            if value is not None:
                scores[region].append(value)
    return {k: round(float(np.mean(v)), 4) if v else None for k, v in scores.items()}
