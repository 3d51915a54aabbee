"""What a session tells whoever keeps a record of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .effort import Effort
from .history import Step


class Deed(StrEnum):
    """What was done to the history.

    AMEND puts a step in the place of the newest one, as the moves of a slider do; MARK tells
    that the annotation as it was at a state has been exported.
    """

    STEP = "step"
    AMEND = "amend"
    UNDO = "undo"
    REDO = "redo"
    MARK = "mark"


@dataclass(frozen=True, eq=False, slots=True)
class Act:
    """One thing that happened to a session, and the effort so far.

    `step` is what was done, taken back or done again (None for MARK); `state` is the history's
    state afterwards, or the one that was exported.
    """

    deed: Deed
    step: Step | None
    state: int
    effort: Effort
