"""Agreement of twenty raters of one case, against MONAI's metrics called pair by pair.

`seconds_20_raters` is one call of `agree` on 20 annotations of 240x240x155 in memory (all 190 pairs
in three regions, and what only all raters together have: kappa, alpha, energy distance, F1 of
lesions). `speedup_vs_monai` sets MONAI's Dice, IoU, HD95, average surface distance and surface Dice
against that: timed on `monai_pairs_timed` pairs of the same raters in the same run, three regions
in one batch, and multiplied up to all pairs. `max_abs_error` is the largest difference between
the two over those pairs, of ratios and of millimetres (`errors` by measure). `cpu_seconds` is the
processor's time in `agree`, and `speedup_in_cpu_seconds` the same ratio in it: a busy machine
lengthens these less. `memory_mib` is what `agree` adds to the process at its peak, over the
annotations that it was given.

The raters are simulated: a tumour of three nested, uneven regions, each rater's outlines moved in
and out by smooth noise, some with an island of their own, some without the innermost region.
"""

from __future__ import annotations

import resource
import warnings
from itertools import combinations
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.agreement import CaseAgreement, agree
from napari_mmseg.annotation import Annotation
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

RATERS = 20
SHAPE = (155, 240, 240)
TOLERANCE_MM = 1.0
MONAI_PAIRS = 6

#: Radii of the regions, how far raters move them and the size of the tumour's lobes, in mm.
_RADII, _JITTER, _LOBES = (34.0, 22.0, 17.0), 2.5, 4.0
#: No part of the tumour but islands is further from its middle.
_REACH = 60.0
#: Voxels between the points that smooth noise is drawn at.
_COARSE = 12

_MEASURES = ("dice", "jaccard", "hd95_mm", "mean_surface_mm", "nsd")


def run(
    n: int = MONAI_PAIRS, raters: int = RATERS, shape: tuple[int, int, int] = SHAPE
) -> dict[str, Any]:
    """`n` pairs, evenly spread over all of them, are measured by MONAI too."""
    given = simulated_raters(raters, shape)
    agree(simulated_raters(2, (24, 24, 24)))  # loads what is loaded late
    before = _peak_mib()
    started, worked = perf_counter(), process_time()
    found = agree(given, tolerance_mm=TOLERANCE_MM)
    seconds, cpu_seconds = perf_counter() - started, process_time() - worked
    memory = _peak_mib() - before
    pairs = list(combinations(given, 2))
    chosen = [pairs[place] for place in np.linspace(0, len(pairs) - 1, n).astype(int)]
    _monai(*list(simulated_raters(2, (24, 24, 24)).values()))
    theirs, spent, laboured = {}, 0.0, 0.0
    for first, second in chosen:
        started, worked = perf_counter(), process_time()
        theirs[first, second] = _monai(given[first], given[second])
        spent += perf_counter() - started
        laboured += process_time() - worked
    errors = _errors(found, theirs)
    return {
        "speedup_vs_monai": spent / len(chosen) * len(pairs) / seconds,
        "max_abs_error": max(errors.values()),
        "seconds_20_raters": seconds,
        "cpu_seconds": cpu_seconds,
        "speedup_in_cpu_seconds": laboured / len(chosen) * len(pairs) / cpu_seconds,
        "errors": errors,
        "raters": raters,
        "pairs": len(pairs),
        "monai_seconds_per_pair": spent / len(chosen),
        "monai_pairs_timed": len(chosen),
        "memory_mib": round(memory),
    }


def simulated_raters(
    count: int, shape: tuple[int, int, int], seed: int = 0
) -> dict[str, Annotation]:
    """Annotations of one tumour on voxels of 1 mm; the tumour shrinks with a small `shape`."""
    random = np.random.default_rng(seed)
    grid = Grid(shape, np.array([[0, 0, -1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1.0]]))
    scale = min(1.0, min(shape) / (4.0 * _RADII[0]))
    middle = [round(n * share) for n, share in zip(shape, (0.5, 0.45, 0.4), strict=True)]
    reach = round(_REACH * scale)
    box = tuple(
        slice(max(m - reach, 0), min(m + reach, n)) for m, n in zip(middle, shape, strict=True)
    )
    index = np.ogrid[box]
    apart = sum((axis - m) ** 2 for axis, m in zip(index, middle, strict=True))
    sides = tuple(apart.shape)
    distance = np.sqrt(apart).astype(np.float32) + _smooth(random, sides, _LOBES * scale)
    found: dict[str, Annotation] = {}
    for number in range(count):
        seen = distance + _smooth(random, sides, _JITTER * scale)
        inner = 3 if number % 7 else 2  # some see no innermost region
        codes = np.zeros(shape, np.uint8)
        for radius in _RADII[:inner]:
            codes[box] += seen < radius * scale
        if number % 4 == 1:  # an island that others do not have
            place = random.integers(2, np.array(shape) - 2 - round(6 * scale))
            cube = tuple(slice(start, start + max(round(6 * scale), 1)) for start in place)
            codes[cube] = np.maximum(codes[cube], 1)
        found[f"rater-{number + 1}"] = Annotation(
            codes, grid, load_protocol(), SourceSpace.of(grid)
        )
    return found


def _smooth(random: np.random.Generator, shape: tuple[int, ...], mm: float) -> NDArray[np.float32]:
    """Noise of a standard deviation of about `mm` that changes over some 12 voxels."""
    from scipy import ndimage

    coarse = random.normal(0.0, mm, [n // _COARSE + 2 for n in shape]).astype(np.float32)
    fine: NDArray[np.float32] = ndimage.zoom(coarse, _COARSE, order=1)
    return fine[tuple(slice(n) for n in shape)]


def _monai(first: Annotation, second: Annotation) -> dict[str, NDArray[np.float64]]:
    """Five measures of a pair in all regions, as MONAI's users get them."""
    import torch
    from monai import metrics

    names = [region.name for region in first.protocol.regions]
    batch = [
        torch.from_numpy(np.stack([rater.region(name) for name in names])[None])
        for rater in (first, second)
    ]
    spaced = {"include_background": True, "spacing": list(first.grid.spacing)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of empty regions, and of its own future
        found = {
            "dice": metrics.compute_dice(*batch),
            "jaccard": metrics.compute_iou(*batch),
            "hd95_mm": metrics.compute_hausdorff_distance(*batch, percentile=95, **spaced),
            "mean_surface_mm": metrics.compute_average_surface_distance(
                *batch, symmetric=True, **spaced
            ),
            "nsd": metrics.compute_surface_dice(
                *batch, class_thresholds=[TOLERANCE_MM] * len(names), **spaced
            ),
        }
    return {measure: value[0].double().numpy() for measure, value in found.items()}


def _errors(
    ours: CaseAgreement, theirs: dict[tuple[str, str], dict[str, NDArray[np.float64]]]
) -> dict[str, float]:
    """The largest difference by measure, where MONAI has a number."""
    worst = dict.fromkeys(_MEASURES, 0.0)
    for number, region in enumerate(ours.regions.values()):
        for pair in region.pairs:
            for measure, values in theirs.get((pair.first, pair.second), {}).items():
                value = getattr(pair, measure)
                if value is not None and np.isfinite(values[number]):
                    worst[measure] = max(worst[measure], abs(value - float(values[number])))
    return worst


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
