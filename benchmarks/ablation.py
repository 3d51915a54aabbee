"""Networks x first weights x losses, each a short training run: one command, one table.

Every cell is a run of `--steps` on small crops of simulated cases, kept in a folder of its own in
the cache: the same command goes on where it was stopped. `--plan` lists the cells, what is done
and the minutes left; `--minutes N` begins no cell after that long; `--networks`, `--inits` and
`--losses` take names with commas, `--seeds` a number. Keys: `rows` (a setting: mean Dice on the
differently simulated and the real cases, with intervals over the cases and the mean of each seed,
and the real cases one by one), `cmft_over_kaiming`, `missing`. `--write` writes docs/ablation.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import Any

from napari_mmseg.errors import InputError

from ._ablation_cells import (
    INITS,
    MAIN_LOSSES,
    MORE_LOSSES,
    NETWORKS,
    Bench,
    Cell,
    cells,
    estimate,
    state_of,
)
from ._ablation_page import page, summarised
from .accuracy import DATA

ANATOMY = DATA / "brain_label_maps"
PAGE = Path(__file__).parents[1] / "docs" / "ablation.md"
STEPS, BASE, LEVELS, SEEDS = 200, 8, 4, 2


def run(
    steps: int = STEPS,
    seeds: int = SEEDS,
    networks: str | None = None,
    inits: str | None = None,
    losses: str | None = None,
    minutes: float | None = None,
    device: str = "cpu",
    plan: bool = False,
    write: bool = False,
) -> dict[str, Any]:
    """All cells that were asked for, as far as there is time."""
    from napari_mmseg.training.options import runs_folder

    folder = runs_folder() / f"ablation-{steps}-{BASE}x{LEVELS}"
    anatomy = ANATOMY if ANATOMY.is_dir() else None
    bench = Bench(folder, anatomy, steps, BASE, LEVELS, device)
    wanted = list(
        cells(
            _named(networks, NETWORKS, "network"),
            _named(inits, INITS, "init"),
            losses.split(",") if losses else MAIN_LOSSES,
            seeds,
            () if losses else MORE_LOSSES,
        )
    )
    if plan:
        left = {cell.name: estimate(bench, cell) for cell in wanted}
        return {
            "cells": {cell.name: state_of(bench, cell) for cell in wanted},
            "count": len(wanted),
            "minutes_left": round(sum(left.values()) / 60),
        }
    return finished(bench, wanted, minutes, write)


def finished(
    bench: Bench, wanted: list[Cell], minutes: float | None = None, write: bool = False
) -> dict[str, Any]:
    """The cells' results, those that are not there yet made first."""
    begun = monotonic()
    results = {}
    for number, cell in enumerate(wanted, start=1):
        found = bench.result(cell)
        if found is None and (minutes is None or monotonic() - begun < minutes * 60):
            print(f"{number} of {len(wanted)}: {cell.name}", flush=True)
            found = bench.finish(cell)
        if found is not None:
            results[cell] = found
    told = {
        **summarised(results),
        "missing": [cell.name for cell in wanted if cell not in results],
        "steps": bench.steps,
        "base": bench.base,
        "levels": bench.levels,
    }
    bench.folder.mkdir(parents=True, exist_ok=True)
    target = bench.folder / "ablation.json"
    temporary = target.with_suffix(".tmp")
    temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    temporary.replace(target)
    if write:
        if not results:
            raise InputError("no cell is done yet: there is no table to write")
        PAGE.write_text(page(told), encoding="utf-8")
    return told


def _named(given: str | None, known: Any, what: str) -> list[str]:
    """Names with commas; all of them without."""
    names = given.split(",") if given else list(known)
    for name in names:
        if name not in known:
            raise InputError(f"there is no {what} {name!r}: choose of {', '.join(known)}")
    return names
