"""The cases in a folder: each of its folders, or files with channels, that looks like one."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..io import looks_like_case


def cases_in(folder: Path) -> list[Path]:
    """The cases in a folder, by name; the folder itself when it is one.

    Raises
    ------
    InputError
        When there is none.
    """
    try:
        entries = sorted(e for e in folder.iterdir() if not e.name.startswith("."))
    except OSError as error:
        raise InputError(
            f'the folder "{folder.name}" cannot be read: {error.strerror}: check its name'
        ) from error
    found = [e for e in entries if e.is_dir() and looks_like_case([e])]
    if found:
        return found
    if looks_like_case([folder]) and not _holds_several(entries):
        return [folder]
    found = [e for e in entries if e.is_file() and looks_like_case([e])]
    if not found:
        raise InputError(
            f'the folder "{folder.name}" holds no case: one folder a case with its T1, T1ce, T2 '
            "or FLAIR, or one file with channels a case"
        )
    return found


def _holds_several(entries: list[Path]) -> bool:
    """Are there several files with channels, each a case of its own?"""
    from ..io.discover import is_msd_file

    return sum(is_msd_file(e) for e in entries if e.is_file()) > 1
