"""Kill a robot that paints, at random moments, and see what its work file still holds.

A child process paints on a case of BraTS size through a napari Labels layer, the edit session and
the journal, as fast as a brisk hand with a mouse, undoing and redoing now and then. It is ended
with SIGKILL in the middle; then its work file is opened and compared, voxel by voxel, with what the
same robot does in this process.
"""

from __future__ import annotations

import os
import random
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

SHAPE = (155, 240, 240)
ROUNDS = 20

#: So many rounds go on with the same file, each from where the one before was killed.
ROUNDS_A_FILE = 5

#: The kill comes at a random moment within so long after the first act (seconds).
LONGEST_SECONDS = 2.0

#: Mice report their place about so often, and a hand pauses between strokes (seconds).
MOVE_SECONDS = 0.008
PAUSE_SECONDS = 0.05

_START_SECONDS = 120.0


def run(n: int = ROUNDS) -> dict[str, Any]:
    """`strokes_lost_max`, `corrupt`, `violations` over `n` kills."""
    rng = random.Random(7)
    lost: list[int] = []
    acts = corrupt = violations = 0
    with TemporaryDirectory() as folder:
        for number in range(n):
            path = Path(folder) / f"{number // ROUNDS_A_FILE}.mmseg"
            told = _killed_at_random(path, number, rng.uniform(0.0, LONGEST_SECONDS))
            found = _judge(path, number, told)
            acts += told
            lost.append(found["lost"])
            corrupt += found["corrupt"]
            violations += found["violated"]
    return {
        "strokes_lost_max": max(lost),
        "corrupt": corrupt,
        "violations": violations,
        "kills": n,
        "acts": acts,
        "kills_that_lost_one": sum(count > 0 for count in lost),
    }


class Robot:
    """Paints, undoes and redoes, always the same for one seed."""

    def __init__(self, session: Any, seed: int, sleep: Any = lambda seconds: None) -> None:
        from napari.components import ViewerModel

        from napari_mmseg._napari.editing_controller import attach_editing

        self._session = session
        self._rng = np.random.default_rng(seed)
        self._sleep = sleep
        self._viewer = ViewerModel()
        self._layer = self._viewer.add_labels(session.codes.copy())
        self._controller = attach_editing(self._viewer, self._layer, session)

    def act(self) -> None:
        """One step of the history, whatever it is."""
        session, rng = self._session, self._rng
        kind = rng.random()
        if kind < 0.1 and session.can_undo:
            session.undo()
        elif kind < 0.15 and session.can_redo:
            session.redo()
        else:
            before = session.state
            while session.state == before:  # a stroke over what is there already is no step
                self._stroke()
        self._sleep(PAUSE_SECONDS)

    def _stroke(self) -> None:
        rng = self._rng
        low, high = np.array(SHAPE) // 4, 3 * np.array(SHAPE) // 4
        place = rng.integers(low, high)
        label = int(rng.integers(0, 4))
        self._controller.use(diameter=float(rng.integers(4, 20)))
        with self._layer.block_history():
            for _ in range(int(rng.integers(3, 15))):
                self._layer.paint(tuple(int(i) for i in place), label)
                place[1:] += rng.integers(-3, 4, 2)
                self._sleep(MOVE_SECONDS)


def _killed_at_random(path: Path, seed: int, seconds: float) -> int:
    """Let a child paint, kill it; how many acts it had ended by then."""
    context = get_context("fork" if hasattr(os, "fork") else "spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_paint, args=(path, seed, there), daemon=True)
    child.start()
    there.close()
    told = 0
    kill_at = None
    begun = time.monotonic()
    try:
        while kill_at is None or time.monotonic() < kill_at:
            if time.monotonic() - begun > _START_SECONDS:
                raise RuntimeError("the robot did not begin to paint")
            left = 0.1 if kill_at is None else max(0.0, kill_at - time.monotonic())
            if here.poll(min(left, 0.1)):
                told = here.recv()
                kill_at = kill_at or time.monotonic() + seconds
    finally:
        child.kill()
        child.join()
    while here.poll():  # what it had said before it died
        try:
            told = here.recv()
        except EOFError:
            break
    return told


def _paint(path: Path, seed: int, told: Connection) -> None:
    session, _ = _opened(path)
    robot = Robot(session, seed, time.sleep)
    for count in range(1, 10**6):
        robot.act()
        told.send(count)


def _judge(path: Path, seed: int, told: int) -> dict[str, int]:
    """Open the file as a user would, and compare it with the same robot's work here."""
    from napari_mmseg.editing import EditSession
    from napari_mmseg.journal import load_work

    before = _known.pop(path, None)
    if before is None and (not path.exists() or not _is_begun(path)):
        return {"lost": told, "corrupt": 0, "violated": 0}  # killed before the first commit
    try:
        work, is_damaged = load_work(path)
    except Exception as error:
        print(f"kill: round {seed}: {error}")
        return {"lost": told, "corrupt": 1, "violated": 0}
    had = 0 if before is None else len(before.entries)
    kept = len(work.entries) - had
    session = EditSession(_empty())
    if before is not None:
        session.resume(before.memory)
    robot = Robot(session, seed)
    for _ in range(kept):
        robot.act()
    protocol = session.protocol
    nested = all(
        not (
            protocol.inside(work.memory.codes, region.name)
            & ~protocol.inside(work.memory.codes, region.parent)
        ).any()
        for region in protocol.regions
        if region.parent
    )
    same = np.array_equal(session.codes, work.memory.codes) and (
        session.undo_depth == len(work.memory.done)
    )
    _known[path] = work
    return {
        "lost": max(told - kept, 0),
        "corrupt": int(is_damaged),
        "violated": int(not (nested and same)),
    }


#: What each file held when it was last opened.
_known: dict[Path, Any] = {}


def _is_begun(path: Path) -> bool:
    """Has anything been committed?"""
    from napari_mmseg.journal.table import read_rows

    return bool(read_rows(path)[0])


def _opened(path: Path) -> tuple[Any, Any]:
    from napari_mmseg.editing import EditSession
    from napari_mmseg.journal import Journal

    session = EditSession(_empty())
    return session, Journal(session, path, "robot", "robot")


def _empty() -> Any:
    from napari_mmseg.annotation import Annotation
    from napari_mmseg.grid import Grid
    from napari_mmseg.protocol import load_protocol
    from napari_mmseg.volume import SourceSpace

    affine = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1]], dtype=float)
    grid = Grid(SHAPE, affine)
    return Annotation(np.zeros(SHAPE, np.uint8), grid, load_protocol(), SourceSpace.of(grid))
