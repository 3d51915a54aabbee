"""All effects of a study at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .clusters import RESAMPLES, SEED
from .findings import FEWEST_CASES, LEVEL, MEANING, Effect, Kind, corrected
from .raters import bias, skill
from .readings import RepeatedReading, ScoredReading, regions_of
from .repeats import Repeatability, repeatability
from .slopes import anchoring, drift, effort, effort_rank, volume_drift

_ESTIMATORS = (skill, bias, anchoring, drift, volume_drift, effort)


@dataclass(frozen=True)
class StudyEffects:
    """Every effect of every kind, corrected for all of them, and the raters' repeatability.

    `effort_ranks` is Spearman's correlation of time and agreement by region.
    """

    effects: tuple[Effect, ...] = ()
    repeats: tuple[Repeatability, ...] = ()
    effort_ranks: dict[str, float | None] = field(default_factory=dict)

    def of(self, kind: Kind) -> list[Effect]:
        return [one for one in self.effects if one.kind is kind]

    @property
    def real(self) -> list[Effect]:
        return [one for one in self.effects if one.is_real]

    def facts(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "effects": [one.facts() for one in self.effects],
            "repeats": [one.facts() for one in self.repeats],
            "effort_rank_correlation": self.effort_ranks,
            "conventions": {
                "kinds": {str(kind): meaning for kind, (_, meaning) in MEANING.items()},
                "interval": "95 %, expanded percentile bootstrap over cases",
                "resamples": RESAMPLES,
                "seed": SEED,
                "fewest_cases": FEWEST_CASES,
                "is_real": f"p corrected by Holm among all effects < {LEVEL:g} and the interval "
                "leaves zero out",
            },
        }


def effects_of(
    readings: Sequence[ScoredReading], repeats: Sequence[RepeatedReading] = ()
) -> StudyEffects:
    """Estimate everything that the readings can tell; what they cannot is left out."""
    regions = regions_of(readings)
    effects = [e for estimate in _ESTIMATORS for r in regions for e in estimate(readings, r)]
    ranks = {region: effort_rank(readings, region) for region in regions}
    return StudyEffects(corrected(effects), tuple(repeatability(repeats)), ranks)
