"""The table of readings from the labels of one case: each against the majority of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...annotation import Annotation
from ...errors import GeometryError, InputError
from ..metrics import SAME_PLACE_VOXELS
from .readings import RepeatedReading, ScoredReading


@dataclass(frozen=True, eq=False)
class Rated:
    """One reading's labels, and how they came about (see `ScoredReading`)."""

    rater: str
    annotation: Annotation
    repeat: int = 0
    proposal_shown: bool | None = None
    order: int | None = None
    active_s: float | None = None
    confidence: int | None = None


def score_case(
    case: str, rated: Sequence[Rated], proposal: Annotation | None = None
) -> tuple[list[ScoredReading], list[RepeatedReading]]:
    """Rows for all readings and regions of one case, and for all pairs of repeats.

    A reading is scored by its Dice with the majority of the *other* raters' first readings (its
    own vote would flatter it). Where exactly half of them vote for a voxel it counts by half, as
    if a fair coin decided.

    Raises
    ------
    InputError
        When the labels follow several protocols.
    GeometryError
        When they lie on several grids.
    """
    if not rated:
        return [], []
    every = [r.annotation for r in rated] + ([proposal] if proposal is not None else [])
    _check_alike(case, every)
    box = _box([a.codes for a in every])
    protocol, ml = every[0].protocol, every[0].grid.voxel_volume_ml
    scored: list[ScoredReading] = []
    repeats: list[RepeatedReading] = []
    firsts = {r.rater: n for n, r in reversed(list(enumerate(rated))) if r.repeat == 0}
    for region in protocol.regions:
        table = protocol.inside_table(region.name)
        masks = np.stack([table[a.codes[box]].ravel() for a in every])
        votes = masks[sorted(firsts.values())].sum(axis=0, dtype=np.int16)
        proposed = masks[-1] if proposal is not None else None
        for n, reading in enumerate(rated):
            own = firsts.get(reading.rater)
            others = len(firsts) - (own is not None)
            rest = votes - masks[own] if own is not None else votes
            score, volume = _against_majority(masks[n], rest, others)
            scored.append(
                ScoredReading(
                    reading.rater, case, region.name, reading.repeat, reading.proposal_shown,
                    reading.order, reading.active_s,
                    reading.confidence,
                    volume_ml=float(np.count_nonzero(masks[n]) * ml),
                    consensus_ml=None if volume is None else volume * ml,
                    score=score,
                    proposal_score=None if proposed is None else _dice(masks[n], proposed),
                )
            )  # fmt: skip
            if reading.repeat > 0 and own is not None:
                repeats.append(
                    RepeatedReading(
                        reading.rater, case, region.name, _dice(masks[own], masks[n]),
                        float(np.count_nonzero(masks[own]) * ml),
                        float(np.count_nonzero(masks[n]) * ml),
                    )
                )  # fmt: skip
    return scored, repeats


def _against_majority(
    mask: NDArray[np.bool_], votes: NDArray[np.int16], voters: int
) -> tuple[float | None, float | None]:
    """Dice with the majority, and its voxels; None without voters (and Dice where both lack it)."""
    if voters == 0:
        return None, None
    sure, tied = 2 * votes > voters, 2 * votes == voters
    size = float(np.count_nonzero(sure)) + np.count_nonzero(tied) / 2
    both = np.count_nonzero(mask & sure) + np.count_nonzero(mask & tied) / 2
    total = np.count_nonzero(mask) + size
    return (float(2 * both / total) if total else None), size


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return float(2 * np.count_nonzero(first & second) / total) if total else None


def _check_alike(case: str, every: Sequence[Annotation]) -> None:
    for one in every[1:]:
        if one.protocol.name != every[0].protocol.name:
            raise InputError(
                f'the labels of "{case}" follow the protocols {every[0].protocol.name} and '
                f"{one.protocol.name}: their regions cannot be compared"
            )
        if not one.grid.same_as(every[0].grid, SAME_PLACE_VOXELS):
            raise GeometryError(
                f'the labels of "{case}" lie on different grids: export all for the same images'
            )


def _box(volumes: Sequence[NDArray[np.uint8]]) -> tuple[slice, ...]:
    """The smallest box around everything that anybody labelled."""
    any_label = np.zeros(volumes[0].shape, bool)
    for codes in volumes:
        any_label |= codes > 0
    box = []
    for axis in range(3):
        where = np.flatnonzero(any_label.any(axis=tuple(a for a in range(3) if a != axis)))
        box.append(slice(int(where[0]), int(where[-1]) + 1) if len(where) else slice(0, 1))
    return tuple(box)
