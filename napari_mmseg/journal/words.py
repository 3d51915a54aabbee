"""Why a work file cannot be written, in one sentence."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

_GOES_ON = "your work goes on in memory and writing is tried again"

_FULL_ERRNO = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN_ERRNO = {errno.EROFS, errno.EACCES, errno.EPERM}
_AWAY_ERRNO = {errno.ENOENT, errno.ENOTDIR, errno.EEXIST}


def cannot_write(path: Path, error: Exception) -> str:
    """The sentence for a failure while writing; it names the folder only by its last part."""
    folder = path.parent.name
    code = (
        error.sqlite_errorcode & 0xFF
        if isinstance(error, sqlite3.Error) and hasattr(error, "sqlite_errorcode")
        else None
    )
    number = error.errno if isinstance(error, OSError) else None
    if code == sqlite3.SQLITE_FULL or number in _FULL_ERRNO:
        return f"The work file is not written, the disk is full: free some space; {_GOES_ON}"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM) or number in _FORBIDDEN_ERRNO:
        return f'The work file is not written, the folder "{folder}" is read-only; {_GOES_ON}'
    if code == sqlite3.SQLITE_BUSY:
        return f"The work file is not written, another program holds it open; {_GOES_ON}"
    if isinstance(error, FileNotFoundError) and path.parent.is_dir():
        return (
            f'The work file is not written, it is no longer in the folder "{folder}": put it back '
            f"or export your labels; {_GOES_ON}"
        )
    if code == sqlite3.SQLITE_CANTOPEN or number in _AWAY_ERRNO:
        return f'The work file is not written, the folder "{folder}" cannot be reached; {_GOES_ON}'
    return f"The work file is not written ({error}); {_GOES_ON}"


def written_again() -> str:
    return "The work file is written again: nothing was lost"


def changed_by_others() -> str:
    return (
        "The work file holds what this window has not written: what you do from now on is not "
        "kept in it, export your labels and close this window"
    )


def taken_over(holder: str) -> str:
    return (
        f"The work file was taken over by {holder}: what you do from now on is not kept in it, "
        "export your labels and close this window"
    )
