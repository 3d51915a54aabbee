"""How far a prediction is, and whether it is still wanted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from ..errors import Cancelled

#: The share of the whole job done when the images are prepared, when the network has run, and when
#: its answer has been fitted to the case.
PREPARED, PREDICTED, FITTED = 0.15, 0.75, 0.95

#: What a pass over a brain takes on an ordinary processor (seconds); only the bar depends on it.
USUAL_PASS_S = 3.0


@dataclass(frozen=True)
class Progress:
    """The stage that a prediction is in, and the share of the whole job done (0 to 1)."""

    stage: str
    fraction: float


@dataclass(frozen=True)
class Watch:
    """Tells progress to the caller and asks whether to stop; either may be None."""

    progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def check(self) -> None:
        """Raise `Cancelled` when the caller no longer wants the result."""
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("the segmentation was cancelled")

    def reach(self, stage: str, fraction: float) -> None:
        """Say that `stage` has begun with `fraction` of the job done; a point to stop at."""
        self.check()
        if self.progress is not None:
            self.progress(Progress(stage, fraction))

    def pulse(self, stage: str, begin: float, end: float) -> Callable[[], None]:
        """A check for a stage of unknown length: each call moves on from `begin` towards `end`.

        It nears `end` without reaching it, two thirds of the way after `USUAL_PASS_S`.
        """
        start = perf_counter()

        def beat() -> None:
            share = 1.0 - math.exp(-(perf_counter() - start) / USUAL_PASS_S)
            self.reach(stage, begin + share * (end - begin))

        return beat
