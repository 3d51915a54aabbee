"""Tables of readings made of numbers, without labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_mmseg.agreement.effects import ScoredReading


def table(raters: int = 5, cases: int = 30, seed: int = 0, **effects: float) -> list[ScoredReading]:
    """Raters r0, r1, ... who differ in nothing but `effects`, all of them r0's.

    skill: added to r0's score; bias: logarithm of r0's volume; anchoring: added to r0's agreement
    with a proposal that was shown; drift: added to r0's score every ten readings; effort: added to
    everybody's score when time doubles.
    """
    random = np.random.default_rng(seed)
    hard = random.normal(0, 0.05, cases)
    size = random.normal(4, 0.5, cases)
    rows = []
    for rater in range(raters):
        own = {name: value if rater == 0 else 0.0 for name, value in effects.items()}
        order = random.permutation(cases)
        shown = random.permutation(cases) < cases // 2
        for case in range(cases):
            doublings = random.normal(0, 1)
            rows.append(
                ScoredReading(
                    f"r{rater}",
                    f"c{case}",
                    "WT",
                    proposal_shown=bool(shown[case]),
                    order=int(order[case]),
                    active_s=float(600 * 2 ** (doublings + 5 * hard[case])),
                    volume_ml=float(
                        np.exp(size[case] + own.get("bias", 0) + random.normal(0, 0.05))
                    ),
                    score=float(
                        0.85
                        + hard[case]
                        + own.get("skill", 0)
                        + own.get("drift", 0) * (order[case] - cases / 2) / 10
                        + effects.get("effort", 0) * doublings
                        + random.normal(0, 0.02)
                    ),
                    proposal_score=float(
                        0.8
                        + hard[case]
                        + own.get("anchoring", 0) * shown[case]
                        + random.normal(0, 0.02)
                    ),
                )
            )
    return rows


def without(rows: list[ScoredReading], share: float, seed: int = 0) -> list[ScoredReading]:
    """Some of the rows, at random."""
    random = np.random.default_rng(seed)
    return [row for row in rows if random.random() > share]


def as_hidden(rows: list[ScoredReading]) -> list[ScoredReading]:
    """The same without any knowledge of time, order and proposal."""
    return [replace(r, proposal_shown=None, order=None, active_s=None) for r in rows]
