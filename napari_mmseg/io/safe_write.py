"""Replace files so that nothing is ever lost: write aside, check, back up, rename."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import ExportError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}

#: What the name that a file is first written under has beside its own.
_ASIDE = ".{}.part.{}"
_TOKEN_BYTES = 4

#: File systems take names of 255 bytes; the temporary one has to fit too.
LONGEST_NAME_BYTES = 255 - len(_ASIDE.format("x" * 2 * _TOKEN_BYTES, ""))


@dataclass(frozen=True)
class Draft:
    """Bytes for a target file, and how to check what was written aside before it is renamed."""

    target: Path
    data: bytes
    check: Callable[[Path], None]


def replace_files(drafts: list[Draft]) -> tuple[Path, ...]:
    """Write all drafts, check them all, then put them in place; returns the backups made.

    A file that a target replaces is kept as NAME.1.bak, NAME.2.bak and so on.

    Raises
    ------
    ExportError
        In one sentence; then no temporary file is left and every old file is as it was.
    """
    aside: list[Path] = []
    placed: list[tuple[Path, Path | None]] = []
    try:
        for draft in drafts:
            with _in_words(draft.target, _cannot_write):
                aside.append(_write_aside(draft))
        for draft, temporary in zip(drafts, aside, strict=True):
            with _in_words(draft.target, _cannot_write):
                draft.check(temporary)
        for draft, temporary in zip(drafts, aside, strict=True):
            with _in_words(draft.target, _cannot_replace):
                placed.append((draft.target, _put_in_place(temporary, draft.target)))
        _settle({draft.target.parent for draft in drafts})
    except BaseException:
        for target, backup in reversed(placed):
            with suppress(OSError):
                backup.replace(target) if backup else target.unlink()
        raise
    finally:
        for temporary in aside:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    return tuple(backup for _, backup in placed if backup)


def _write_aside(draft: Draft) -> Path:
    # The suffix stays last, as readers go by it; the dot and .part hide it from every other one.
    name = draft.target.name
    temporary = draft.target.with_name(_ASIDE.format(secrets.token_hex(_TOKEN_BYTES), name))
    try:
        with temporary.open("xb") as file:
            file.write(draft.data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def _put_in_place(temporary: Path, target: Path) -> Path | None:
    """Rename; returns where the old file went."""
    backup = _back_up(target) if target.exists() else None
    try:
        temporary.replace(target)
    except BaseException:
        if backup is not None:
            backup.unlink() if target.exists() else backup.rename(target)
        raise
    return backup


def _back_up(target: Path) -> Path:
    """Keep the old file under a free name; it stays in place too where hard links work."""
    number = 1
    while True:
        backup = target.with_name(f"{target.name}.{number}.bak")
        if backup.exists():
            number += 1
            continue
        try:
            os.link(target, backup)  # no moment without a file under the old name
        except FileExistsError:
            continue
        except OSError:
            target.rename(backup)
        return backup


def _settle(folders: set[Path]) -> None:
    """Have the renames themselves on disk, where the system can (not on Windows)."""
    for folder in folders:
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


@contextmanager
def _in_words(target: Path, sentence: Callable[[Path, OSError], str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError(sentence(target, error)) from error


def _cannot_write(target: Path, error: OSError) -> str:
    name = f'"{target.name}" was not written'
    if error.errno in _FULL:
        return f"{name}: the disk is full, free some space or choose another folder"
    if error.errno == errno.ENOENT:
        return f'{name}: the folder "{target.parent.name}" does not exist, create it first'
    if error.errno == errno.ENAMETOOLONG:
        return f"{name}: the name is too long, choose a shorter one"
    if error.errno in _FORBIDDEN:
        return f'{name}: the folder "{target.parent.name}" is read-only, choose another one'
    return f"{name}: {error.strerror or error}, choose another folder"


def _cannot_replace(target: Path, error: OSError) -> str:
    name = f'"{target.name}" was not replaced'
    if isinstance(error, PermissionError):  # Windows says so when any program has it open
        return f"{name}: it is open in another program or protected, close it or name another file"
    return f"{name}: {error.strerror or error}, name another file"
