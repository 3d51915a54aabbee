"""The terms of use that come with somebody's weights: found, never judged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .source import LICENCE_STEMS

#: Said where there are none: no licence means no right to use.
NO_TERMS = (
    "No licence and no terms of use came with these weights: ask their authors whether you may "
    "use them."
)

_FOLDERS = (".", "docs")
_MOST_CHARACTERS = 200_000


def find_terms(folder: Path, said: Iterable[str] = ()) -> str:
    """The text of all licence files in `folder` and its docs, after what the metadata `said`."""
    parts = [text.strip() for text in said if text.strip()]
    for below in _FOLDERS:
        place = folder / below
        if not place.is_dir():
            continue
        for path in sorted(place.iterdir()):
            if path.is_file() and any(stem in path.stem.lower() for stem in LICENCE_STEMS):
                text = path.read_text(encoding="utf-8", errors="replace")[:_MOST_CHARACTERS]
                parts.append(f"{path.name}:\n{text.strip()}")
    return "\n\n".join(parts) or NO_TERMS
