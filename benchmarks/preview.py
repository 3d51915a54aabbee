"""How soon the quick look is there, and how near it comes to the full result, on the processor.

`seconds` run from the call to the preview in hand, images in memory and the program warm (median of
several). `dice` is of the preview's labels against those of the full result, by region, on the
sample case that comes with the program; `dice_on_a_2_mm_grid` shows why the preview does not take
voxels of 2 mm. `network_input` is the preview's grid, `full_input` the full result's.
"""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_mmseg.annotation import Annotation
from napari_mmseg.case import Case
from napari_mmseg.errors import Cancelled
from napari_mmseg.inference import Prediction, predict
from napari_mmseg.inference.engine import open_processor
from napari_mmseg.inference.prepare import prepare
from napari_mmseg.inference.preview import coarse_shape, quick_look
from napari_mmseg.inference.progress import Watch
from napari_mmseg.io import open_case
from napari_mmseg.models import load_card

SAMPLE = Path(__file__).parents[1] / "sample_data" / "simulated-001"
LOOKS = 3


def run() -> dict[str, Any]:
    card, case = load_card(), open_case(SAMPLE)
    full = predict(case, device="cpu")  # also settles which precision is used
    looks = [look(case) for _ in range(LOOKS)]
    prepared, engine = prepare(case, card, Watch()), open_processor(card)
    _, a, b, c = prepared.channels.shape
    on_2_mm = quick_look(
        lambda channels: engine.run(channels, Watch().check),
        prepared.channels,
        card.stride,
        most=a * b * c // 8,
    )
    halved = replace(full, probabilities=prepared.restore(on_2_mm)[0])
    return {
        "seconds": statistics.median(seconds for _, seconds in looks),
        "dice": dice(looks[0][0].annotation(), full.annotation()),
        "dice_on_a_2_mm_grid": dice(halved.annotation(), full.annotation()),
        "full_seconds": sum(full.seconds.values()),
        "network_input": "x".join(map(str, coarse_shape((a, b, c), card.stride))),
        "full_input": f"{a}x{b}x{c}",
        "engine": full.engine,
        "data": "sample_data/simulated-001 (simulated)",
    }


def look(case: Case) -> tuple[Prediction, float]:
    """The preview of a case, and how many seconds after the call it was there.

    The full pass that would follow is not waited for.
    """
    seen: list[tuple[Prediction, float]] = []
    start = time.perf_counter()
    with suppress(Cancelled):  # as asked for as soon as the preview is there
        predict(
            case,
            device="cpu",
            preview=lambda found: seen.append((found, time.perf_counter() - start)),
            cancelled=lambda: bool(seen),
        )
    return seen[0]


def dice(first: Annotation, second: Annotation) -> dict[str, float | None]:
    """By region; None where neither has it."""
    found: dict[str, float | None] = {}
    for region in first.protocol.regions:
        a, b = first.region(region.name), second.region(region.name)
        total = int(a.sum()) + int(b.sum())
        found[region.name] = 2 * int(np.count_nonzero(a & b)) / total if total else None
    return found
