"""Several networks as one engine: the mean of what they say, each by its share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from ..models import Card
from ..models.members import members_of
from .engine import Check, Engine, EngineFactory


class Committee:
    """An `Engine` whose answer is the mean of its networks'; all on one device.

    `networks`: each with its share of the answer, the model's own first; the shares sum to 1.
    """

    def __init__(self, networks: Sequence[tuple[Engine, float]]) -> None:
        self.networks = tuple(networks)
        self._engines = tuple(engine for engine, _ in networks)
        self.name = self._engines[0].name
        self.device = self._engines[0].device

    @property
    def precision(self) -> str:
        # Each finds out for itself whether it may be quicker than fp32.
        return "+".join(sorted({engine.precision for engine in self._engines}))

    def run(self, channels: NDArray[np.float32], check: Check) -> NDArray[np.float32]:
        (first, share), *others = self.networks
        total = share * first.run(channels, check)
        for engine, share in others:
            total += share * engine.run(channels, check)
        return total

    def largest_pass(self) -> int:
        # One after the other, but each keeps the memory of its pass.
        return int(1.0 / sum(1.0 / max(1, engine.largest_pass()) for engine in self._engines))

    def close(self) -> None:
        for engine in self._engines:
            engine.close()


def networks_of(engine: Engine) -> tuple[tuple[Engine, float], ...]:
    """The networks of `engine`, each with its share: itself alone unless it is a committee."""
    return engine.networks if isinstance(engine, Committee) else ((engine, 1.0),)


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
    return Committee([(engine, one.share) for engine, one in zip(engines, cards, strict=True)])
