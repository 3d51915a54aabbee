"""What correcting costs in the real window, against napari alone on the same case in the same run.

Two windows show the same case (240x240x155, four contrasts and labels) at the same size: one with
this plugin's panel and work file, one plain. Both get the same mouse drags and keys through Qt,
event by event in turns, so that a busy machine slows both alike. A sample is one move of the mouse
(or one key), from the event to the frame that shows it.

- `nested_brush_ratio`, `adaptive_brush_ratio`, `slice_step_ratio`: p95 to p95 of napari's own, the
  median over the rounds (strokes, runs through slices); the worst of: in the plane and as a ball,
  the adaptive brush looking at one contrast and at all four.
- `refine_first_s`, `refine_p95_s`: from the key to the refined labels on the screen, one region in
  a box of at most 64 voxels; the first makes features and loads libraries, the others come
  with one scribble more each.
- `undo_p95_s`: undo and redo of steps of all kinds, from the key to the frame; `undo_worst` is the
  slowest kind. `undo_handled_p95_s` is what of it is spent in the key's handlers, processor's time:
  until all is undone and told to all who show it; the rest is one frame, as in napari's own
  strokes (`napari_ms` in `rows`).
- On a busy machine trust the processor's time, in which other programs do not count:
  `handled_ratios` of the event's handlers alone (drawing is the same for both), `work_ratios` of
  all threads to the frame, and `work`. `load` is how many programs wanted a core, before and after.
"""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._display import display, environment
from benchmarks._latency_desk import open_desk

if TYPE_CHECKING:
    from benchmarks._latency_desk import Rounds, Taken

#: How often each tool draws its stroke of a dozen moves.
STROKES = 6

#: No more are begun after so long, but for the least number of rounds (seconds).
STROKES_SECONDS, SLICES_SECONDS = 100.0, 30.0

#: Refinements after the first.
REFINES = 12


def run(n: int = STROKES) -> dict[str, Any]:
    """`n` strokes with each tool, and `n` times up or down some slices, as far as time allows."""
    with (
        TemporaryDirectory() as folder,
        environment(NAPARI_CONFIG="", NAPARI_MMSEG_WORK=folder),
        display(),
        open_desk() as desk,
    ):
        load = [load_now()]
        strokes = desk.strokes(n, STROKES_SECONDS)
        slices = desk.slices(n, SLICES_SECONDS)
        refined, undone = desk.refinements(REFINES), desk.undo()
        load.append(load_now())
        screen = {"drawn_by": desk.ours.renderer, "canvas": desk.ours.canvas.size}
    rows = {name: row(rounds) for name, rounds in strokes.items()}
    rows["slice step"] = row(slices)
    return {
        "nested_brush_ratio": worst(rows, "nested"),
        "adaptive_brush_ratio": worst(rows, "adaptive"),
        "slice_step_ratio": worst(rows, "slice"),
        "refine_p95_s": round(p95([one.seconds for one in refined[1:]]), 3),
        "refine_first_s": round(refined[0].seconds, 3),
        **undo_times(undone),
        "work": {
            "refine_p95_s": round(p95([one.work for one in refined[1:]]), 3),
            "refine_first_s": round(refined[0].work, 3),
            "undo_p95_s": round(p95([one.work for kind in undone.values() for one in kind]), 4),
        },
        **{
            f"{key}s": {kind: worst(rows, kind, key) for kind in ("nested", "adaptive", "slice")}
            for key in ("handled_ratio", "work_ratio")
        },
        "rows": rows,
        "refinements": len(refined),
        "load": load,
        **screen,
    }


def row(rounds: Rounds) -> dict[str, float]:
    """One thing done in both windows: p95s in ms and their ratios, the median over the rounds.

    The p95 of a round is near its longest sample; so one long pause of the machine spoils one
    round only.
    """
    times = np.array(rounds)  # round, sample, ours or napari's, handled or drawn or work
    highest = np.percentile(times, 95, axis=1)
    ratios = np.median(highest[:, 0] / highest[:, 1], axis=0)
    ours, napari = np.percentile(times, 95, axis=(0, 1))
    return {
        "ratio": round(float(ratios[1]), 3),
        "handled_ratio": round(float(ratios[0]), 3),
        "work_ratio": round(float(ratios[2]), 3),
        "ours_ms": round(float(ours[1]), 2),
        "napari_ms": round(float(napari[1]), 2),
        "ours_handled_ms": round(float(ours[0]), 2),
        "napari_handled_ms": round(float(napari[0]), 2),
        "samples": times.shape[0] * times.shape[1],
    }


def worst(rows: dict[str, dict[str, float]], kind: str, key: str = "ratio") -> float:
    """The largest ratio of the rows whose names begin with `kind`."""
    return max(row[key] for name, row in rows.items() if name.startswith(kind))


def undo_times(undone: dict[str, list[Taken]]) -> dict[str, Any]:
    """p95 over all steps, and the slowest kind of step with its median."""
    times = {label: [one.seconds for one in taken] for label, taken in undone.items()}
    slowest = max(times, key=lambda label: float(np.median(times[label])))
    every = [one for taken in undone.values() for one in taken]
    return {
        "undo_p95_s": round(p95([one.seconds for one in every]), 4),
        "undo_handled_p95_s": round(p95([one.handled for one in every]), 4),
        "undo_worst": {slowest: round(float(np.median(times[slowest])), 4)},
        "undo_samples": len(every),
    }


def load_now() -> float:
    """How many programs wanted a core in the last minute; -1 where the system does not tell."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else -1.0


def p95(values: Any) -> float:
    return float(np.percentile(values, 95))
