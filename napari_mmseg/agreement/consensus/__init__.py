"""One annotation out of several: majority, STAPLE or SIMPLE, nested as the protocol wants it."""

from __future__ import annotations

from .fuse import consensus
from .result import METHODS, Consensus, Method, RaterPerformance, Ties

__all__ = ["METHODS", "Consensus", "Method", "RaterPerformance", "Ties", "consensus"]
