"""Write a report; unlike labels it can be made again, so an old one is replaced without a copy."""

from __future__ import annotations

from pathlib import Path

from ..errors import ExportError


def check_target(target: Path) -> None:
    """Refuse a file that cannot be written before minutes of work are spent on it.

    Raises
    ------
    ExportError
        When the target is a folder, or its folder is not there.
    """
    if target.is_dir():
        raise ExportError(f'"{target.name}" is a folder: name a file in it')
    if not target.parent.is_dir():
        raise ExportError(
            f'"{target.name}" cannot be written: its folder "{target.parent.name}" does not '
            "exist, create it first"
        )


def write_text(target: Path, text: str) -> None:
    """UTF-8, line ends as they are.

    Raises
    ------
    ExportError
        When the file cannot be written.
    """
    try:
        target.write_bytes(text.encode("utf-8", errors="backslashreplace"))
    except OSError as error:
        raise ExportError(
            f'"{target.name}" was not written: {error.strerror or error}, choose another folder'
        ) from error
