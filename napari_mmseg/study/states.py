"""How far a reading has come: what its rater's log and the study's ledger say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ..errors import InputError
from .log import Log

#: How sure a rater is of a reading: 1 (a guess) to 5 (certain).
CONFIDENCES = (1, 2, 3, 4, 5)


class State(StrEnum):
    """How far a reading has come.

    Waiting: nothing was drawn. Draft: begun, or reopened. Submitted: the rater is done, and can
    reopen it. Locked: whoever runs the study has taken it, and the rater cannot change it.
    Signed off: somebody vouches for it.
    """

    WAITING = "waiting"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    LOCKED = "locked"
    SIGNED_OFF = "signed off"

    @property
    def is_finished(self) -> bool:
        """Has the rater nothing left to do?"""
        return self not in (State.WAITING, State.DRAFT)


@dataclass(frozen=True)
class Standing:
    """What the log of one reading says, which its rater alone writes.

    Parameters
    ----------
    is_submitted
        Was the last word to submit it?
    confidence
        1 to 5; None: not said.
    comment, not_gradable
        The rater's words; why no reading is possible (empty: it is).
    codes
        A digest of the labels that were submitted; empty when nothing was drawn.
    at
        When it was submitted last (seconds since 1970, UTC).
    word
        Stands for the log as it is: the digest of its last line.
    reopened
        How often it was reopened.
    problem
        One sentence when the log was changed by hand.
    """

    is_submitted: bool = False
    confidence: int | None = None
    comment: str = ""
    not_gradable: str = ""
    codes: str = ""
    at: float | None = None
    word: str = ""
    reopened: int = 0
    problem: str = ""

    @classmethod
    def of_log(cls, log: Log) -> Standing:
        facts: dict[str, Any] = {"word": log.last_digest, "problem": log.problem}
        for line in log.lines:
            told = line.told
            facts |= {k: told[k] for k in ("confidence", "comment", "not_gradable") if k in told}
            if told.get("deed") == "submit":
                facts |= {"is_submitted": True, "at": line.at, "codes": told.get("codes", "")}
            elif told.get("deed") == "reopen":
                facts["is_submitted"] = False
                facts["reopened"] = facts.get("reopened", 0) + 1
        return cls(**facts)

    def facts(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Verdict:
    """What whoever runs the study last did to a reading.

    `word` is the reading's log as it was then; `by` the pseudonym of who did it.
    """

    deed: str
    word: str
    by: str


def verdicts_of(log: Log) -> dict[str, Verdict]:
    """The last verdict on each reading, by item, from the study's ledger."""
    return {
        str(told["item"]): Verdict(
            str(told["deed"]), str(told.get("word", "")), str(told.get("by", ""))
        )
        for told in (line.told for line in log.lines)
        if "item" in told and "deed" in told
    }


def state_of(has_work: bool, standing: Standing, verdict: Verdict | None) -> State:
    """The state of a reading."""
    if verdict is not None and verdict.deed == "sign":
        return State.SIGNED_OFF
    if verdict is not None and verdict.deed == "lock":
        return State.LOCKED
    if standing.is_submitted:
        return State.SUBMITTED
    return State.DRAFT if has_work or standing.word else State.WAITING


def checked_words(
    confidence: int | None, comment: str, not_gradable: str
) -> Mapping[str, int | str]:
    """What a rater says with a reading, as facts of a log's line.

    Raises
    ------
    InputError
        When the confidence is none of 1 to 5.
    """
    if confidence is not None and confidence not in CONFIDENCES:
        raise InputError(f"a confidence is a whole number from 1 to 5, not {confidence}")
    told: dict[str, int | str] = {}
    if confidence is not None:
        told["confidence"] = confidence
    if comment.strip():
        told["comment"] = comment.strip()
    if not_gradable.strip():
        told["not_gradable"] = not_gradable.strip()
    return told
