"""Text files of a study, written so that nobody ever reads half of one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..errors import ExportError


def put_text(path: Path, text: str) -> None:
    """Write a file aside and rename it; what was there is replaced.

    Raises
    ------
    ExportError
        When it cannot be written; then the old file is as it was.
    """
    aside = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
    try:
        with aside.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ExportError(
            f'"{path.name}" was not written ({error.strerror or error}): is the folder '
            f'"{path.parent.name}" read-only, or the disk full?'
        ) from error
    finally:
        aside.unlink(missing_ok=True)
