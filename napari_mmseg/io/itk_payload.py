"""Look at the voxels of NRRD and MHA files before ITK does.

ITK reads damaged compressed voxels without raising: in one check of 100 files with a flipped bit
it gave wrong voxels for all MHA and for 18 NRRD files.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from ..errors import InputError
from .image import quoted

_ZLIB_OR_GZIP = 47  # wbits: both are in use, zlib finds out which

#: Headers are short text; what has none by here is no such file.
_HEADER_BYTES = 1_000_000

_NRRD_END = re.compile(rb"\r?\n\r?\n")
_NRRD_ENCODING = re.compile(rb"^encoding:\s*(\w+)", re.MULTILINE | re.IGNORECASE)
_NRRD_ELSEWHERE = re.compile(
    rb"^(?:data ?file|line ?skip|byte ?skip)\s*:", re.MULTILINE | re.IGNORECASE
)
_MHA_END = re.compile(rb"^ElementDataFile\s*=\s*LOCAL[^\n]*\n", re.MULTILINE | re.IGNORECASE)
_MHA_PACKED = re.compile(rb"^CompressedData\s*=\s*True", re.MULTILINE | re.IGNORECASE)


def check_start(path: Path, data: bytes) -> None:
    """Refuse what does not begin as its name says (ITK would also print its own complaints).

    Raises
    ------
    InputError
        When the file is of another kind.
    """
    if path.suffix.lower() == ".nrrd":
        begins = data.startswith(b"NRRD")
    else:
        begins = all(word in data[:_HEADER_BYTES] for word in (b"NDims", b"ElementDataFile"))
    if not begins:
        raise InputError(
            f"{quoted(path)} is damaged or not of the format that its name says: "
            "copy it again from its source"
        )


def check_payload(path: Path, data: bytes, claimed: int) -> None:
    """Refuse voxels that are cut off or whose compression does not add up.

    Encodings that are rare (text, bzip2, voxels in another file) are left to ITK.

    Parameters
    ----------
    data
        The whole file.
    claimed
        Bytes of voxels that the header promises.

    Raises
    ------
    InputError
        In one sentence.
    """
    found = _payload(data)
    if found is None:
        return
    body, packed = found
    if packed:
        stream = zlib.decompressobj(_ZLIB_OR_GZIP)
        try:
            body = stream.decompress(body, claimed)
            stream.decompress(stream.unconsumed_tail, 1)  # reaches the checksum
        except zlib.error as error:
            raise InputError(
                f"{quoted(path)} is damaged (its compression does not add up): "
                "copy it again from its source"
            ) from error
    if len(body) < claimed:
        raise InputError(
            f"{quoted(path)} was cut off: {claimed - len(body)} bytes are missing, "
            "copy it again from its source"
        )


def _payload(data: bytes) -> tuple[bytes, bool] | None:
    """The bytes of voxels and whether they are compressed; None when ITK has to find them."""
    if data.startswith(b"NRRD"):
        end = _NRRD_END.search(data, 0, _HEADER_BYTES)
        if end is None:
            return None
        head = data[: end.start()]
        encoding = _NRRD_ENCODING.search(head)
        name = encoding.group(1).lower() if encoding else b""
        if name not in (b"raw", b"gzip", b"gz") or _NRRD_ELSEWHERE.search(head):
            return None
        return data[end.end() :], name != b"raw"
    end = _MHA_END.search(data, 0, _HEADER_BYTES)
    if end is None:
        return None
    return data[end.end() :], _MHA_PACKED.search(data, 0, end.start()) is not None
