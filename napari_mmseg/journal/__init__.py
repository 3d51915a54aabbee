"""A rater's work on a case: one file that survives anything, with every stroke and what it cost.

`Journal` keeps the file of a session that is edited; `load_work` reads one; `recover` makes a
whole one out of a damaged one.

Names are loaded when they are first used: a list of a thousand work files needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .identity import (
        Place,
        fingerprint_of,
        further_path,
        further_paths,
        own_place,
        rater_name,
        work_folder,
        work_path,
    )
    from .journal import Journal, Opening, load_work, set_aside
    from .lock import InUse
    from .recovery import Recovery, recover
    from .table import copy

__all__ = [
    "InUse",
    "Journal",
    "Opening",
    "Place",
    "Recovery",
    "copy",
    "fingerprint_of",
    "further_path",
    "further_paths",
    "load_work",
    "own_place",
    "rater_name",
    "recover",
    "set_aside",
    "work_folder",
    "work_path",
]

_HOMES = {
    "InUse": "lock",
    "Journal": "journal",
    "Opening": "journal",
    "Place": "identity",
    "Recovery": "recovery",
    "copy": "table",
    "fingerprint_of": "identity",
    "further_path": "identity",
    "further_paths": "identity",
    "load_work": "journal",
    "own_place": "identity",
    "rater_name": "identity",
    "recover": "recovery",
    "set_aside": "journal",
    "work_folder": "identity",
    "work_path": "identity",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
