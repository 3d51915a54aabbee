"""A simulated user corrects the default model's proposal until Dice is 0.95 in all regions.

Keys: `saving_vs_manual` and `saving_vs_brush` (1 - median simulated time with our tools / with
the plain brush from nothing / with the plain brush from the proposal, or from nothing where that
is quicker, over the cases in which all three reached the Dice), `cases` (per case and user:
minutes, strokes, keys, voxels changed, Dice before and after, seconds by kind of act and by tool),
`reached`, `cost_model`. What hand and eye
can do is said in `_robot_hand.py`, `_robot_plan.py`, `_robot_user.py` and `_robot_tools.py`: all
three draw alike (brushes of any size, outlines that are filled), and stop when it is enough.

`python -m benchmarks robot --json` runs all six cases, which takes long (`python -m
benchmarks.robot --processes 2` shares them out; nobody works longer than `GIVES_UP_S` on one);
`python -m benchmarks.robot --simulated 1 --no-real` runs fewer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from statistics import median
from typing import Any

import numpy as np

from benchmarks._robot_cases import Task, tasks
from benchmarks._robot_tools import ToolUser
from benchmarks._robot_user import TARGET_DICE, User
from napari_mmseg.editing import EditSession
from napari_mmseg.errors import InputError

SIMULATED = 5
USERS = ("manual", "brush", "tools")
COST_MODEL = "keystroke-level model (Card, Moran & Newell 1980), operators K P B M D"


#: A user who has worked for so long on a case gives up (seconds of this machine's time).
GIVES_UP_S = 600.0


def run(simulated: int = SIMULATED, real: bool = True, processes: int = 1) -> dict[str, Any]:
    """All three users on every case; the cases are shared among so many processes."""
    parts = [(simulated, real, part, processes) for part in range(processes)]
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(_part, parts))
    else:
        found = [_part(one) for one in parts]
    rows = {name: row for one in found for name, row in one.items()}
    if not rows:
        raise InputError("there is no case for the robot: ask for at least one")
    return {**savings(rows), "cases": rows, "target_dice": TARGET_DICE, "cost_model": COST_MODEL}


def _part(asked: tuple[int, bool, int, int]) -> dict[str, dict[str, dict[str, Any]]]:
    return {task.name: compare(task) for task in tasks(*asked)}


def compare(task: Task, seed: int = 0, users: Sequence[str] = USERS) -> dict[str, dict[str, Any]]:
    """One row a user: the plain brush from nothing and from the proposal, our tools from it."""
    return {name: _user(name, task, seed).work(GIVES_UP_S) for name in users}


def _user(name: str, task: Task, seed: int) -> User:
    if name == "manual":
        empty = replace(task.proposal, codes=np.zeros_like(task.proposal.codes))
        return User(EditSession(empty), task.target, seed)
    session = EditSession(task.proposal)
    if name == "brush":
        return User(session, task.target, seed)
    return ToolUser(
        session,
        task.target,
        task.images,
        task.probabilities,
        seed,
        thresholds=task.thresholds,
        at_thresholds=task.at_thresholds,
    )


def savings(rows: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """The shares of time saved, over the cases that every user brought to the Dice.

    Somebody with the plain brush starts from nothing where the proposal costs more than it saves.
    """
    done = [case for case in rows.values() if all(case[user]["reached"] for user in USERS)]
    told: dict[str, Any] = {"reached": len(done)}
    ours = [case["tools"]["minutes"] for case in done]
    for key, others in (("saving_vs_manual", ["manual"]), ("saving_vs_brush", ["manual", "brush"])):
        theirs = [min(case[user]["minutes"] for user in others) for case in done]
        known = bool(done) and median(theirs) > 0
        told[key] = round(1 - median(ours) / median(theirs), 3) if known else None
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulated", type=int, default=SIMULATED, metavar="N")
    parser.add_argument("--real", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--processes", type=int, default=1, metavar="N")
    options = parser.parse_args()
    print(json.dumps(run(options.simulated, options.real, options.processes), indent=2))


if __name__ == "__main__":
    main()
