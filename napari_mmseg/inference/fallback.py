"""One pass where it fits, tiles where it does not, the processor where the graphics card fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models import Card
from .engine import Engine, EngineFailure, OutOfMemory
from .progress import PREDICTED, PREPARED, Watch
from .tiles import SMALLEST_SIDE, run_in_tiles

SMALLEST_TILE = SMALLEST_SIDE**3


def infer(
    card: Card,
    channels: NDArray[np.float32],
    makers: Sequence[tuple[str, Callable[[Card], Engine]]],
    watch: Watch,
    warnings: list[str],
) -> tuple[NDArray[np.float32], str, str]:
    """Probabilities from the first of `makers` that can, on which device, and by what.

    `makers` are names for the user and what starts an engine; what failed, and what was done
    instead, is added to `warnings`.

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
            found = _run(engine, place, card, channels, watch, warnings)
            return found, engine.device, f"{engine.name} {engine.precision}"
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


def _run(
    engine: Engine,
    place: str,
    card: Card,
    channels: NDArray[np.float32],
    watch: Watch,
    warnings: list[str],
) -> NDArray[np.float32]:
    """Probabilities from one whole pass, or from tiles where that does not fit."""
    voxels = int(np.prod(channels.shape[1:]))
    largest = engine.largest_pass()
    if voxels <= largest:
        try:
            return engine.run(channels, watch.pulse("predict", PREPARED, PREDICTED))
        except OutOfMemory:
            largest = max(voxels // 4, SMALLEST_TILE)
    warnings.append(
        f"the memory of {place} is too small for one pass: the brain was worked on in tiles, "
        "which can differ a little from one pass"
    )

    def done(share: float) -> None:
        watch.reach("predict", PREPARED + (PREDICTED - PREPARED) * share)

    while True:
        try:
            return run_in_tiles(engine, channels, len(card.regions), largest, watch.check, done)
        except OutOfMemory:
            if largest <= SMALLEST_TILE:
                raise
            largest = max(largest // 4, SMALLEST_TILE)
