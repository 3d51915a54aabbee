"""Fits what turns a model's numbers into probabilities, on cases simulated differently.

The curves are fitted to all voxels of the brain box, since that is what a user has: nobody tells
him where to look. Their worth is told of cases of anatomies that the curve in question was not
fitted on (the anatomies take turns), by the expected calibration error (Naeini et al., AAAI 2015)
where a region is or is said to be, and by how well the expected Dice foretells the true one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.annotation import Provenance
from napari_mmseg.errors import ModelError
from napari_mmseg.grid import Grid
from napari_mmseg.inference import Prediction
from napari_mmseg.inference.appearance import adapted
from napari_mmseg.inference.committee import networks_of
from napari_mmseg.inference.engine import Engine, open_processor
from napari_mmseg.inference.looks import Pass, Voice, looks_named, mean_and_spread, outermost
from napari_mmseg.inference.prepare import quantise
from napari_mmseg.models import Card, Curve, load_card
from napari_mmseg.models.calibration import PLATT, TOP_LEVEL, expected_dice, level_logits
from napari_mmseg.models.card import CARD_FILE
from napari_mmseg.protocol import load_protocol
from napari_mmseg.training.validate import (
    dice,
    held_out_heads,
    padded_to,
    shifted_cases,
)
from napari_mmseg.volume import SourceSpace

BINS = 15
NEAR_MM = 5.0
DIGITS = 4

#: Cases that are enough for two numbers a region, and take less than five minutes.
CASES = 30

_IPL_1MM = np.array([[0.0, 0.0, -1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0],
                     [0.0, 0.0, 0.0, 1.0]])  # fmt: skip

ECE_DEFINITION = (
    f"voxel-wise, {BINS} bins of equal width, inside the union of proposal and reference grown by "
    f"{NEAR_MM:g} mm, voxels of all cases together"
)
DICE_FORMULA = "2 sum(p m) / (sum(p) + sum(m)) over the brain box, p calibrated, m the proposal"

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Seen:
    """One region in one case: voxels by the network's level, 256 counts each.

    `everywhere` counts the whole box, `near` the surroundings in which the error is told,
    `marked` what the model would propose; `..._true` those of them that are in the region.
    `dice` is the proposal's, None when there is nothing and nothing proposed.
    """

    everywhere: Counts
    everywhere_true: Counts
    near: Counts
    near_true: Counts
    marked: Counts
    dice: float | None


Case = Mapping[str, Seen]


def calibrate(
    model: str | Path, anatomy: Path, cases: int = CASES, seed: int = 0
) -> Mapping[str, Any]:
    """Fit a model's calibration on `cases` cases and write it into its card; what was written.

    Raises
    ------
    ModelError
        When the model is missing or damaged, takes other images than the simulator makes, or
        tells nothing about a region in these cases.
    """
    card = load_card(model)
    heads = held_out_heads(anatomy)
    engine = open_processor(card)
    try:
        seen = [
            counted(predicted(card, engine, images), depth)
            for images, depth in shifted_cases(heads, cases, seed)
        ]
    finally:
        engine.close()
    told = {
        "method": PLATT,
        **fitted(seen, card.regions, turns=max(2, len(heads))),
        "cases": cases,
        "seed": seed,
        "on": f"simulated differently from training, {len(heads)} anatomies held out of it; errors "
        "are of cases of anatomies not fitted on, in turn",
    }
    path = card.folder / CARD_FILE
    whole = json.loads(path.read_text(encoding="utf-8")) | {"calibration": told}
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
    return told


def predicted(card: Card, engine: Engine, images: NDArray[np.float32]) -> Prediction:
    """What the model says of prepared images (modalities, I, P, L), as it says it of a case."""
    i, p, left = images.shape[1:]
    protocol = load_protocol(card.protocol)
    answer, _ = mean_and_spread(
        [Voice(_runs(network), share) for network, share in networks_of(engine)],
        padded_to(images, card.stride),
        looks_named(card.looks, card.orientation, card.channels),
        outermost(card.regions, protocol),
        card.stride,
    )
    answer = answer[:, :i, :p, :left]
    found = adapted(answer, images.astype(np.float32), card, _go_on)
    grid = Grid((i, p, left), _IPL_1MM)
    return Prediction(
        grid=grid,
        source=SourceSpace.of(grid),
        protocol=protocol,
        regions=card.regions,
        probabilities=quantise(found),
        box=(slice(None), slice(None), slice(None)),
        thresholds=card.thresholds,
        provenance=Provenance(model=card.name),
        smallest_component_mm3=card.smallest_component_mm3,
        peaks={} if card.appearance else card.peaks,
    )


def _runs(network: Engine) -> Pass:
    return lambda channels, begin, end: network.run(channels, _go_on)


def counted(prediction: Prediction, depth: NDArray[np.uint8]) -> dict[str, Seen]:
    """A prediction beside the true depths of nesting (I, P, L; the whole grid), by region."""
    import edt

    proposal = prediction.annotation()
    result = {}
    for number, region in enumerate(prediction.regions):
        levels = prediction.probabilities[number]
        true = prediction.protocol.inside(depth, region)[prediction.box]
        mask = proposal.region(region)[prediction.box]
        either = true | mask
        spacing = prediction.grid.spacing
        near = edt.edt(~either, anisotropy=spacing) <= NEAR_MM if either.any() else either
        result[region] = Seen(
            everywhere=_by_level(levels.ravel()),
            everywhere_true=_by_level(levels[true]),
            near=_by_level(levels[near]),
            near_true=_by_level(levels[true]),  # all of it is near itself
            marked=_by_level(levels[mask]),
            dice=dice(mask, true),
        )
    return result


def fitted(seen: Sequence[Case], regions: Sequence[str], turns: int) -> dict[str, Any]:
    """Curves of all cases, and what was seen of curves that leave every `turns`-th case out."""
    parameters, before, after = {}, {}, {}
    pairs: dict[str, list[tuple[float, float]]] = {}
    raw = np.arange(TOP_LEVEL + 1) / TOP_LEVEL
    for region in regions:
        cases = [case[region] for case in seen]
        curve = fit_curve(cases, region)
        parameters[region] = {
            "slope": round(curve.slope, DIGITS),
            "intercept": round(curve.intercept, DIGITS),
        }
        judged: list[tuple[Seen, NDArray[np.floating]]] = []
        for turn in range(turns):
            others = [case for n, case in enumerate(cases) if n % turns != turn]
            meaning = fit_curve(others, region).levels()
            judged += [(case, meaning) for case in cases[turn::turns]]
        before[region] = round(calibration_error([(case, raw) for case in cases]), DIGITS)
        after[region] = round(calibration_error(judged), DIGITS)
        pairs[region] = [
            (expected_dice(case.marked, case.everywhere, meaning), case.dice)
            for case, meaning in judged
            if case.dice is not None and case.marked.any()
        ]
    return {
        "parameters": parameters,
        "ece": {"definition": ECE_DEFINITION, "before": before, "after": after},
        "expected_dice": {
            "formula": DICE_FORMULA,
            "cases": {region: len(found) for region, found in pairs.items()},
            "correlation": {region: correlation(found) for region, found in pairs.items()},
            "mean_absolute_error": {
                region: round(float(np.mean([abs(a - b) for a, b in found])), DIGITS)
                for region, found in pairs.items()
                if found
            },
        },
    }


def fit_curve(cases: Iterable[Seen], region: str) -> Curve:
    """The curve under which the cases are most likely, over all their voxels.

    Raises
    ------
    ModelError
        When the network's numbers do not rise with the region.
    """
    from scipy.optimize import minimize

    several = list(cases)
    inside = sum((case.everywhere_true for case in several), start=_by_level(_NO_LEVELS))
    outside = sum((case.everywhere for case in several), start=_by_level(_NO_LEVELS)) - inside
    logits = level_logits()

    def surprise(parameters: NDArray[np.float64]) -> float:
        given = parameters[0] * logits + parameters[1]
        missed = inside @ np.logaddexp(0.0, -given) + outside @ np.logaddexp(0.0, given)
        return float(missed / max(1, inside.sum()))

    slope, intercept = (float(v) for v in minimize(surprise, np.array([1.0, 0.0])).x)
    if not inside.any() or not slope > 0.0:
        raise ModelError(
            f"the model tells nothing about {region} in these cases: it cannot be calibrated "
            "(take more cases, or train longer)"
        )
    return Curve(slope, intercept)


def calibration_error(judged: Iterable[tuple[Seen, NDArray[np.floating]]]) -> float:
    """Expected calibration error near a region, of cases and the probability of their levels.

    0: among voxels of about the same probability p, a share p is in the region.
    """
    surplus, voxels = np.zeros(BINS), 0
    for case, meaning in judged:
        bins = np.minimum((meaning * BINS).astype(int), BINS - 1)
        surplus += np.bincount(bins, case.near * meaning - case.near_true, minlength=BINS)
        voxels += int(case.near.sum())
    return float(np.abs(surplus).sum() / max(1, voxels))


_NO_LEVELS = np.zeros(0, dtype=np.uint8)


def _by_level(levels: NDArray[np.uint8]) -> Counts:
    return np.bincount(levels, minlength=TOP_LEVEL + 1).astype(np.int64)


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's; None where one side does not vary."""
    first, second = np.array(pairs).reshape(-1, 2).T
    if len(pairs) < 3 or first.std() == 0.0 or second.std() == 0.0:
        return None
    return round(float(np.corrcoef(first, second)[0, 1]), DIGITS)


def _go_on() -> None:
    """Nobody stops a calibration but with the whole process."""
