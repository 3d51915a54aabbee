"""How far several raters agree about one case: all pairs, and all together.

Definitions and conventions:

- Pairs: Dice, Jaccard, HD95, mean surface distance and NSD as in `metrics` and `surfaces`, F1 of
  lesions as in `detection`. The volume difference is first minus second.
- Empty regions: when both raters leave a region empty there is nothing to measure: every ratio and
  distance of the pair is None. When one does, Dice, Jaccard, NSD and F1 are 0 and the distances
  None. How many pairs were so is told (`both_empty`, `one_empty`); means are over the pairs that
  have a value.
- Kappa and alpha (`reliability`) are over the voxels of the raters' union dilated by 5 mm, not over
  the image: background on which all agree would be most of it, both would grow with the field of
  view, and in the limit kappa is Dice again (Zijdenbos et al., IEEE Transactions on Medical Imaging
  13:716, 1994). Nor over the union alone: there two raters never agree that a voxel is outside, and
  kappa is negative whatever their Dice.
- Energy distance of a rater: between that rater alone and all others (`energy`). Diversity: the
  expected 1 - IoU of two raters drawn with replacement, the part of it that is the raters' own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from .apart import surface_pairs
from .detection import LESION_MM3, lesion_f1
from .energy import distance_matrix, diversity, from_distances
from .metrics import TOLERANCE_MM
from .pair import PAIR_MEASURES, PairAgreement, check_raters, pair_of
from .reliability import fleiss_kappa, krippendorff_alpha
from .stack import Stack, stacks
from .surfaces import HAUSDORFF_PERCENTILE

#: How far around the union of all raters voxels count for kappa and alpha, in mm.
SURROUND_MM = 5.0


@dataclass(frozen=True)
class RatersAgreement:
    """All raters and one region.

    `pairs` come in the order of the raters, each once. `volumes_ml` and `energy_distance` are by
    rater; `both_empty` and `one_empty` count pairs.
    """

    pairs: tuple[PairAgreement, ...]
    volumes_ml: Mapping[str, float]
    fleiss_kappa: float | None
    krippendorff_alpha: float | None
    diversity: float | None
    energy_distance: Mapping[str, float | None]
    both_empty: int
    one_empty: int

    @property
    def raters(self) -> tuple[str, ...]:
        return tuple(self.volumes_ml)

    def values(self, measure: str) -> list[float]:
        """Those of `PAIR_MEASURES` that pairs have, in the order of the pairs."""
        found = [getattr(pair, measure) for pair in self.pairs]
        return [value for value in found if value is not None]

    def mean(self, measure: str) -> float | None:
        """Mean over the pairs that have a value; of volume differences, of their sizes."""
        values = [abs(v) if measure == "volume_difference_ml" else v for v in self.values(measure)]
        return sum(values) / len(values) if values else None

    def matrix(self, measure: str) -> NDArray[np.float64]:
        """(raters, raters): row with column, not-a-number where undefined and on the diagonal.

        Volume differences are row minus column.
        """
        place = {rater: number for number, rater in enumerate(self.raters)}
        found = np.full((len(place), len(place)), np.nan)
        back = -1.0 if measure == "volume_difference_ml" else 1.0
        for pair in self.pairs:
            value = getattr(pair, measure)
            if value is not None:
                row, column = place[pair.first], place[pair.second]
                found[row, column], found[column, row] = value, back * value
        return found

    def facts(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "pairs": [asdict(pair) for pair in self.pairs],
            "mean": {measure: self.mean(measure) for measure in PAIR_MEASURES},
            "volumes_ml": dict(self.volumes_ml),
            "fleiss_kappa": self.fleiss_kappa,
            "krippendorff_alpha": self.krippendorff_alpha,
            "diversity": self.diversity,
            "energy_distance": dict(self.energy_distance),
            "both_empty": self.both_empty,
            "one_empty": self.one_empty,
        }


@dataclass(frozen=True)
class CaseAgreement:
    """The raters of one case, and how far they agree by region."""

    raters: tuple[str, ...]
    protocol: str
    regions: Mapping[str, RatersAgreement]
    tolerance_mm: float = TOLERANCE_MM

    def facts(self) -> dict[str, Any]:
        """Plain values for JSON, with the conventions that they follow."""
        return {
            "raters": list(self.raters),
            "protocol": self.protocol,
            "regions": {name: found.facts() for name, found in self.regions.items()},
            "conventions": {
                "nsd_tolerance_mm": self.tolerance_mm,
                "hd95": f"maximum of the two directed {HAUSDORFF_PERCENTILE:g}th percentiles",
                "mean_surface_mm": "over the voxels of both surfaces together",
                "volume_difference_ml": "first minus second; its mean is of sizes",
                "lesion_mm3": LESION_MM3,
                "lesion_f1": f"components of at least {LESION_MM3:g} mm3, found by any voxel",
                "kappa_and_alpha": f"voxels within {SURROUND_MM:g} mm of the raters' union",
                "surround_mm": SURROUND_MM,
                "energy_distance": "of a rater to all others, with 1 - IoU as distance",
                "diversity": "expected 1 - IoU of two raters drawn with replacement",
                "both_empty": "null, and not in any mean",
                "one_empty": "ratios 0, distances null",
            },
        }


def agree(
    annotations: Mapping[str, Annotation], *, tolerance_mm: float = TOLERANCE_MM
) -> CaseAgreement:
    """How far raters agree in every region of the protocol, children included in their parents.

    Parameters
    ----------
    annotations
        By rater, two or more, in the order of the tables.
    tolerance_mm
        How far surfaces may lie apart for NSD.

    Raises
    ------
    InputError
        When there are fewer than two raters, or they follow different protocols.
    GeometryError
        When their voxels do not lie in the same places.
    """
    check_raters(annotations)
    raters = tuple(annotations)
    first = annotations[raters[0]]
    return CaseAgreement(
        raters,
        first.protocol.name,
        {
            region: _in_region(raters, stack, tolerance_mm)
            for region, stack in stacks(list(annotations.values()))
        },
        tolerance_mm,
    )


def _in_region(raters: tuple[str, ...], stack: Stack, tolerance_mm: float) -> RatersAgreement:
    apart = {(i, j): found for i, j, found in surface_pairs(stack)}
    f1 = lesion_f1(stack)
    pairs = tuple(
        pair_of(
            (raters[i], raters[j]), stack, (i, j), apart.get((i, j)), float(f1[i, j]), tolerance_mm
        )
        for i, j in combinations(range(len(raters)), 2)
    )
    votes = stack.votes(SURROUND_MM)
    yes = np.arange(len(raters) + 1)
    counts = np.stack([len(raters) - yes, yes], axis=1)
    unlike = distance_matrix(stack.shared)
    everyone = np.ones(len(raters), np.bool_)
    seen = bool(stack.voxels.any())
    blind = int(np.count_nonzero(stack.voxels == 0))
    return RatersAgreement(
        pairs=pairs,
        volumes_ml=dict(zip(raters, (stack.voxels * stack.voxel_ml).tolist(), strict=True)),
        fleiss_kappa=fleiss_kappa(counts, votes),
        krippendorff_alpha=krippendorff_alpha(counts, votes),
        diversity=diversity(unlike, everyone) if seen else None,
        energy_distance={
            rater: from_distances(unlike, np.arange(len(raters)) == number) if seen else None
            for number, rater in enumerate(raters)
        },
        both_empty=math.comb(blind, 2),
        one_empty=blind * (len(raters) - blind),
    )
