"""What a consensus is: an annotation, probabilities, and how each rater did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...annotation import Annotation

Method = Literal["majority", "staple", "simple"]
Ties = Literal["out", "in"]

METHODS: tuple[str, ...] = get_args(Method)

_DIGITS = 6


@dataclass(frozen=True)
class RaterPerformance:
    """How a rater did in one region.

    Parameters
    ----------
    sensitivity, specificity
        Against the region's consensus before nesting, inside the neighbourhood of what anybody
        marked (`panel`); STAPLE's own estimates where it is the method. None where it would be
        0/0: nobody marked anything, or the consensus is empty or fills the neighbourhood.
    weight
        The share of the vote: the same for all in a majority, 0 for whom SIMPLE left out. None
        for STAPLE, which has no single one: sensitivity weighs a no, specificity a yes.
    """

    sensitivity: float | None
    specificity: float | None
    weight: float | None


@dataclass(frozen=True, eq=False)
class Consensus:
    """One annotation out of several, and what it rests on.

    Parameters
    ----------
    annotation
        Its author is "consensus:METHOD", its provenance names its sources; nesting holds.
    soft
        For each region the probability, float32, axes (I, P, L), that a voxel lies inside it: the
        (weighted) share of raters, or STAPLE's posterior. A child is never more probable than
        its parent.
    raters
        Region, then rater.
    method, ties
        How it was made.
    notes
        Sentences for the user about what the method could not do.
    """

    annotation: Annotation
    soft: Mapping[str, NDArray[np.float32]]
    raters: Mapping[str, Mapping[str, RaterPerformance]]
    method: Method
    ties: Ties = "out"
    notes: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Everything but the voxels, as plain values for JSON."""
        return {
            "method": self.method,
            "ties": self.ties,
            "sources": dict(self.annotation.provenance.sources),
            "volumes_ml": {n: round(float(v), 4) for n, v in self.annotation.volumes_ml.items()},
            "expected_volumes_ml": {n: round(ml, 4) for n, ml in self.expected_volumes_ml.items()},
            "raters": {
                region: {
                    name: {
                        key: None if value is None else round(value, _DIGITS)
                        for key, value in asdict(performance).items()
                    }
                    for name, performance in by_rater.items()
                }
                for region, by_rater in self.raters.items()
            },
            "notes": list(self.notes),
        }

    @property
    def expected_volumes_ml(self) -> dict[str, float]:
        """Volume of each region by its probabilities, in millilitres."""
        ml = self.annotation.grid.voxel_volume_ml
        return {name: ml * float(p.sum(dtype=np.float64)) for name, p in self.soft.items()}
