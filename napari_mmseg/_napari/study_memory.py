"""Which study was read last and by whom, so that the next sitting goes on there."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..cache import cache_folder

_FILE = "worklist.json"


@dataclass(frozen=True)
class LastStudy:
    """A study's folder and the pseudonym of who read it here."""

    folder: Path
    rater: str


def last_study() -> LastStudy | None:
    """What was remembered; None when nothing was, or the folder is gone."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((cache_folder() / _FILE).read_text(encoding="utf-8"))
        found = LastStudy(Path(str(told["folder"])), str(told["rater"]))
        return found if found.folder.is_dir() else None
    return None


def remember(study: LastStudy) -> None:
    """Remember a study; without effect where the cache cannot be written."""
    with suppress(OSError):
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        told = {"folder": str(study.folder.resolve()), "rater": study.rater}
        part = folder / f".{_FILE}.part"
        part.write_text(json.dumps(told), encoding="utf-8")
        part.replace(folder / _FILE)
