"""Whether the user wants to see what a press would take, from one start to the next."""

from __future__ import annotations

import json
from contextlib import suppress

from ..cache import cache_folder

_FILE = "hover.json"


def wanted() -> bool:
    """What was chosen last; True where nothing was remembered."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return bool(json.loads((cache_folder() / _FILE).read_text(encoding="utf-8"))["shown"])
    return True


def remember(shown: bool) -> None:
    """Remember a choice; without effect where the cache cannot be written."""
    with suppress(OSError):
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{_FILE}.part"
        part.write_text(json.dumps({"shown": shown}), encoding="utf-8")
        part.replace(folder / _FILE)
