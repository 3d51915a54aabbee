"""How well a folder of predictions agrees with a folder of references, as tables and one page."""

from __future__ import annotations

from .cohort import CaseScores, Cohort, measure
from .pairs import Pair, Pairing, pair_folders
from .summary import Summary, summarise

__all__ = [
    "CaseScores",
    "Cohort",
    "Pair",
    "Pairing",
    "Summary",
    "measure",
    "pair_folders",
    "summarise",
]
