"""One at a time: files that several people add to, each for a moment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import ExportError, InputError
from ..journal import InUse
from ..journal.lock import Lock


@contextlib.contextmanager
def turn_at(file: Path) -> Iterator[None]:
    """Nobody else, on any computer, is in this at the same time for the same file.

    Raises
    ------
    InputError
        When somebody is.
    ExportError
        When the folder cannot be written.
    """
    try:
        lock = Lock.take(file)
    except InUse as refusal:
        raise InputError(
            f'"{file.name}" is being written on {refusal.holder}: try again in a moment'
        ) from refusal
    except OSError as error:
        raise ExportError(
            f'"{file.name}" cannot be written: {error.strerror or error}; is the folder '
            f'"{file.parent.name}" read-only?'
        ) from error
    try:
        yield
    finally:
        lock.release()
