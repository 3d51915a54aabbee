"""The little of a work file that a list of readings shows, without reading its voxels."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import GeometryError, InputError
from ..journal.header import Header
from ..journal.schema import APPLICATION_ID, VERSION

_FIRST = "SELECT facts FROM row WHERE seq = 1"
_LAST = (
    "SELECT at, facts FROM row WHERE kind NOT IN ('pad', 'origin') AND seq > "
    "(SELECT max(seq) FROM row) - 8 ORDER BY seq DESC LIMIT 1"
)


@dataclass(frozen=True)
class Glance:
    """What a work file says of itself.

    Parameters
    ----------
    rater, fingerprint, protocol, protocol_sha256
        From its header.
    active_s, strokes
        The effort up to its last act.
    ended
        The time of its last act (seconds since 1970, UTC).
    problem
        One sentence when it cannot be used; then the rest is empty.
    """

    rater: str = ""
    fingerprint: str = ""
    protocol: str = ""
    protocol_sha256: str = ""
    active_s: float = 0.0
    strokes: int = 0
    ended: float = 0.0
    problem: str = ""

    def facts(self) -> dict[str, Any]:
        return asdict(self)


def glance_at(path: Path) -> Glance:
    """Look at a work file; nothing of it is written, not even what a killed program left undone."""
    try:
        if path.stat().st_size == 0:
            return Glance()
        return _by_sqlite(path)
    except InputError as refusal:
        return Glance(problem=str(refusal))
    except OSError as error:
        return Glance(problem=f'"{path.name}" cannot be read: {error.strerror}')
    except (sqlite3.Error, ValueError, KeyError, TypeError):
        return _by_pages(path)


def header_of(path: Path) -> Header:
    """What a work file says of case, grid, protocol and rater; nothing of it is written.

    Raises
    ------
    InputError
        When it is made by a newer version, or no whole row says so.
    """
    try:
        return Header.of_facts(_ends(path)[0]["header"])
    except OSError as error:
        raise InputError(f'"{path.name}" cannot be read: {error.strerror}') from error
    except (sqlite3.Error, ValueError, KeyError, TypeError, GeometryError):
        from ..journal.pages import rows_in

        for row in rows_in(path.read_bytes()):
            if row.kind in ("base", "snapshot"):
                return Header.of_facts(row.told["header"])
    raise InputError(f'"{path.name}" holds no row of a work file: move it out of the study')


def _by_sqlite(path: Path) -> Glance:
    first, at, last = _ends(path)
    return _glance(first, at, last)


def _ends(path: Path) -> tuple[dict[str, Any], float, dict[str, Any]]:
    """The facts of the first row, and time and facts of the last that tells the effort."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=1.0)) as connection:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == APPLICATION_ID and version > VERSION:
            raise InputError(f'"{path.name}" was made by a newer version: update this program')
        first = connection.execute(_FIRST).fetchone()
        last = connection.execute(_LAST).fetchone()
    if first is None or last is None:
        raise ValueError("rows are missing")
    return json.loads(first[0]), float(last[0]), json.loads(last[1])


def _by_pages(path: Path) -> Glance:
    """Of a file that SQLite refuses: what its whole rows say."""
    from ..journal.pages import rows_in

    try:
        rows = rows_in(path.read_bytes())
        base = next(row for row in rows if row.kind in ("base", "snapshot"))
        last = next(row for row in reversed(rows) if "effort" in row.told)
        return _glance(base.told, last.at, last.told)
    except (OSError, StopIteration, KeyError, ValueError):
        return Glance(problem=f'"{path.name}" holds no row of a work file')


def _glance(first: dict[str, Any], at: float, last: dict[str, Any]) -> Glance:
    header, effort = first["header"], last["effort"]
    return Glance(
        str(header["rater"]),
        str(header["fingerprint"]),
        str(header["protocol"]),
        str(header["protocol_sha256"]),
        float(effort["active_s"]),
        int(effort["strokes"]),
        at,
    )
