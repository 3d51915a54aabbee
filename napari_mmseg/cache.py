"""Where the program keeps what it can make again: remembered checks, nothing of a patient."""

from __future__ import annotations

import os
from pathlib import Path

#: Another folder than the user's cache folder.
CACHE_VARIABLE = "NAPARI_MMSEG_CACHE"


def cache_folder() -> Path:
    """The program's cache folder; it need not exist yet."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("napari-mmseg", appauthor=False)
