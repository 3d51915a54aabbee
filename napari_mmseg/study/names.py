"""What raters and readings are called: pseudonyms that are safe as names of files anywhere."""

from __future__ import annotations

import base64
import hashlib
import re

from ..errors import InputError

#: Letters, digits, - and _, beginning with a letter or digit.
_PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")

#: Windows opens devices under these names, in any folder.
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul"] + [f"{port}{n}" for port in ("com", "lpt") for n in range(10)]
)

_ITEM_BYTES = 5  # 8 characters in base 32; two of 10,000 readings meet with a chance of 5e-5
_ITEM = re.compile(r"[a-z2-7]{8}")


def checked_name(name: str, what: str = "rater") -> str:
    """`name`, if it can be a pseudonym.

    Raises
    ------
    InputError
        When it could leave its folder, or is not a file name everywhere.
    """
    if not _PSEUDONYM.fullmatch(name):
        raise InputError(
            f"{name!r} cannot name a {what}: use 1 to 32 letters, digits, - and _, beginning "
            "with a letter or a digit"
        )
    if name.lower() in _RESERVED:
        raise InputError(f"{name!r} cannot name a {what}: Windows reserves it, choose another one")
    return name


def item_name(seed: int, rater: str, case: str, repeat: int, turn: int = 0) -> str:
    """What a rater's reading of a case is called: says nothing of the case or the repeat.

    `turn` gives another name where two readings would share one.
    """
    told = repr((seed, rater, case, repeat, turn)).encode()
    digest = hashlib.blake2b(told, digest_size=_ITEM_BYTES).digest()
    return base64.b32encode(digest).decode().lower()


def is_item_name(name: str) -> bool:
    return _ITEM.fullmatch(name) is not None
