"""The layout of a work file: one SQLite table of rows that are only ever added.

A work file holds what one rater did on one case. Its rows, in the order in which things happened:

==========  ===================================================================================
kind        what it tells (`facts` is JSON, `data` is binary)
==========  ===================================================================================
base        the first row: metadata (`header`), the codes and the proposal at the beginning
pad         nothing; see `PAD_BYTES`
origin      where codes came from: author, provenance, the file's own label values
step        something was done: label, regions, plane, box; `data` is the packed patch
amend       the same, in the place of the newest step (the moves of a slider)
undo, redo  the step with the row number `step` was taken back, or done again
mark        the annotation as it was after the row `step` (0: at the beginning) was exported
ticks       all lesions that are accepted now, as they were when that was done; versions that do not
            know this kind pass it over
effort      time went by at work without a step
snapshot    like base, now and then, so that the way from one to the present is short
==========  ===================================================================================

Every act carries the effort up to it. Each row has a digest over all its fields, so that a row
found in a damaged file is known to be whole, and rows are numbered without gaps.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any

#: What a work file is called.
SUFFIX = ".mmseg"

#: In the file's header, so that `file` and we can tell a work file: "MMSG".
APPLICATION_ID = 0x4D4D5347
VERSION = 1

#: Fixed, so that pages can be found in a file without its first page (bytes).
PAGE_BYTES = 4096

#: SQLite moves the rows of a table's first page when that page is full. Two rows of this size at
#: the beginning make it do so at once: later rows then stay where they were first written, and a
#: file that was cut off keeps everything before the cut (bytes).
PAD_BYTES = 3000

CREATE = (
    f"PRAGMA page_size = {PAGE_BYTES}",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
    "CREATE TABLE row (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at REAL NOT NULL, "
    "facts TEXT NOT NULL, data BLOB NOT NULL, digest BLOB NOT NULL)",
)
INSERT = "INSERT INTO row (seq, kind, at, facts, data, digest) VALUES (?, ?, ?, ?, ?, ?)"
SELECT = "SELECT seq, kind, at, facts, data, digest FROM row ORDER BY seq"

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a work file.

    `at` is the time in seconds since 1970 (UTC); `facts` is JSON text.
    """

    seq: int
    kind: str
    at: float
    facts: str
    data: bytes = b""

    @classmethod
    def of(cls, seq: int, kind: str, at: float, facts: dict[str, Any], data: bytes = b"") -> Row:
        return cls(seq, kind, at, json.dumps(facts, separators=(",", ":")), data)

    @property
    def told(self) -> dict[str, Any]:
        """The facts as plain values."""
        facts = json.loads(self.facts)
        assert isinstance(facts, dict)
        return facts

    @property
    def digest(self) -> bytes:
        """Says of a stored row whether it is whole."""
        found = hashlib.blake2b(struct.pack("<qd", self.seq, self.at), digest_size=_DIGEST_BYTES)
        for part in (self.kind.encode(), self.facts.encode(), self.data):
            found.update(struct.pack("<q", len(part)))
            found.update(part)
        return found.digest()

    @property
    def stored(self) -> tuple[int, str, float, str, bytes, bytes]:
        """The values of the table's columns."""
        return self.seq, self.kind, self.at, self.facts, self.data, self.digest


def whole_row(
    seq: object, kind: object, at: object, facts: object, data: object, digest: object
) -> Row | None:
    """A row from a table's columns, or None when it is not as it was written."""
    if not (isinstance(seq, int) and isinstance(kind, str) and isinstance(facts, str)):
        return None
    if not (isinstance(at, int | float) and isinstance(data, bytes) and isinstance(digest, bytes)):
        return None
    row = Row(seq, kind, float(at), facts, data)
    return row if row.digest == digest else None
