"""The table that every effect is estimated from: one row a reading and region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ScoredReading:
    """How one rater saw one region of one case, once.

    Parameters
    ----------
    repeat
        0 for the first reading of the case by this rater, then 1, 2, ...
    proposal_shown
        Did the rater start from the model's proposal? None where it is not known.
    order
        The place of the reading in the rater's own sequence, from 0; None where it is not known.
    active_s
        Seconds of work on the case (on all its regions); None where it is not known.
    volume_ml, consensus_ml
        Volume of the region, and of the majority of the other raters (None: there are none).
    confidence
        How sure the rater was, 1 to 5; None where it was not said.
    score
        Dice with the majority of the other raters; None where both are empty, or nobody else is
        there.
    proposal_score
        Dice with the model's proposal, whether it was shown or not; None where there is none.
    """

    rater: str
    case: str
    region: str
    repeat: int = 0
    proposal_shown: bool | None = None
    order: int | None = None
    active_s: float | None = None
    confidence: int | None = None
    volume_ml: float = 0.0
    consensus_ml: float | None = None
    score: float | None = None
    proposal_score: float | None = None


@dataclass(frozen=True)
class RepeatedReading:
    """One region of one case seen twice by the same rater; `dice` is None where both are empty."""

    rater: str
    case: str
    region: str
    dice: float | None
    first_ml: float
    second_ml: float


def regions_of(readings: Sequence[ScoredReading]) -> list[str]:
    """The regions in the order in which they come."""
    return list(dict.fromkeys(reading.region for reading in readings))


def raters_of(readings: Sequence[ScoredReading]) -> list[str]:
    """The raters by name."""
    return sorted({reading.rater for reading in readings})
