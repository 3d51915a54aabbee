"""How long a look at a whole study takes: 20 raters, 500 cases, each reading begun."""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from napari_mmseg.annotation import Annotation
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.grid import DISPLAY_ORIENTATION, Grid
from napari_mmseg.journal import Journal, table
from napari_mmseg.journal.schema import CREATE, INSERT, Row
from napari_mmseg.protocol import load_protocol
from napari_mmseg.study.assign import Assignment
from napari_mmseg.study.belonging import expected_fingerprint
from napari_mmseg.study.log import add_line
from napari_mmseg.study.make import put
from napari_mmseg.study.plan import CaseEntry, Design, Plan
from napari_mmseg.study.study import Study
from napari_mmseg.volume import SourceSpace

#: Axes I, P, L: a case as in BraTS.
SHAPE = (155, 240, 240)

_STROKES = 20


def run(raters: int = 20, cases: int = 500, times: int = 5) -> dict[str, Any]:
    """Seconds of `napari-mmseg study status --json`, the program's start included.

    Every work file holds 20 strokes; every second reading is submitted. `cold_s` is without an
    index, `warm_s` the median with one, `cpu_s` the processor's time of that (on a machine that
    does other things meanwhile, it is nearer to what an idle one takes).
    """
    with tempfile.TemporaryDirectory(prefix="mmseg-study-") as folder:
        study = _study(Path(folder) / "study", raters, cases)
        _fill(study, Path(folder) / "one.mmseg")
        cache = Path(folder) / "cache"
        cold, _ = _look(study.folder, cache)
        time.sleep(2.5)  # files written a moment ago are not remembered
        _look(study.folder, cache)
        warm = [_look(study.folder, cache) for _ in range(times)]
    return {
        "readings": len(study.assignments),
        "cold_s": round(cold, 2),
        "warm_s": round(statistics.median(wall for wall, _ in warm), 2),
        "warm_best_s": round(min(wall for wall, _ in warm), 2),
        "cpu_s": round(statistics.median(cpu for _, cpu in warm), 2),
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def _look(folder: Path, cache: Path) -> tuple[float, float]:
    """Seconds by the wall and of the processor."""
    before, began = _spent(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "napari_mmseg", "study", "status", str(folder), "--json"],
        env={**os.environ, "NAPARI_MMSEG_CACHE": str(cache)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began, _spent() - before


def _spent() -> float:
    used = os.times()
    return used.children_user + used.children_system


def _study(folder: Path, raters: int, cases: int) -> Study:
    """A study whose images are not there: a look at it needs none."""
    folder.mkdir()
    affine = np.diag([-1.0, -1.0, -1.0, 1.0])[[2, 1, 0, 3]]
    grid = Grid(SHAPE, affine)
    assert grid.orientation == DISPLAY_ORIENTATION
    entries = tuple(
        CaseEntry(f"case-{n:03d}", f"../cases/{n}", f"{n:020x}", grid) for n in range(cases)
    )
    names = tuple(f"rater{n:02d}" for n in range(raters))
    plan = Plan("benchmark", "glioma", 1, Design(), names, entries)
    return put(Study(folder, plan, ()), plan)


def _fill(study: Study, template: Path) -> None:
    """A work file for every reading: one that was really drawn, under each reading's name."""
    rows = _drawn(study.plan.cases[0].grid, template)
    for assignment in study.assignments:
        told = rows[0].told
        told["header"] |= _header(study, assignment)
        first = Row.of(1, "base", rows[0].at, told, rows[0].data)
        with _quick(study.work_file(assignment)) as connection:
            connection.executemany(INSERT, [r.stored for r in (first, *rows[1:])])
        if assignment.order % 2:
            add_line(study.log_file(assignment), {"deed": "submit", "confidence": 3, "codes": ""})


def _header(study: Study, assignment: Assignment) -> dict[str, str]:
    entry = study.cases[assignment.case]
    return {
        "rater": assignment.rater,
        "fingerprint": expected_fingerprint(assignment, entry),
    }


def _drawn(grid: Grid, path: Path) -> list[Row]:
    codes = np.zeros(grid.shape, np.uint8)
    edit = EditSession(Annotation(codes, grid, load_protocol(), SourceSpace.of(grid)))
    journal = Journal(edit, path, "0" * 20, "rater")
    for number in range(_STROKES):
        disc = Footprint((60, 60 + 5 * number, 80), np.ones((1, 9, 9), bool))
        edit.apply(Stroke("WT", Mode.PAINT, disc), "brush: add WT")
    journal.close()
    return table.read_rows(path)[0]


@contextmanager
def _quick(path: Path) -> Iterator[sqlite3.Connection]:
    """A new work file that need not survive a loss of power."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        for statement in CREATE:
            connection.execute(statement)
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
