"""What an adjudicator decided, as plain values: who, when, about what, and what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..protocol import Protocol

Taken = Literal["rater", "majority", "consensus", "painted"]

#: Voxels in a row of the array (C order) that got one code: first, how many, code.
Run = tuple[int, int, int]


@dataclass(frozen=True)
class Decision:
    """One dispute settled.

    Parameters
    ----------
    number
        Counts from 1; a number is not used again after an undo.
    dispute
        Key of the dispute; None for painting that belongs to none.
    taken
        Whose word was taken.
    rater
        The rater, where it was a rater's.
    who, when
        The adjudicator's pseudonym, and UTC in ISO 8601.
    changed
        Region to how many voxels came in ("added") and went out ("removed").
    painted
        What was painted, where that was taken.
    """

    number: int
    dispute: str | None
    taken: Taken
    rater: str | None
    who: str
    when: str
    changed: Mapping[str, Mapping[str, int]]
    painted: tuple[Run, ...] = ()


@dataclass(frozen=True)
class Undo:
    """The decision of that number, which was the last in force, was taken back."""

    number: int
    who: str
    when: str


Record = Decision | Undo


def to_plain(record: Record) -> dict[str, Any]:
    """Plain values for JSON."""
    if isinstance(record, Undo):
        return {"undo": record.number, "who": record.who, "when": record.when}
    told: dict[str, Any] = {
        "decision": record.number,
        "dispute": record.dispute,
        "taken": record.taken,
        "rater": record.rater,
        "who": record.who,
        "when": record.when,
        "changed": {region: dict(counts) for region, counts in record.changed.items()},
    }
    if record.painted:
        told["painted"] = [list(run) for run in record.painted]
    return told


def from_plain(told: Any) -> Record:
    """The record of plain values.

    Raises
    ------
    InputError
        When they are none.
    """
    try:
        if "undo" in told:
            return Undo(int(told["undo"]), str(told["who"]), str(told["when"]))
        if told["taken"] not in get_args(Taken):
            raise ValueError(told["taken"])
        return Decision(
            number=int(told["decision"]),
            dispute=None if told["dispute"] is None else str(told["dispute"]),
            taken=told["taken"],
            rater=None if told["rater"] is None else str(told["rater"]),
            who=str(told["who"]),
            when=str(told["when"]),
            changed={
                str(region): {str(key): int(n) for key, n in counts.items()}
                for region, counts in told["changed"].items()
            },
            painted=tuple((int(a), int(n), int(code)) for a, n, code in told.get("painted", ())),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError("an entry of the adjudication's log is damaged") from error


def counted(
    protocol: Protocol, before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> dict[str, dict[str, int]]:
    """How many voxels came into each region and went out, from codes before and after."""
    found: dict[str, dict[str, int]] = {}
    for region in protocol.regions:
        was, is_ = protocol.inside(before, region.name), protocol.inside(after, region.name)
        found[region.name] = {
            "added": int(np.count_nonzero(is_ & ~was)),
            "removed": int(np.count_nonzero(was & ~is_)),
        }
    return found


def runs_of(index: NDArray[np.int64], codes: NDArray[np.uint8]) -> tuple[Run, ...]:
    """Flat indices (ascending) and their codes as runs."""
    if not index.size:
        return ()
    breaks = np.flatnonzero((np.diff(index) != 1) | (np.diff(codes.astype(np.int16)) != 0)) + 1
    starts = np.concatenate([[0], breaks])
    lengths = np.diff(np.concatenate([starts, [index.size]]))
    return tuple(
        (int(index[start]), int(length), int(codes[start]))
        for start, length in zip(starts, lengths, strict=True)
    )


def paint_runs(codes: NDArray[np.uint8], runs: tuple[Run, ...]) -> NDArray[np.uint8]:
    """A copy of `codes` (any shape) with the runs in it.

    Raises
    ------
    InputError
        When a run leaves the array.
    """
    painted = codes.copy()
    flat = painted.reshape(-1)
    for start, length, code in runs:
        if start < 0 or length < 1 or start + length > flat.size or not 0 <= code <= 255:
            raise InputError("an entry of the adjudication's log paints outside the image")
        flat[start : start + length] = code
    return painted
