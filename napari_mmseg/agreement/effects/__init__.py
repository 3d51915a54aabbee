"""What raters do to labels: skill, bias, repeatability, anchoring, drift, and what time buys.

All of it works on a plain table of readings (`readings`), which `scoring` makes from labels; every
interval is a bootstrap over the cases (`clusters`), and what is called real is corrected for the
number of questions asked (`findings`).
"""

from __future__ import annotations

from .findings import Effect, Kind
from .readings import RepeatedReading, ScoredReading
from .repeats import Repeatability
from .scoring import Rated, score_case
from .study import StudyEffects, effects_of

__all__ = [
    "Effect",
    "Kind",
    "Rated",
    "Repeatability",
    "RepeatedReading",
    "ScoredReading",
    "StudyEffects",
    "effects_of",
    "score_case",
]
