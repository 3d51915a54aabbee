"""A rater's work on a case: one file that survives anything, with every stroke and what it cost.

`Journal` keeps the file of a session that is edited; `load_work` reads one; `recover` makes a
whole one out of a damaged one.
"""

from __future__ import annotations

from .identity import Place, fingerprint_of, own_place, rater_name, work_folder, work_path
from .journal import Journal, Opening, load_work
from .lock import InUse
from .recover import Recovery, recover
from .table import copy

__all__ = [
    "InUse",
    "Journal",
    "Opening",
    "Place",
    "Recovery",
    "copy",
    "fingerprint_of",
    "load_work",
    "own_place",
    "rater_name",
    "recover",
    "work_folder",
    "work_path",
]
