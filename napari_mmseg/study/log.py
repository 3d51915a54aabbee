"""A log that one person writes: lines are only added, and each is chained to those before it.

A line that a crash has torn is passed over; a line that somebody has changed, taken out or moved
breaks the chain and is told of.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ExportError, InputError

_DIGEST_BYTES = 8


@dataclass(frozen=True)
class Line:
    """One line: when (seconds since 1970, UTC) and what."""

    at: float
    told: Mapping[str, Any]
    digest: str


@dataclass(frozen=True)
class Log:
    """The whole lines of a log, up to the first that is not as it was written."""

    lines: tuple[Line, ...] = ()
    problem: str = ""

    @property
    def last_digest(self) -> str:
        return self.lines[-1].digest if self.lines else ""


def read_log(path: Path) -> Log:
    """The log in a file; an empty one when there is none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Log()
    except OSError as error:
        return Log((), f'"{path.name}" cannot be read: {error.strerror}')
    lines: list[Line] = []
    for raw in data.split(b"\n"):
        if not raw.strip():
            continue
        line = _line(raw)
        if line is None:  # torn by a crash: if anything else is missing, the chain says so
            continue
        if line.digest != _digest(lines[-1].digest if lines else "", line.at, line.told):
            return Log(
                tuple(lines), f'"{path.name}" was changed by hand from line {len(lines) + 1}'
            )
        lines.append(line)
    return Log(tuple(lines))


def add_line(path: Path, told: Mapping[str, Any]) -> Log:
    """`add_lines` of one."""
    return add_lines(path, [told])


def add_lines(path: Path, many: Iterable[Mapping[str, Any]]) -> Log:
    """Add lines durably, all at once; returns the log with them.

    Raises
    ------
    InputError
        When the log was changed by hand.
    ExportError
        When it cannot be written.
    """
    log = read_log(path)
    if log.problem:
        raise InputError(f"{log.problem}: nothing is added to it, ask whoever runs the study")
    at = round(time.time(), 3)
    before, lines = log.last_digest, []
    for told in many:
        before = _digest(before, at, told)
        lines.append(Line(at, told, before))
    # The line end in front closes a line that a crash has torn.
    text = "".join(
        "\n" + json.dumps({**line.told, "at": at, "digest": line.digest}) + "\n" for line in lines
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(handle, text.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise ExportError(f'"{path.name}" was not written: {error.strerror or error}') from error
    return Log((*log.lines, *lines))


def _line(raw: bytes) -> Line | None:
    try:
        told = json.loads(raw)
        at, digest = float(told.pop("at")), str(told.pop("digest"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Line(at, told, digest)


def _digest(before: str, at: float, told: Mapping[str, Any]) -> str:
    text = json.dumps([before, at, told], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
