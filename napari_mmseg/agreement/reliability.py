"""Agreement of several raters beyond chance, from how many chose which category.

- Fleiss' kappa: Fleiss, Psychological Bulletin 76:378, 1971. Chance is that of raters drawn anew
  for each item from those that the shares of the categories describe; every item has the same
  number of ratings.
- Krippendorff's alpha for nominal data: Krippendorff, Computing Krippendorff's alpha-reliability,
  2011. Items may lack ratings; those with fewer than two say nothing. With many items and none
  missing it is kappa but for a share of about 1 / ratings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError


def fleiss_kappa(counts: ArrayLike, items: ArrayLike | None = None) -> float | None:
    """Fleiss' kappa; None where all ratings are of one category, or there are none.

    Parameters
    ----------
    counts
        (rows, categories): how many raters chose a category; every row has the same sum, two or
        more.
    items
        How many items each row stands for; by default one.

    Raises
    ------
    InputError
        When items have different numbers of ratings, or fewer than two.
    """
    table, weights = _weighted(counts, items)
    if not len(table):
        return None
    ratings = table.sum(axis=1)
    if ratings.min() != ratings.max() or ratings[0] < 2:
        raise InputError(
            "Fleiss' kappa needs the same number of ratings, two or more, of every item: "
            "take Krippendorff's alpha where some are missing"
        )
    raters = ratings[0]
    pairs = (table * (table - 1)).sum(axis=1) / (raters * (raters - 1))
    observed = float(np.average(pairs, weights=weights))
    shares = (weights @ table) / (weights.sum() * raters)
    chance = float((shares**2).sum())
    return None if np.count_nonzero(shares) < 2 else (observed - chance) / (1 - chance)


def krippendorff_alpha(counts: ArrayLike, items: ArrayLike | None = None) -> float | None:
    """Krippendorff's alpha for nominal categories; None where all are of one, or there are none.

    Arguments as of `fleiss_kappa`, but rows may have different sums.
    """
    table, weights = _weighted(counts, items)
    ratings = table.sum(axis=1)
    table, weights, ratings = (part[ratings >= 2] for part in (table, weights, ratings))
    totals = weights @ table
    if np.count_nonzero(totals) < 2:
        return None
    n = totals.sum()
    # Pairs of unlike values: within items, and among all values whatever their item.
    unlike = (ratings**2 - (table**2).sum(axis=1)) / (ratings - 1)
    observed = float(weights @ unlike) / n
    expected = float(n**2 - (totals**2).sum()) / (n * (n - 1))
    return 1 - observed / expected


def _weighted(
    counts: ArrayLike, items: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rows that stand for any item, and for how many."""
    table = np.atleast_2d(np.asarray(counts, np.float64))
    weights = np.ones(len(table)) if items is None else np.asarray(items, np.float64)
    if table.size == 0:
        return table[:0], weights[:0]
    return table[weights > 0], weights[weights > 0]
