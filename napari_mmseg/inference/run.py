"""One way to run a model on a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation, Provenance
from ..case import Case
from ..errors import InputError, ModelError
from ..models import DEFAULT_MODEL, Card, load_card
from ..protocol import Protocol, load_protocol
from ..volume import Modality
from . import engine as engines
from .engine import Engine, OutOfMemory
from .prediction import Prediction
from .prepare import prepare
from .progress import Progress, Watch
from .tiles import run_in_tiles

#: The modality without which a region cannot be told: published ET Dice without T1ce is about 0.45.
DECIDING_MODALITY = {"ET": Modality.T1CE}


def segment(
    case: Case,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    thresholds: Mapping[str, float] | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Annotation:
    """The regions that `model` sees in `case`; parameters and errors as for `predict`."""
    return predict(
        case,
        model=model,
        device=device,
        thresholds=thresholds,
        progress=progress,
        cancelled=cancelled,
    ).annotation()


def predict(
    case: Case,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    thresholds: Mapping[str, float] | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Prediction:
    """The probabilities that `model` gives `case`, on the case's grid.

    Parameters
    ----------
    model
        A model's name, or a folder that holds a `card.json`.
    device
        "auto" (CUDA, else the processor), "cpu" or "cuda".
    thresholds
        By region, in place of the model's own.
    progress
        Called with each stage, from the calling thread.
    cancelled
        Asked every 0.05 s, from the calling thread or a helper thread; True stops the job.

    Raises
    ------
    InputError
        When the case shows no brain, a threshold or device is not one, or CUDA is not there.
    ModelError
        When the model is missing, damaged or does not fit in memory.
    Cancelled
        Within a second of `cancelled` being true.
    """
    watch = Watch(progress, cancelled)
    seconds: dict[str, float] = {}
    start = perf_counter()
    card = load_card(model)
    protocol = _protocol_of(card)
    chosen = {**card.thresholds, **_known_thresholds(card, thresholds or {})}
    choices = engines.candidates(device)
    watch.reach("prepare", 0.0)
    # The engine starts (imports, reads and compiles) while the images are prepared.
    with ThreadPoolExecutor(1, thread_name_prefix="mmseg-engine") as starter:
        first = starter.submit(choices[0][1], card)
        prepared = prepare(case, card, watch)
        seconds["prepare"] = perf_counter() - start
        watch.reach("predict", 0.2)
        start = perf_counter()
        warnings = [*prepared.warnings, *_deciding_warnings(card, prepared.missing)]
        makers = [(choices[0][0], lambda _card: first.result()), *choices[1:]]
        found, used = _infer(card, prepared.channels, makers, watch, warnings)
    seconds["predict"] = perf_counter() - start
    watch.reach("label", 0.95)
    start = perf_counter()
    probabilities, box = prepared.restore(found)
    provenance = Provenance(
        model=card.name,
        weights_sha256=card.weights_sha256,
        modalities=tuple(prepared.used),
        missing=tuple(prepared.missing),
        inputs={m: v.sha256 for m, v in case.volumes.items() if m in prepared.used and v.sha256},
        thresholds=chosen,
        device=used,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        warnings=tuple(warnings),
    )
    prediction = Prediction(
        grid=case.grid,
        source=case.source,
        protocol=protocol,
        regions=card.regions,
        probabilities=probabilities,
        box=box,
        thresholds=chosen,
        provenance=provenance,
        smallest_component_mm3=card.smallest_component_mm3,
        seconds=seconds,
    )
    seconds["label"] = perf_counter() - start
    watch.reach("done", 1.0)
    return prediction


def _infer(
    card: Card,
    channels: NDArray[np.float32],
    makers: list[tuple[str, Callable[[Card], Engine]]],
    watch: Watch,
    warnings: list[str],
) -> tuple[NDArray[np.float32], str]:
    """Probabilities and a name of what made them, from the first engine that can."""
    for place, make in makers:
        engine: Engine | None = None
        try:
            engine = make(card)
            found = _infer_on(engine, place, card, channels, watch, warnings)
            return found, f"{engine.device} ({engine.name}, {engine.precision})"
        except OutOfMemory:
            warnings.append(f"the memory of {place} is too small even for tiles")
        finally:
            if engine is not None:
                engine.close()
    raise ModelError(
        f"the model {card.name} does not fit in the memory that is free now: "
        "close other programs and try again"
    )


def _infer_on(
    engine: Engine,
    place: str,
    card: Card,
    channels: NDArray[np.float32],
    watch: Watch,
    warnings: list[str],
) -> NDArray[np.float32]:
    voxels = int(np.prod(channels.shape[1:]))
    largest = engine.largest_pass()
    if voxels <= largest:
        try:
            return engine.run(channels, watch.check)
        except OutOfMemory:
            largest = voxels // 4
    warnings.append(
        f"the memory of {place} is too small for one pass: the brain was worked on in tiles"
    )

    def done(share: float) -> None:
        watch.reach("predict", 0.2 + 0.75 * share)

    while True:
        try:
            return run_in_tiles(engine, channels, len(card.regions), largest, watch.check, done)
        except OutOfMemory:
            largest = min(largest, voxels) // 4  # `tile_shape` gives up below the smallest tile
            if largest < 1:
                raise


def _protocol_of(card: Card) -> Protocol:
    protocol = load_protocol(card.protocol)
    unknown = [name for name in card.regions if name not in {r.name for r in protocol.regions}]
    if unknown:
        raise ModelError(
            f"the model {card.name} gives {', '.join(unknown)}, which the protocol {protocol.name} "
            "does not have: name its protocol in the card"
        )
    return protocol


def _known_thresholds(card: Card, thresholds: Mapping[str, float]) -> Mapping[str, float]:
    for region, value in thresholds.items():
        if region not in card.regions:
            raise InputError(
                f"the model {card.name} has no region {region!r}: it has {', '.join(card.regions)}"
            )
        if not 0.0 <= value <= 1.0:
            raise InputError(f"the threshold of {region} is {value}: it lies between 0 and 1")
    return thresholds


def _deciding_warnings(card: Card, missing: tuple[Modality, ...]) -> list[str]:
    return [
        f"{region} is unreliable: {modality} is missing, and without it no one can tell {region}"
        for region, modality in DECIDING_MODALITY.items()
        if region in card.regions and modality in missing
    ]
