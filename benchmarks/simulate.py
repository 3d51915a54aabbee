"""How many whole cases a second the simulator makes on this machine's cores.

A case is a deformed head with tumour, four contrasts and their artefacts, normalised; simulated as
the training's worker does, which keeps its memory (`training/memory.py`). Keys: `cases_per_s`,
`target_cases_per_s`, `shape` (of the made-up head that it starts from), `cpu_s` (processor time of
a case, which other work on the machine changes less).
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from napari_mmseg.training.memory import held_environment

if TYPE_CHECKING:
    from napari_mmseg.training.simulate.anatomy import Head

#: What training on 2 cores needs so that the network never waits.
TARGET_CASES_PER_S = 0.5
SHAPE = (144, 176, 144)
CASES = 12
PROCESSES = 2


def run() -> dict[str, Any]:
    """Simulate in two processes of one thread each; the first case of each is not counted."""
    before = dict(os.environ)
    os.environ |= held_environment(before)
    try:
        with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
            list(pool.map(_simulate, range(PROCESSES)))
            started = time.perf_counter()
            made = list(pool.map(_simulate, range(PROCESSES, PROCESSES + CASES)))
            seconds = time.perf_counter() - started
    finally:
        os.environ.clear()
        os.environ |= before
    return {
        "cases_per_s": round(CASES / seconds, 3),
        "target_cases_per_s": TARGET_CASES_PER_S,
        "shape": SHAPE,
        "cpu_s": round(sum(spent for _, spent in made) / CASES, 2),
        "with_tumour": sum(ill for ill, _ in made),
        "processes": min(PROCESSES, os.cpu_count() or 1),
    }


def _simulate(seed: int) -> tuple[bool, float]:
    """One case from scratch: has it a tumour, and the processor time that it took (s)."""
    import torch

    from napari_mmseg.training.simulate.case import simulate_geometry
    from napari_mmseg.training.simulate.chance import Chance
    from napari_mmseg.training.simulate.render import draw_recipe, render

    torch.set_num_threads(1)
    started = time.process_time()
    chance = Chance(17, seed)
    case = simulate_geometry(_head(), chance)
    i, p, left = case.shape
    box = (slice(0, i), slice(0, p), slice(0, left))
    images = render(case, box, draw_recipe(case, chance), chance)
    assert bool(torch.isfinite(images).all())
    return bool(case.depth().any()), time.process_time() - started


@cache
def _head() -> Head:
    """The made-up head cut to `SHAPE`, made once in a process, as a label map is read once."""
    import numpy as np

    from napari_mmseg.training.simulate.anatomy import procedural_head

    cube = procedural_head(0, max(SHAPE))
    cut = [
        slice((side - n) // 2, (side - n) // 2 + n)
        for side, n in zip(cube.shape, SHAPE, strict=True)
    ]
    return np.ascontiguousarray(cube[tuple(cut)])
