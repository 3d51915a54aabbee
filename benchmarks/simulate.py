"""How many whole cases a second the simulator makes on this machine's cores.

A case is a deformed head with tumour, four contrasts and their artefacts, normalised. Keys:
`cases_per_s`, `target_cases_per_s`, `shape` (of the made-up head that it starts from).
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

#: What training on 2 cores needs so that the network never waits.
TARGET_CASES_PER_S = 0.5
SHAPE = (144, 176, 144)
CASES = 12
PROCESSES = 2


def run() -> dict[str, Any]:
    """Simulate in two processes of one thread each; the first case of each is not counted."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        list(pool.map(_simulate, range(PROCESSES)))
        started = time.perf_counter()
        tumours = list(pool.map(_simulate, range(PROCESSES, PROCESSES + CASES)))
        seconds = time.perf_counter() - started
    return {
        "cases_per_s": round(CASES / seconds, 3),
        "target_cases_per_s": TARGET_CASES_PER_S,
        "shape": SHAPE,
        "with_tumour": sum(tumours),
        "processes": min(PROCESSES, os.cpu_count() or 1),
    }


def _simulate(seed: int) -> bool:
    """One case from scratch; True when it has a tumour."""
    import numpy as np
    import torch

    from napari_mmseg.training.simulate.anatomy import procedural_head
    from napari_mmseg.training.simulate.case import simulate_geometry
    from napari_mmseg.training.simulate.chance import Chance
    from napari_mmseg.training.simulate.render import draw_recipe, render

    torch.set_num_threads(1)
    cube = procedural_head(0, max(SHAPE))
    cut = [
        slice((side - n) // 2, (side - n) // 2 + n)
        for side, n in zip(cube.shape, SHAPE, strict=True)
    ]
    chance = Chance(17, seed)
    case = simulate_geometry(np.ascontiguousarray(cube[tuple(cut)]), chance)
    i, p, left = case.shape
    box = (slice(0, i), slice(0, p), slice(0, left))
    images = render(case, box, draw_recipe(case, chance), chance)
    assert bool(torch.isfinite(images).all())
    return bool(case.depth().any())
