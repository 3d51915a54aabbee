"""How far a prediction is, and whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import Cancelled


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
