"""Write a report; unlike labels it can be made again, so an old one is replaced without a copy."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from ..errors import ExportError

#: What the names of reports end in.
PAGE = (".html", ".htm")
TABLE = (".csv",)
VALUES = (".json",)


def check_target(target: Path, *endings: str) -> None:
    """Refuse a file that cannot be written before minutes of work are spent on it.

    Parameters
    ----------
    endings
        What its name may end in (".html"). An old report is replaced without a copy, so a name
        that may be that of labels, of a log or of a study's own file is not taken.

    Raises
    ------
    ExportError
        When the target is a folder, its folder is not there or it ends in something else.
    """
    if target.is_dir():
        raise ExportError(f'"{target.name}" is a folder: name a file in it')
    if not target.parent.is_dir():
        raise ExportError(
            f'"{target.name}" cannot be written: its folder "{target.parent.name}" does not '
            "exist, create it first"
        )
    if endings and not target.name.lower().endswith(endings):
        raise ExportError(f'"{target.name}" is no name of a report: end it in {endings[0]}')


def write_text(target: Path, text: str) -> None:
    """UTF-8, line ends as they are; written aside and renamed, so that no half a report is left.

    Raises
    ------
    ExportError
        When the file cannot be written.
    """
    aside = target.with_name(f".{secrets.token_hex(4)}.part.{target.name}")
    try:
        aside.write_bytes(text.encode("utf-8", errors="backslashreplace"))
        aside.replace(target)
    except OSError as error:
        raise ExportError(
            f'"{target.name}" was not written: {error.strerror or error}, choose another folder'
        ) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
