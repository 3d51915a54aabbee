"""Kill a robot that paints in the real window, at random moments, and see what is left.

Each round is a process of its own with a real napari window, this plugin's panel and a case of
BraTS size on a made-up screen (Xvfb). A robot paints on the canvas with the mouse as fast as a
brisk hand, undoes and redoes with keys, and is ended with SIGKILL in the middle (every tenth while
the case is being opened). At the end of each act, before it can be on the disk, the robot tells
a checksum of the labels; the work file is then opened and compared with that. Some rounds go
on with the file of the round before, through the window, and have to find what was found here.

- `strokes_lost_max`: acts that had ended and are not in the file, at most of all rounds; 1 is the
  stroke that was being written.
- `oldest_lost_s`: how long before the kill the oldest of these had ended.
- `corrupt`: files that cannot be opened or are damaged; `violations`: files whose labels, undo and
  redo are not those after one of the acts, or whose regions are not nested, or that the next
  window opened otherwise.

The next windows start while the present one paints; the programs are forked from one that has
loaded everything but has no window. `work_s` is the processor's time of all of them.
"""

from __future__ import annotations

import os
import random
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import _kill_robot as robot
from benchmarks._display import display, environment
from benchmarks._kill_robot import State

if TYPE_CHECKING:
    from napari_mmseg.journal.replay import Work

ROUNDS = 20

#: So many rounds go on with the same file, each from where the one before was killed.
ROUNDS_A_FILE = 5

#: One round of so many is killed while it opens the case.
OPENING_EVERY = 10

#: The kill comes at a random moment within so long after the first act, or after the case begins
#: to be opened (seconds).
LONGEST_SECONDS = 3.0
LONGEST_OPENING_SECONDS = 1.0

#: So many windows are open or being opened at a time.
AHEAD = 2

_START_SECONDS = 300.0


def run(n: int = ROUNDS) -> dict[str, Any]:
    """`strokes_lost_max`, `corrupt`, `violations` over `n` kills."""
    rng = random.Random(7)
    rounds: list[Round] = []
    begun, work = time.monotonic(), _work()
    with (
        TemporaryDirectory() as folder,
        environment(NAPARI_CONFIG="", NAPARI_MMSEG_RATER="robot", NAPARI_MMSEG_WORK="off"),
        display(),
    ):
        robot.prepare()
        painters = [Painter() for _ in range(min(AHEAD, n))]
        found: Found | None = None
        try:
            for number in range(n):
                painter = painters[0]
                painter.awaited()
                if number + AHEAD < n:
                    painters.append(Painter())
                where = Path(folder) / str(number // ROUNDS_A_FILE)
                if number % ROUNDS_A_FILE == 0:
                    found = None
                opening = number % OPENING_EVERY == OPENING_EVERY - 1
                longest = LONGEST_OPENING_SECONDS if opening else LONGEST_SECONDS
                states, killed_at = painter.killed(
                    where, number, rng.uniform(0.0, longest), opening
                )
                painters.remove(painter)
                found, judged = judge(where, found, states, killed_at)
                rounds.append(judged)
        finally:
            for painter in painters:
                painter.end()
    return {
        "strokes_lost_max": max(r.lost for r in rounds),
        "corrupt": sum(r.is_corrupt for r in rounds),
        "violations": sum(r.is_violated for r in rounds),
        "kills": n,
        "kills_while_opening": n // OPENING_EVERY,
        "acts": sum(r.acts for r in rounds),
        "kills_that_lost_one": sum(r.lost > 0 for r in rounds),
        "oldest_lost_s": round(max(r.oldest_lost for r in rounds), 3),
        "seconds": round(time.monotonic() - begun, 1),
        "work_s": round(_work() - work, 1),
    }


class Found(NamedTuple):
    """What a work file held when it was last opened here."""

    entries: int
    held: tuple[int, int, int]


class Round(NamedTuple):
    """How one kill ended."""

    acts: int
    lost: int = 0
    oldest_lost: float = 0.0
    is_corrupt: bool = False
    is_violated: bool = False


class Painter:
    """A process with a window, which is being opened."""

    def __init__(self) -> None:
        context: Any = get_context("fork" if hasattr(os, "fork") else "spawn")
        theirs, self._orders = context.Pipe(duplex=False)
        self._told, tell = context.Pipe(duplex=False)
        self._process = context.Process(target=robot.paint, args=(theirs, tell), daemon=True)
        self._process.start()
        theirs.close()
        tell.close()

    def awaited(self) -> None:
        """Wait until the window is there."""
        self._next()

    def killed(
        self, folder: Path, seed: int, seconds: float, while_opening: bool
    ) -> tuple[list[State], float]:
        """Let it paint, and kill it after so long; what it told, and when it was killed."""
        self._orders.send((str(folder), seed))
        states = [] if while_opening else [self._next(), self._next()]
        kill_at = time.monotonic() + seconds
        while (left := kill_at - time.monotonic()) > 0:
            if self._told.poll(left):
                states.append(self._next())
        killed_at = time.monotonic()
        self.end()
        states += _rest(self._told)
        return states, killed_at

    def end(self) -> None:
        self._process.kill()
        self._process.join()

    def _next(self) -> Any:
        if not self._told.poll(_START_SECONDS):
            raise RuntimeError("the robot says nothing")
        try:
            return self._told.recv()
        except EOFError:
            raise RuntimeError("the robot ended by itself: see what it printed") from None


def judge(
    folder: Path, before: Found | None, states: list[State], killed_at: float
) -> tuple[Found | None, Round]:
    """Open the work file as a user would; `states` begins with what the window opened."""
    from napari_mmseg.journal import load_work
    from napari_mmseg.journal.table import read_rows

    files = sorted(folder.glob("*.mmseg"))
    try:
        if not files or not read_rows(files[0])[0]:  # killed before the first commit
            return None, _round(states, 0, killed_at, before is not None, False)
        work, is_damaged = load_work(files[0])
    except Exception as error:
        print(f"kill: {type(error).__name__}: {error}")
        return None, _round(states, 0, killed_at, True, False)
    memory = work.memory
    held = robot.checksum(memory.codes), len(memory.done), len(memory.undone)
    kept = len(work.entries) - (before.entries if before is not None else 0)
    known = {state.count: state.held for state in states}
    if not states and before is not None:  # killed before the case was open
        known = {0: before.held}
    reopened = not states or before is None or states[0].held == before.held
    is_violated = not (known.get(kept) == held and reopened and is_nested(work))
    return Found(len(work.entries), held), _round(states, kept, killed_at, is_damaged, is_violated)


def is_nested(work: Work) -> bool:
    """Does every region lie in its parent?"""
    protocol, codes = work.header.load_protocol(), work.memory.codes
    return all(
        not (protocol.inside(codes, region.name) & ~protocol.inside(codes, region.parent)).any()
        for region in protocol.regions
        if region.parent
    )


def _round(
    states: list[State], kept: int, killed_at: float, is_corrupt: bool, is_violated: bool
) -> Round:
    lost = [state for state in states if state.count > kept]
    oldest = killed_at - lost[0].at if lost else 0.0
    acts = states[-1].count if states else 0
    return Round(acts, len(lost), oldest, is_corrupt, is_violated)


def _work() -> float:
    """The processor's time of this process and of those that have ended (seconds)."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _rest(told: Connection) -> list[State]:
    """What it had said before it died."""
    found = []
    try:
        while told.poll():
            found.append(told.recv())
    except EOFError:
        pass
    return found
