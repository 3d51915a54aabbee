"""What a work file costs: until a stroke is safe, to open thousands of them, in memory and on disk.

On a case of BraTS size (155x240x240, labels only, no window).

- `durable_p95_s`, `durable_max_s`: from a stroke's end until it is on the disk (synchronous=EXTRA),
  one stroke at a time as a hand makes them; `durable_burst_s` is the slowest of all when strokes
  come without a pause, many to a transaction.
- `open_s`: reading the file of all strokes and taking it up: labels, undo, redo and effort as they
  were; `open_work_s` is the processor's time of it, to be trusted on a busy machine.
- `memory_mib`: what the process holds more with them than without; `undo_mib` is what the undo
  history counts of it, and `undo_limit_mib` where its oldest steps go. `file_mib` lies on the disk.
- `undo_back_s`: the slowest undo of a hundred right after opening.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._latency_case import SHAPE

if TYPE_CHECKING:
    from napari_mmseg.annotation import Annotation
    from napari_mmseg.editing import EditSession

STROKES = 5000

#: Strokes that are waited for one by one.
SINGLE = 60

_MIB = 2**20


def run(n: int = STROKES, folder: Path | None = None) -> dict[str, Any]:
    """`n` strokes in one file; in `folder`, where that is another disk than the temporary one."""
    with TemporaryDirectory(dir=folder) as made:
        path = Path(made) / "w.mmseg"
        rng = np.random.default_rng(0)
        written = _written(path, n, rng)
        return {**written, **_opened(path, n), "strokes": n}


def _written(path: Path, n: int, rng: np.random.Generator) -> dict[str, float]:
    from napari_mmseg.editing import EditSession
    from napari_mmseg.journal import Journal

    session = EditSession(_empty())
    journal = Journal(session, path, "benchmark", "robot")
    writer = journal.writer
    assert writer is not None
    single = []
    for _ in range(min(SINGLE, n)):
        stroke(session, rng)
        begin = time.perf_counter()
        if not writer.flush():
            raise RuntimeError(writer.trouble or "the stroke was not written")
        single.append(time.perf_counter() - begin)
    while session.undo_depth < n:
        stroke(session, rng)
    if not journal.close():
        raise RuntimeError("the last strokes were not written")
    return {
        "durable_p95_s": round(float(np.percentile(single, 95)), 4),
        "durable_max_s": round(max(single), 4),
        "durable_burst_s": round(writer.slowest_seconds, 3),
        "file_mib": round(path.stat().st_size / _MIB, 2),
    }


def _opened(path: Path, n: int) -> dict[str, float]:
    from napari_mmseg.editing import EditSession
    from napari_mmseg.editing.history import HISTORY_LIMIT_BYTES
    from napari_mmseg.journal import Journal

    session = EditSession(_empty())
    before = _held()
    work, begin = time.process_time(), time.perf_counter()
    journal = Journal(session, path, "benchmark", "robot")
    seconds, work = time.perf_counter() - begin, time.process_time() - work
    if session.undo_depth != n:
        raise RuntimeError(f"{session.undo_depth} of {n} strokes came back")
    memory = _held() - before
    slowest = 0.0
    for _ in range(min(100, n)):
        begin = time.perf_counter()
        session.undo()
        slowest = max(slowest, time.perf_counter() - begin)
    steps = (*session.memory().done, *session.memory().undone)
    journal.close()
    return {
        "open_s": round(seconds, 3),
        "open_work_s": round(work, 3),
        "memory_mib": round(memory / _MIB, 1),
        "undo_mib": round(sum(step.nbytes for step in steps) / _MIB, 1),
        "undo_limit_mib": HISTORY_LIMIT_BYTES / _MIB,
        "undo_back_s": round(slowest, 4),
    }


def stroke(session: EditSession, rng: np.random.Generator) -> None:
    """A brush drawn over some centimetres of a slice, as one step; it always changes something."""
    from napari_mmseg.editing import Mode, Stroke, sweep

    before = session.undo_depth
    while session.undo_depth == before:
        start = [int(rng.integers(n // 4, 3 * n // 4)) for n in SHAPE]
        end = [start[0], *(i + int(rng.integers(-15, 16)) for i in start[1:])]
        region = str(rng.choice(("WT", "TC", "ET")))
        mode = Mode.ERASE if rng.random() < 0.3 else Mode.PAINT
        diameter = float(rng.integers(4, 20))
        area = sweep(
            (start[0], start[1], start[2]),
            (end[0], end[1], end[2]),
            diameter,
            session.grid.spacing,
            0,
        )
        session.apply(Stroke(region, mode, area), f"brush: {mode} {region}")


def _held() -> int:
    """Memory of this process (bytes)."""
    import psutil

    gc.collect()
    return int(psutil.Process().memory_info().rss)


def _empty() -> Annotation:
    from napari_mmseg.annotation import Annotation
    from napari_mmseg.grid import Grid
    from napari_mmseg.protocol import load_protocol
    from napari_mmseg.volume import SourceSpace

    affine = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1]], dtype=float)
    grid = Grid(SHAPE, affine)
    return Annotation(np.zeros(SHAPE, np.uint8), grid, load_protocol(), SourceSpace.of(grid))
