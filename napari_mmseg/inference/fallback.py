"""One pass where it fits, tiles where it does not, the processor where the graphics card fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models import Card
from .committee import networks_of
from .engine import Engine, EngineFailure, OutOfMemory
from .looks import Pass, Voice
from .progress import PREDICTED, PREPARED, Watch
from .tiles import SMALLEST_SIDE, run_in_tiles

SMALLEST_TILE = SMALLEST_SIDE**3

T = TypeVar("T")


def infer(
    card: Card,
    makers: Sequence[tuple[str, Callable[[Card], Engine]]],
    job: Callable[[Engine, Sequence[Voice]], T],
    watch: Watch,
    warnings: list[str],
) -> tuple[T, str, str]:
    """What `job` makes with the first of `makers` that can, on which device, and by what.

    `makers` are names for the user and what starts an engine; `job` gets the engine and what runs
    a pass of each of its networks, and is begun again with the next engine when one fails. What
    failed, and what was done instead, is added to `warnings`.

    Raises
    ------
    ModelError
        When no engine can run the model, or its files cannot be used.
    Cancelled
        When the caller stops it.
    """
    reason = ""
    for number, (place, make) in enumerate(makers):
        engine: Engine | None = None
        try:
            engine = make(card)
            voices = [
                Voice(_passes(network, place, card, watch, warnings), share)
                for network, share in networks_of(engine)
            ]
            found = job(engine, voices)
            return found, engine.device, name_of(engine)
        except EngineFailure as error:
            reason = f"on {place}: {error}"
            if number + 1 < len(makers):
                warnings.append(
                    f"the model could not run {reason}; {makers[number + 1][0]} was used instead"
                )
        finally:
            if engine is not None:
                engine.close()
    raise ModelError(
        f"the model {card.name} could not run {reason}; `napari-mmseg doctor` may help"
    )


def name_of(engine: Engine) -> str:
    """The library and its precision, as provenance tells them."""
    return f"{engine.name} {engine.precision}"


def _passes(engine: Engine, place: str, card: Card, watch: Watch, warnings: list[str]) -> Pass:
    """What gives the probabilities of one whole pass, or of tiles where that does not fit."""
    in_tiles = (
        f"the memory of {place} is too small for one pass: the brain was worked on in tiles, "
        "which can differ a little from one pass"
    )

    def run(channels: NDArray[np.float32], begin: float, end: float) -> NDArray[np.float32]:
        begin, end = (PREPARED + (PREDICTED - PREPARED) * share for share in (begin, end))
        voxels = int(np.prod(channels.shape[1:]))
        largest = engine.largest_pass()
        if voxels <= largest:
            try:
                return engine.run(channels, watch.pulse("predict", begin, end))
            except OutOfMemory:
                largest = max(voxels // 4, SMALLEST_TILE)
        if in_tiles not in warnings:
            warnings.append(in_tiles)

        def done(share: float) -> None:
            watch.reach("predict", begin + (end - begin) * share)

        while True:
            try:
                return run_in_tiles(engine, channels, len(card.regions), largest, watch.check, done)
            except OutOfMemory:
                if largest <= SMALLEST_TILE:
                    raise
                largest = max(largest // 4, SMALLEST_TILE)

    return run
