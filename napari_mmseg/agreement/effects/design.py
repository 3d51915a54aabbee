"""Readings as the columns of a regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .clusters import Floats
from .readings import ScoredReading, raters_of


@dataclass(frozen=True)
class Rows:
    """N readings of R raters: `rater_index` and `cases` are (N,), numbered from 0."""

    raters: tuple[str, ...]
    rater_index: NDArray[np.int64]
    cases: NDArray[np.int64]

    @property
    def rater_columns(self) -> Floats:
        """(N, R): one where the rater is the row's."""
        return np.asarray(self.rater_index[:, None] == np.arange(len(self.raters)), np.float64)

    @property
    def total_cases(self) -> int:
        return len(np.unique(self.cases))

    def cases_of(self, rater: int) -> int:
        return len(np.unique(self.cases[self.rater_index == rater]))

    def centred(self, values: Floats) -> Floats:
        """Values (N,) less the mean of their rater: slopes then owe nothing to the levels."""
        sums = np.bincount(self.rater_index, values, len(self.raters))
        counts = np.maximum(np.bincount(self.rater_index, minlength=len(self.raters)), 1)
        return np.asarray(values - (sums / counts)[self.rater_index])


def rows_of(readings: Sequence[ScoredReading]) -> Rows:
    """Number the raters and cases of some readings."""
    raters = raters_of(readings)
    numbers = {name: n for n, name in enumerate(dict.fromkeys(r.case for r in readings))}
    return Rows(
        tuple(raters),
        np.array([raters.index(r.rater) for r in readings], np.int64),
        np.array([numbers[r.case] for r in readings], np.int64),
    )


def percent(logs: Floats) -> Floats:
    """A difference of logarithms in percent."""
    return np.asarray(100.0 * np.expm1(logs))
