"""Chance that comes out alike on every computer and under every version of Python."""

from __future__ import annotations

import hashlib

_BITS = 53  # of a float's mantissa


def uniform(seed: int, *words: str | int) -> float:
    """A number in [0, 1) that depends on the seed and the words alone."""
    digest = hashlib.blake2b(repr((seed, *words)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> (64 - _BITS)) / 2**_BITS
