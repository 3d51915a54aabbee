"""How a network's numbers become probabilities that mean what they say.

Platt J, "Probabilistic outputs for support vector machines", Advances in Large Margin Classifiers,
1999: a logistic curve of the network's logit, two numbers a region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Probabilities are kept as whole numbers ("levels") from 0 to this.
TOP_LEVEL = 255

#: The one method there is.
PLATT = "platt"


def level_logits() -> NDArray[np.float64]:
    """The logit of each of the 256 levels; half a level keeps the first and the last finite."""
    levels = np.arange(TOP_LEVEL + 1)
    return np.asarray(np.log((levels + 0.5) / (TOP_LEVEL + 0.5 - levels)))


@dataclass(frozen=True)
class Curve:
    """probability = 1 / (1 + exp(-(slope * logit + intercept))), of the network's logit.

    Raises
    ------
    ValueError
        When it does not rise.
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slope) and np.isfinite(self.intercept) and self.slope > 0.0):
            raise ValueError("a calibration curve has a finite slope above 0 and intercept")

    def levels(self) -> NDArray[np.float32]:
        """The probability for each of the 256 levels that predictions are kept in."""
        logits = self.slope * level_logits() + self.intercept
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), dtype=np.float32)


@dataclass(frozen=True)
class Calibration:
    """What turns a model's numbers into probabilities, and how well that was seen to work.

    Parameters
    ----------
    curves
        By region.
    dice_error
        By region: how far the expected Dice was from the true one on average; empty when nobody
        looked.
    evidence
        Everything else that the card says of it: on what it was fitted, the expected calibration
        error before and after.
    """

    curves: Mapping[str, Curve]
    dice_error: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)


def expected_dice(
    marked: NDArray[np.integer], everywhere: NDArray[np.integer], meaning: NDArray[np.floating]
) -> float:
    """The Dice that a mask can hope for: 2 sum(p m) / (sum(p) + sum(m)).

    p is the probability of each voxel, m whether it is in the mask: the ratio of expectations,
    near the expectation of the ratio while the errors of many voxels are independent. It holds as
    far as the case is like those of the calibration, and knows nothing of a tumour that the
    network does not see.

    Parameters
    ----------
    marked, everywhere
        Voxels by level (256 each) in the mask, which has some, and in the whole box.
    meaning
        The probability of each level.
    """
    return float(2.0 * (marked @ meaning) / (everywhere @ meaning + marked.sum()))


def read_calibration(data: Mapping[str, Any], regions: tuple[str, ...]) -> Calibration:
    """The `calibration` of a card.

    Raises
    ------
    KeyError, TypeError, ValueError
        When its method is unknown, a region has no curve, or one is not a curve.
    """
    if data["method"] != PLATT:
        raise ValueError(f"the calibration method is {data['method']!r}, not {PLATT!r}")
    parameters = data["parameters"]
    curves = {
        region: Curve(float(parameters[region]["slope"]), float(parameters[region]["intercept"]))
        for region in regions
    }
    errors = data.get("expected_dice", {}).get("mean_absolute_error", {})
    return Calibration(
        MappingProxyType(curves),
        MappingProxyType({str(r): float(e) for r, e in errors.items()}),
        MappingProxyType({k: v for k, v in data.items() if k != "parameters"}),
    )
