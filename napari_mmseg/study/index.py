"""What was found in the files of a study, remembered until they change; can be thrown away."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cache import cache_folder
from ..errors import InputError

#: A file that was written this short a time ago may change again without a later time (seconds).
SETTLED_AFTER_SECONDS = 2.0

_READERS = 8  # threads: shared drives answer slowly, not seldom

Facts = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """A file in a folder of the study: its name there, where it is, size in bytes, time in ns."""

    name: str
    path: str
    size: int
    mtime_ns: int


class Index:
    """Facts of files by name, kept in the user's cache folder as long as size and time agree.

    A damaged or unwritable cache costs time and nothing else.

    Parameters
    ----------
    layout
        A number (31 bits) for the kind of the facts; an index with another is thrown away.
    """

    def __init__(self, study_folder: Path, layout: int) -> None:
        self._layout = layout
        key = hashlib.blake2b(str(study_folder.resolve()).encode(), digest_size=10).hexdigest()
        self.file = cache_folder() / "studies" / f"{key}.sqlite"

    def facts(self, files: Mapping[str, Found], read: Callable[[Path], Facts]) -> dict[str, Facts]:
        """The facts of each file; only those that changed are read."""
        known = self._load()
        same = [
            name
            for name, file in files.items()
            if (kept := known.get(name)) is not None and kept[:2] == (file.size, file.mtime_ns)
        ]
        try:  # at once: a thousand small texts take several times as long
            told = json.loads(f"[{','.join(known[name][2] for name in same)}]")
            found: dict[str, Facts] = dict(zip(same, told, strict=True))
        except ValueError:  # somebody wrote into the cache
            found = {}
        changed = [file for name, file in files.items() if name not in found]
        if changed:
            with ThreadPoolExecutor(_READERS) as pool:
                fresh = list(pool.map(lambda file: read(Path(file.path)), changed))
            found |= {file.name: facts for file, facts in zip(changed, fresh, strict=True)}
            before = (time.time() - SETTLED_AFTER_SECONDS) * 1e9
            settled = [
                (file.name, file.size, file.mtime_ns, json.dumps(facts))
                for file, facts in zip(changed, fresh, strict=True)
                if file.mtime_ns < before
            ]
            self._save(settled)
        return found

    def _load(self) -> dict[str, tuple[int, int, str]]:
        if not self.file.exists():
            return {}
        try:
            with contextlib.closing(sqlite3.connect(self.file, timeout=1.0)) as connection:
                if connection.execute("PRAGMA user_version").fetchone()[0] != self._layout:
                    raise sqlite3.DatabaseError("another layout")
                rows = connection.execute("SELECT name, size, mtime, facts FROM file")
                return {name: (size, mtime, facts) for name, size, mtime, facts in rows}
        except sqlite3.OperationalError:  # another program is at it: read the files themselves
            return {}
        except (sqlite3.DatabaseError, ValueError, TypeError):
            with contextlib.suppress(OSError):
                self.file.unlink()
            return {}

    def _save(self, rows: list[tuple[str, int, int, str]]) -> None:
        if not rows:
            return
        with contextlib.suppress(sqlite3.Error, OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self.file, timeout=1.0)) as connection:
                connection.execute("PRAGMA synchronous = OFF")  # it can be made again
                connection.execute(f"PRAGMA user_version = {self._layout}")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS file "
                    "(name TEXT PRIMARY KEY, size INTEGER, mtime INTEGER, facts TEXT)"
                )
                connection.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", rows)
                connection.commit()


def files_in(folder: Path, prefix: str) -> dict[str, Found]:
    """The files of one folder by `prefix/name`; hidden ones and folders are passed over.

    Raises
    ------
    InputError
        When the folder is there and cannot be read.
    """
    found: dict[str, Found] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.is_file():
                    continue
                told = entry.stat()
                name = f"{prefix}/{entry.name}"
                found[name] = Found(name, entry.path, told.st_size, told.st_mtime_ns)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f'the folder "{folder.name}" cannot be read: {error.strerror}') from error
    return found
