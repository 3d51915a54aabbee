"""A study: several raters label the same cases without seeing each other.

`load_study(folder).readings()` lists every reading and `load_annotation(reading)` gives its
labels; `worklist` and `open_item` are what one rater sees.
"""

from __future__ import annotations

from .assign import Assignment
from .check import Finding, check
from .find import cases_in
from .make import add_cases, add_raters, new_study, set_proposal
from .plan import CaseEntry, Design, Plan, Proposals
from .reading import Reading, WorkItem, load_annotation
from .review import open_review
from .sitting import Sitting, open_item
from .states import State
from .study import Study, load_study
from .submit import lock, note, reopen, sign_off, submit, unlock

__all__ = [
    "Assignment",
    "CaseEntry",
    "Design",
    "Finding",
    "Plan",
    "Proposals",
    "Reading",
    "Sitting",
    "State",
    "Study",
    "WorkItem",
    "add_cases",
    "add_raters",
    "cases_in",
    "check",
    "load_annotation",
    "load_study",
    "lock",
    "new_study",
    "note",
    "open_item",
    "open_review",
    "reopen",
    "set_proposal",
    "sign_off",
    "submit",
    "unlock",
]
