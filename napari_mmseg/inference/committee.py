"""Several networks as one engine: the mean of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from ..models import Card
from ..models.members import members_of
from .engine import Check, Engine, EngineFactory


class Committee:
    """An `Engine` whose answer is the mean of its members'; all on one device."""

    def __init__(self, members: Sequence[Engine]) -> None:
        self._members = tuple(members)
        self.name = members[0].name
        self.device = members[0].device

    @property
    def precision(self) -> str:
        # Each finds out for itself whether it may be quicker than fp32.
        return "+".join(sorted({member.precision for member in self._members}))

    def run(self, channels: NDArray[np.float32], check: Check) -> NDArray[np.float32]:
        first, *others = self._members
        total = first.run(channels, check)
        for member in others:
            total = total + member.run(channels, check)
        total /= len(self._members)
        return total

    def largest_pass(self) -> int:
        # One after the other, but each keeps the memory of its pass.
        return int(1.0 / sum(1.0 / max(1, member.largest_pass()) for member in self._members))

    def close(self) -> None:
        for member in self._members:
            member.close()


def opened(card: Card, open_one: EngineFactory) -> Engine:
    """The engine of `card`'s network, with those of its members, each made by `open_one`.

    Raises
    ------
    EngineFailure, ModelError
        As `open_one`, or when a member's files cannot be used; what was opened is closed.
    """
    cards = (card, *members_of(card))
    if len(cards) == 1:
        return open_one(card)
    with ExitStack() as until_all_are_open:
        engines: list[Engine] = []
        for one in cards:
            engines.append(open_one(one))
            until_all_are_open.callback(engines[-1].close)
        until_all_are_open.pop_all()
    return Committee(engines)
