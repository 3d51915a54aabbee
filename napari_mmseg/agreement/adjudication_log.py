"""The log of an adjudication on disk, so that it can be resumed and checked.

JSON lines: first a header that names the sources by rater and SHA-256 of their codes, then one
entry for each decision and undo. Entries are appended and flushed to the disk one at a time. A
crash can only tear the last line: it is dropped on opening, which is said. A log whose header
names other sources, or whose entries do not replay, is refused rather than bent.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import ExportError, InputError
from .adjudicate import Adjudication
from .decisions import Record, from_plain, to_plain
from .panel import sources_of

FORMAT = "napari-mmseg adjudication log 1"


class AdjudicationLog:
    """A log file that follows an adjudication.

    Made by `open_log`. After each decision and undo call `keep`.
    """

    def __init__(self, path: Path, adjudication: Adjudication, notes: tuple[str, ...] = ()) -> None:
        self.path = path
        self.notes = notes
        self._adjudication = adjudication
        self._kept = len(adjudication.log)
        self._size = path.stat().st_size

    def keep(self) -> None:
        """Append what happened since the last time.

        Raises
        ------
        ExportError
            When it cannot be written, or another program has written to the file meanwhile.
        """
        new = self._adjudication.log[self._kept :]
        if not new:
            return
        data = b"".join(_line(to_plain(record)) for record in new)
        try:
            with self.path.open("r+b") as file:
                if file.seek(0, os.SEEK_END) != self._size:
                    raise ExportError(
                        f'"{self.path.name}" was changed by another program: close it there and '
                        "open the adjudication again"
                    )
                try:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    with suppress(OSError):  # half an entry would stop the next from being read
                        file.truncate(self._size)
                    raise
        except OSError as error:
            raise ExportError(
                f'"{self.path.name}" was not written: {error.strerror or error}, make room or '
                "choose another folder"
            ) from error
        self._size += len(data)
        self._kept += len(new)


def open_log(path: str | Path, adjudication: Adjudication) -> AdjudicationLog:
    """Begin a log, or resume from one: its decisions are replayed into the adjudication.

    Parameters
    ----------
    path
        A file; made when it is not there.
    adjudication
        Fresh where the file is there already.

    Raises
    ------
    InputError
        When the file is no log, is damaged before its last line, or belongs to other annotations.
    ExportError
        When it cannot be written.
    """
    path = Path(path)
    if not path.exists():
        entries = [to_plain(record) for record in adjudication.log]
        _replace(path, b"".join(map(_line, [_header(adjudication), *entries])))
        return AdjudicationLog(path, adjudication)
    if adjudication.log:
        raise InputError(
            f'"{path.name}" is there already and decisions were made since: name another file'
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f'"{path.name}" cannot be read: {error.strerror or error}, name another file'
        ) from error
    whole, torn = _whole_lines(data)
    if not whole:
        raise InputError(f'"{path.name}" is no adjudication log, or empty: name another file')
    _check(path, _parse(path, whole[0], 1), adjudication)
    records = [_record(path, line, n) for n, line in enumerate(whole[1:], start=2)]
    try:
        adjudication.replay(records)
    except InputError as error:
        raise InputError(f'"{path.name}" cannot be resumed: {error}') from error
    notes: tuple[str, ...] = ()
    if torn:
        _replace(path, data[: len(data) - torn])
        notes = (
            f'the last entry of "{path.name}" was cut off and is dropped: check the last decision',
        )
    return AdjudicationLog(path, adjudication, notes)


def _header(adjudication: Adjudication) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "protocol": adjudication.protocol.name,
        "shape": list(adjudication.codes.shape),
        "sources": adjudication.sources,
        "consensus": adjudication.consensus_source,
        "tolerance_mm": adjudication.tolerance_mm,
        "disputes": len(adjudication.disputes),
    }


def _check(path: Path, told: Any, adjudication: Adjudication) -> None:
    """Refuse the log of other annotations, and say what is other about them."""
    name = f'"{path.name}"'
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise InputError(f"{name} is no adjudication log of this version: name another file")
    mine = _header(adjudication)
    if told == mine or _begin_alike(told, mine, adjudication):
        return
    theirs = told.get("sources")
    if not isinstance(theirs, dict) or theirs.keys() != mine["sources"].keys():
        raise InputError(f"{name} is the log of other raters: name another file")
    changed = [rater for rater, sha in mine["sources"].items() if theirs[rater] != sha]
    if changed:
        raise InputError(
            f"{name} cannot be resumed: the labels of {', '.join(changed)} are not those that "
            "were adjudicated, begin a new log"
        )
    if told.get("tolerance_mm") != mine["tolerance_mm"]:
        raise InputError(
            f"{name} was begun with a tolerance of {told.get('tolerance_mm')} mm, not "
            f"{mine['tolerance_mm']} mm: go on with the same"
        )
    raise InputError(
        f"{name} was begun from another consensus or protocol: go on with the same, or name "
        "another file"
    )


def _begin_alike(told: dict[str, Any], mine: dict[str, Any], adjudication: Adjudication) -> bool:
    """Do both begin from the majority, though only one was given it as its consensus?

    So the command goes on with a log of the window, and the window with one of the command.
    """
    if {**told, "consensus": mine["consensus"]} != mine:
        return False
    majority = sources_of({adjudication.majority.author: adjudication.majority})
    return all(start in ({}, majority) for start in (told.get("consensus"), mine["consensus"]))


def _whole_lines(data: bytes) -> tuple[list[bytes], int]:
    """The lines that end as lines do, and how many bytes of a torn one come after them.

    A last line that ends but holds no JSON was torn too: its blocks reached the disk out of order.
    """
    *whole, rest = data.split(b"\n")
    torn = len(rest)
    if whole and not torn and not _is_json(whole[-1]):
        torn = len(whole.pop()) + 1
    return whole, torn


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _parse(path: Path, line: bytes, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise InputError(
            f'"{path.name}" is damaged in line {number}: restore it from a copy'
        ) from error


def _record(path: Path, line: bytes, number: int) -> Record:
    try:
        return from_plain(_parse(path, line, number))
    except InputError as error:
        raise InputError(
            f'"{path.name}" is damaged in line {number}: restore it from a copy'
        ) from error


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _replace(path: Path, data: bytes) -> None:
    """Write aside, flush, rename."""
    temporary = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ExportError(
            f'"{path.name}" was not written: {error.strerror or error}, choose another folder'
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
