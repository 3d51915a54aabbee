"""A study: several raters label the same cases without seeing each other.

`load_study(folder).readings()` lists every reading and `load_annotation(reading)` gives its
labels; `worklist` and `open_item` are what one rater sees.

Names are loaded when they are first used, so that a look at how far a study is takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assign import Assignment
    from .checking import Finding, check
    from .find import cases_in
    from .handing_in import lock, note, reopen, sign_off, submit, unlock
    from .make import add_cases, add_raters, new_study, set_proposal
    from .plan import CaseEntry, Design, Plan, Proposals
    from .reading import Reading, WorkItem, load_annotation
    from .review import open_review
    from .sitting import Sitting, open_item
    from .states import State
    from .study import Study, load_study

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
    "reviewable",
    "set_proposal",
    "sign_off",
    "submit",
    "unlock",
]

_HOMES = {
    "Assignment": "assign",
    "CaseEntry": "plan",
    "Design": "plan",
    "Finding": "checking",
    "Plan": "plan",
    "Proposals": "plan",
    "Reading": "reading",
    "Sitting": "sitting",
    "State": "states",
    "Study": "study",
    "WorkItem": "reading",
    "add_cases": "make",
    "add_raters": "make",
    "cases_in": "find",
    "check": "checking",
    "load_annotation": "reading",
    "load_study": "study",
    "lock": "handing_in",
    "new_study": "make",
    "note": "handing_in",
    "open_item": "sitting",
    "open_review": "review",
    "reopen": "handing_in",
    "reviewable": "review",
    "set_proposal": "make",
    "sign_off": "handing_in",
    "submit": "handing_in",
    "unlock": "handing_in",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
