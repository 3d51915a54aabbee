"""A work file as SQLite sees it: made, added to, read and copied."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import InputError
from .pages import rows_in
from .schema import APPLICATION_ID, CREATE, INSERT, SELECT, VERSION, Row, whole_row

#: How long to wait for another program that reads the file at this moment (seconds).
BUSY_SECONDS = 5.0


class Damaged(Exception):
    """The file is torn: SQLite cannot read all of it, or a row is not as it was written."""


def connect(path: Path, create: bool = False) -> sqlite3.Connection:
    """A connection on which every transaction is on the disk when it is committed.

    The rollback journal, unlike the write-ahead log, works on shared drives and leaves one file;
    EXTRA also syncs the folder once the journal is deleted, without which a loss of power could
    bring the journal back and roll a committed step back with it.

    Raises
    ------
    sqlite3.Error
        When the file cannot be opened; without `create` it has to be there.
    """
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
    )
    connection.execute("PRAGMA synchronous = EXTRA")
    connection.execute("PRAGMA journal_mode = DELETE")
    return connection


def make(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """The table with its first rows, in one transaction."""
    connection.execute(CREATE[0])  # the page's size, before there is a page
    with transaction(connection):
        for statement in CREATE[1:]:
            connection.execute(statement)
        _insert(connection, rows)


def append(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Add rows durably: they are on the disk when this returns."""
    with transaction(connection):
        _insert(connection, rows)


def is_empty(connection: sqlite3.Connection) -> bool:
    """Has no table been made yet? So leaves a program that was killed while it began."""
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def last_number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM row").fetchone()[0])


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def read_rows(path: Path) -> tuple[list[Row], bool]:
    """All whole rows of a work file by number, and whether it is damaged.

    Raises
    ------
    InputError
        When it is no work file, is made by a newer version, or cannot be read.
    """
    try:
        if path.is_dir():
            raise InputError(f'"{path.name}" is a folder: name a work file in it')
        data_is_there = path.stat().st_size > 0
    except FileNotFoundError as error:
        raise InputError(f'"{path.name}" does not exist: name a work file (.mmseg)') from error
    except OSError as error:
        raise InputError(
            f'"{path.name}" cannot be read ({error.strerror}): check the file and its folder'
        ) from error
    if not data_is_there:
        return [], False
    try:
        return _rows_by_sqlite(path), False
    except (Damaged, sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise InputError(f'"{path.name}" is being written: try again in a moment') from error
    rows = rows_in(path.read_bytes())
    if not rows:
        raise InputError(f'"{path.name}" holds no row of a work file: choose another file')
    return rows, True


def _rows_by_sqlite(path: Path) -> list[Row]:
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    mode = "rw" if writable else "ro"  # rw finishes what a killed program left half done
    address = f"{path.absolute().as_uri()}?mode={mode}"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == APPLICATION_ID and version > VERSION:
            raise InputError(f'"{path.name}" was made by a newer version: update this program')
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise Damaged
        connection.text_factory = bytes
        rows: list[Row] = []
        for seq, kind, at, facts, data, digest in connection.execute(SELECT):
            row = whole_row(seq, kind.decode(), at, facts.decode(), data, digest)
            if row is None or row.seq != len(rows) + 1:
                raise Damaged
            rows.append(row)
        return rows


def write_rows(path: Path, rows: list[Row]) -> None:
    """A new work file with these rows: written aside, then renamed.

    Raises
    ------
    OSError, sqlite3.Error
        When it cannot be written; then nothing is left.
    """
    aside = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
    try:
        with contextlib.closing(connect(aside, create=True)) as connection:
            make(connection, rows)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def copy(source: Path, target: Path) -> None:
    """Copy a work file while somebody writes to it, through SQLite's own backup.

    Raises
    ------
    InputError
        When it cannot be copied, or the target is there.
    """
    if target.exists():
        raise InputError(f'"{target.name}" is there already: choose another name')
    aside = target.with_name(f".{secrets.token_hex(4)}.part.{target.name}")
    try:
        address = f"{source.absolute().as_uri()}?mode=ro"
        with (
            contextlib.closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as here,
            contextlib.closing(connect(aside, create=True)) as there,
        ):
            here.backup(there)
        aside.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise InputError(f'"{source.name}" was not copied: {error}') from error
    finally:
        aside.unlink(missing_ok=True)


def _insert(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    connection.executemany(INSERT, (row.stored for row in rows))
