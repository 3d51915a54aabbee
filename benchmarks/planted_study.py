"""A study whose answers are known: 12 made-up raters read 40 made-up cases.

Planted: two raters' skill, two raters' bias, one rater's drift of volume and one's of care, three
raters' anchoring, one rater's unsteadiness, and time that buys agreement. Half of the studies have
all of it, the other half nothing. Everything is measured through the agreement code from masks.

What is true of volumes follows from the habits' definitions; what they do to Dice is read off one
large study of the same raters, eight times as many cases that no judged study sees: as the program
defines it (Dice with the majority of the others), and against the true tumour.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from napari_mmseg.agreement.effects import (
    Kind,
    ScoredReading,
    StudyEffects,
    effects_of,
    score_case,
)
from napari_mmseg.agreement.effects.raters import skill
from napari_mmseg.agreement.effects.slopes import anchoring, drift, effort

from ._planted_raters import REGIONS, Habits, study

RATERS, CASES, REPEATS = 12, 40, 10

#: Cases of the one large study that tells what is true of Dice.
MANY = 320

NOBODY = {f"r{n:02}": Habits() for n in range(1, RATERS + 1)}
_CARE = 0.3
PLANTED = {
    **{name: Habits(care=_CARE) for name in NOBODY},
    "r01": Habits(care=_CARE, noise=0.5),
    "r02": Habits(care=_CARE, noise=1.6),
    "r03": Habits(care=_CARE, bias=float(np.log(1.12))),
    "r04": Habits(care=_CARE, bias=-float(np.log(1.12))),
    "r05": Habits(care=_CARE, drift=0.03),
    "r06": Habits(care=_CARE, noise_drift=0.25),
    "r07": Habits(care=_CARE, trust=0.4),
    "r08": Habits(care=_CARE, trust=0.4),
    "r09": Habits(care=_CARE, trust=0.4),
    "r10": Habits(care=_CARE, wobble=0.08),
}

#: By kind, region and rater.
Truth = dict[tuple[Kind, str, str | None], float]
Answers = dict[str, list[bool]]


def run(n: int = 6) -> dict[str, Any]:
    """`n` studies with everything planted and `n` with nothing."""
    start = time.perf_counter()
    reported, by_tumour = true_effects(PLANTED, CASES + REPEATS, MANY)
    planted = [measure(PLANTED, CASES, REPEATS, seed) for seed in range(n)]
    empty = [measure(NOBODY, CASES, REPEATS, 1000 + seed) for seed in range(n)]
    inside, found = recovered(planted, reported)
    against_tumour, _ = recovered(planted, by_tumour)
    false, without_zero = invented(planted, empty, reported)
    return {
        "recovered": share(inside),
        "false_findings": share(false),
        "studies_with_a_false_finding": float(np.mean([bool(one.real) for one in empty])),
        "null_intervals_without_zero": share(without_zero),
        "recovered_against_true_tumour": share(against_tumour),
        "recovered_by_kind": by_kind(inside),
        "recovered_against_true_tumour_by_kind": by_kind(against_tumour),
        "called_real_by_kind": by_kind(found),
        "false_findings_by_kind": by_kind(false),
        "planted_effects": sum(map(len, inside.values())),
        "null_effects": sum(map(len, false.values())),
        "studies": {"planted": n, "nothing_planted": n},
        "raters": RATERS,
        "cases": CASES,
        "repeats_per_rater": REPEATS,
        "seconds": time.perf_counter() - start,
    }


def measure(raters: dict[str, Habits], cases: int, repeats: int, seed: int) -> StudyEffects:
    """The effects that the program reports of one study."""
    readings, pairs = [], []
    for case, rated, tumour in study(raters, cases, repeats, seed):
        scored, repeated = score_case(case, rated, tumour.proposal)
        readings += scored
        pairs += repeated
    return effects_of(readings, pairs)


def recovered(planted: list[StudyEffects], truth: Truth) -> tuple[Answers, Answers]:
    """By kind: does the interval hold what was planted, and was it called real?"""
    inside: Answers = defaultdict(list)
    found: Answers = defaultdict(list)
    for told in planted:
        for one in told.effects:
            true = truth.get((one.kind, one.region, one.rater))
            if true and one.low is not None and one.high is not None:
                inside[one.kind].append(one.low <= true <= one.high)
                found[one.kind].append(one.is_real)
        for repeat in told.repeats:
            habits = PLANTED.get(repeat.rater or "")
            # Who drifts differs from themself for that too.
            if habits is not None and habits.drift == 0.0 and repeat.volume_sd_ci95 is not None:
                low, high = repeat.volume_sd_ci95
                inside["repeats"].append(low <= 100 * habits.wobble <= high)
    return inside, found


def invented(
    planted: list[StudyEffects], empty: list[StudyEffects], truth: Truth
) -> tuple[Answers, Answers]:
    """By kind, of effects that are not there: called real, and an interval that leaves zero out."""
    called: Answers = defaultdict(list)
    without_zero: Answers = defaultdict(list)
    nothing = [
        one
        for told in planted
        for one in told.effects
        if truth.get((one.kind, one.region, one.rater)) == 0
    ]
    for one in nothing + [one for told in empty for one in told.effects]:
        called[one.kind].append(one.is_real)
        if one.low is not None and one.high is not None:
            without_zero[one.kind].append(not one.low <= 0 <= one.high)
    return called, without_zero


def share(answers: Answers) -> float:
    every = [answer for group in answers.values() for answer in group]
    return float(np.mean(every)) if every else 0.0


def by_kind(answers: Answers) -> dict[str, float]:
    return {str(kind): float(np.mean(group)) for kind, group in answers.items()}


def true_effects(
    raters: dict[str, Habits], length: int, many: int, seed: int = 77
) -> tuple[Truth, Truth]:
    """What is true by kind, region and rater: as reported, and measured against the true tumours.

    0 for what was not planted. What was not planted but follows from it (the mean of all raters is
    lower for a bad one, so each of the others is above it) is left out. `length` is that of a
    rater's sequence in the study.
    """
    of_majority: list[ScoredReading] = []
    of_tumour: list[ScoredReading] = []
    for case, rated, tumour in study(raters, many, 0, seed, length):
        scored, _ = score_case(case, rated, tumour.proposal)
        with_truth, _ = score_case(case, rated, tumour.truth)
        of_majority += scored
        of_tumour += [
            replace(one, score=other.proposal_score)
            for one, other in zip(scored, with_truth, strict=True)
        ]
    return _known(raters, of_majority), _known(raters, of_tumour)


def _known(raters: dict[str, Habits], many: list[ScoredReading]) -> Truth:
    truth: Truth = {}
    for region in REGIONS:
        levels = {one.rater: one.estimate for one in skill(many, region)}
        trust = {one.rater: one.estimate for one in anchoring(many, region)}
        trusting = [trust[name] for name, habits in raters.items() if habits.trust]
        slopes = {one.rater: one.estimate for one in drift(many, region)}
        for name, habits in raters.items():
            if habits.noise != 1.0:
                truth[Kind.SKILL, region, name] = levels[name]
            anchored = float(np.mean(trusting)) if habits.trust else 0.0  # they are alike
            truth[Kind.ANCHORING, region, name] = anchored
            truth[Kind.VOLUME_DRIFT, region, name] = 100 * float(np.expm1(habits.drift))
            if habits.drift == 0.0:  # else first readings lie before the middle of the drift
                truth[Kind.BIAS, region, name] = 100 * float(np.expm1(habits.bias))
                truth[Kind.DRIFT, region, name] = slopes[name] if habits.noise_drift else 0.0
        truth[Kind.ANCHORING, region, None] = float(
            np.mean([truth[Kind.ANCHORING, region, name] for name in raters])
        )
        if any(habits.care for habits in raters.values()):
            truth[Kind.EFFORT, region, None] = effort(many, region)[0].estimate
    return truth
