"""Finds rows in a damaged work file, page by page, without asking SQLite.

SQLite refuses a file whose tree is torn, although most of its leaves may be whole. This reads the
leaves themselves (https://www.sqlite.org/fileformat2.html, sections 1.5, 1.6 and 2) and believes a
row only when its digest agrees.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .schema import PAGE_BYTES, Row, whole_row

_LEAF = 0x0D  # type of a page with rows of a table
_FILE_HEADER_BYTES = 100  # on the first page, before its own header
_COLUMNS = 6

#: The most of a row that stays on its leaf, and the least when it does not fit (section 1.6).
_MOST_LOCAL = PAGE_BYTES - 35
_LEAST_LOCAL = (PAGE_BYTES - 12) * 32 // 255 - 23

_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # by serial type


def rows_in(data: bytes) -> list[Row]:
    """Every whole row in the bytes of a work file, by number."""
    found: dict[int, Row] = {}
    for start in range(0, len(data), PAGE_BYTES):
        page = data[start : start + PAGE_BYTES]
        for at in _cells(page, _FILE_HEADER_BYTES if start == 0 else 0):
            try:
                row = _row(data, page, at)
            except (IndexError, ValueError, struct.error):  # torn: reads beyond what is there
                continue
            if row is not None:
                found[row.seq] = row
    return [found[seq] for seq in sorted(found)]


def _cells(page: bytes, header: int) -> Iterator[int]:
    """Where the cells of a leaf begin."""
    if len(page) < header + 8 or page[header] != _LEAF:
        return
    (count,) = struct.unpack_from(">H", page, header + 3)
    for i in range(count):
        place = header + 8 + 2 * i
        if place + 2 > len(page):
            return
        yield struct.unpack_from(">H", page, place)[0]


def _row(data: bytes, page: bytes, at: int) -> Row | None:
    size, at = _varint(page, at)
    seq, at = _varint(page, at)
    payload = _payload(data, page, at, size)
    end, at = _varint(payload, 0)
    types = []
    while at < end:
        kind, at = _varint(payload, at)
        types.append(kind)
    if len(types) != _COLUMNS:
        return None
    values: list[object] = []
    for kind in types:
        value, at = _value(payload, at, kind)
        values.append(value)
    return whole_row(seq, *values[1:])  # the number is the key, not a column


def _payload(data: bytes, page: bytes, at: int, size: int) -> bytes:
    """A cell's payload, its overflow pages followed."""
    if size <= _MOST_LOCAL:
        return page[at : at + size]
    local = _LEAST_LOCAL + (size - _LEAST_LOCAL) % (PAGE_BYTES - 4)
    if local > _MOST_LOCAL:
        local = _LEAST_LOCAL
    parts = [page[at : at + local]]
    (following,) = struct.unpack_from(">I", page, at + local)
    left = size - local
    while left > 0:
        if following == 0:
            raise ValueError("the chain of overflow pages ends too soon")
        start = (following - 1) * PAGE_BYTES
        (following,) = struct.unpack_from(">I", data, start)
        parts.append(data[start + 4 : start + 4 + min(left, PAGE_BYTES - 4)])
        left -= PAGE_BYTES - 4
    return b"".join(parts)


def _value(payload: bytes, at: int, kind: int) -> tuple[object, int]:
    if kind == 0:
        return None, at
    if kind in _INTEGER_BYTES:
        end = at + _INTEGER_BYTES[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    if kind in (8, 9):
        return kind - 8, at
    end = at + (kind - 12) // 2
    part = payload[at:end]
    return (part.decode("utf-8") if kind % 2 else part), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes and where it ends."""
    value = 0
    for i in range(8):
        byte = data[at + i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9
