"""One way to run a model on a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation, Provenance
from ..case import Case
from ..errors import InputError, ModelError
from ..models import BRAIN_PROTOCOL, DEFAULT_MODEL, Card, load_card
from ..models.card import MIRRORED, THOROUGH
from ..protocol import Protocol, load_protocol
from ..volume import Modality
from . import engine as engines
from .appearance import adapted
from .brain import without_skull
from .engine import Engine
from .fallback import infer, name_of
from .looks import Looked, Voice, looks_named, mean_and_spread, outermost
from .prediction import Prediction
from .prepare import Prepared, prepare
from .preview import coarse_shape, quick_look
from .progress import FITTED, PREDICTED, Progress, Watch

#: How often a starting engine is asked after (seconds).
POLL_S = 0.05

#: What can be done about the skull.
SKULLS = ("keep", "remove")

#: The preview's part of the network's time, about.
PREVIEW_SHARE = 0.25

#: The modality without which a region cannot be told: published ET Dice without T1ce is about 0.45.
DECIDING_MODALITY = {"ET": Modality.T1CE}


def segment(
    case: Case,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    thresholds: Mapping[str, float] | None = None,
    looks: str | None = None,
    adapt: bool = True,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Annotation:
    """The regions that `model` sees in `case`; parameters and errors as for `predict`."""
    return predict(
        case,
        model=model,
        device=device,
        thresholds=thresholds,
        looks=looks,
        adapt=adapt,
        progress=progress,
        cancelled=cancelled,
    ).annotation()


def predict(
    case: Case,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    thresholds: Mapping[str, float] | None = None,
    looks: str | None = None,
    skull: str = "keep",
    adapt: bool = True,
    preview: Callable[[Prediction], None] | None = None,
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
    looks
        How often the network looks at the case: "single", "mirrored" (at the mirrored brain too,
        twice the time) or "thorough" (also on coarser voxels without T1ce, T2 and FLAIR in turn,
        about three times); None: as the model's card says.
    skull
        "keep", or "remove": find the brain first and show the model nothing else.
    adapt
        Fit the answer to how the tissues of this case look, for models made for it
        (`inference.appearance`); False: the network's answer as it is.
    preview
        Given a quick look on coarser voxels before the full pass begins, from the calling thread;
        only on the processor, where the full pass takes seconds.
    progress
        Called with each stage, from the calling thread.
    cancelled
        Asked every 0.05 s, from the calling thread or a helper thread; True stops the job.

    Raises
    ------
    InputError
        When the case shows no brain, a threshold, device, kind of looks or what to do with the
        skull is not one, or CUDA is not there.
    ModelError
        When the model is missing, damaged or does not fit in memory.
    Cancelled
        Within a second of `cancelled` being true.
    """
    watch = Watch(progress, cancelled)
    seconds: dict[str, float] = {}
    begun = start = perf_counter()
    card = load_card(model)
    protocol = _protocol_of(card)
    chosen = {**card.thresholds, **_known_thresholds(card, thresholds or {})}
    looks = card.looks if looks is None else looks
    ways = looks_named(looks, card.orientation, card.channels)
    if skull not in SKULLS:
        raise InputError(f"there is no skull {skull!r}: choose one of {', '.join(SKULLS)}")
    choices = engines.candidates(device)
    watch.reach("prepare", 0.0)
    # The engine starts (imports, reads and compiles) while the images are prepared.
    starter = ThreadPoolExecutor(1, thread_name_prefix="mmseg-engine")
    try:
        first = starter.submit(choices[0][1], card)
        stripped = without_skull(case) if skull == "remove" else case
        prepared = prepare(stripped, card, watch)
        warnings = [
            *stripped.warnings[len(case.warnings) :],
            *prepared.warnings,
            *_deciding_warnings(card, prepared.missing),
        ]
        if looks == THOROUGH and prepared.missing:
            looks = MIRRORED
            ways = looks_named(looks, card.orientation, card.channels)
            warnings.append(
                "a contrast is missing: the network looked at the mirrored brain too, but not "
                "without any of the others"
            )
        asked = _Asked(case, card, protocol, prepared, chosen, looks, warnings)
        seconds["prepare"] = perf_counter() - start
        start = perf_counter()

        def look(engine: Engine, voices: Sequence[Voice]) -> Looked:
            done = 0.0
            if preview is not None and engine.device == "cpu" and asked.gains_by_a_quick_look:
                done = PREVIEW_SHARE
                coarse = quick_look(
                    lambda c: voices[0].run(c, 0.0, done), prepared.channels, card.stride
                )
                quick = asked.answer((coarse, None), engine.device, name_of(engine), seconds)
                seconds["preview"] = perf_counter() - begun
                preview(quick)

            outer = outermost(card.regions, protocol)
            after = [_later(voice, done) for voice in voices]
            return mean_and_spread(after, prepared.channels, ways, outer, card.stride)

        makers = [(choices[0][0], lambda _card: _await(first, watch)), *choices[1:]]
        found, device_used, engine_used = infer(card, makers, look, watch, warnings)
    finally:
        starter.shutdown(wait=False)  # a cancelled job does not wait for an engine to start
    seconds["predict"] = perf_counter() - start
    start = perf_counter()
    fits = adapt and card.appearance is not None
    if fits:
        watch.reach("adapt", PREDICTED)
        found = adapted(found[0], prepared.channels, card, watch.check), found[1]
        seconds["adapt"] = perf_counter() - start
        start = perf_counter()
    watch.reach("label", FITTED)
    prediction = asked.answer(found, device_used, engine_used, seconds, fitted=fits)
    seconds["label"] = perf_counter() - start
    watch.reach("done", 1.0)
    return prediction


@dataclass(frozen=True, eq=False)
class _Asked:
    """Everything about a prediction that is known before the network runs."""

    case: Case
    card: Card
    protocol: Protocol
    prepared: Prepared
    thresholds: Mapping[str, float]
    looks: str
    warnings: list[str]

    @property
    def gains_by_a_quick_look(self) -> bool:
        """Is the case large enough for a coarser pass to be quicker?"""
        _, a, b, c = self.prepared.channels.shape
        return coarse_shape((a, b, c), self.card.stride) != (a, b, c)

    def answer(
        self,
        found: Looked,
        device: str,
        engine: str,
        seconds: Mapping[str, float],
        fitted: bool = False,
    ) -> Prediction:
        """What the network found, on the case's grid."""
        case, card, prepared = self.case, self.card, self.prepared
        probabilities, box = prepared.restore(found[0])
        spread = None if found[1] is None else prepared.restore(found[1])[0]
        provenance = Provenance(
            model=card.name,
            weights_sha256=card.weights_sha256,
            modalities=tuple(m.value for m in prepared.used),
            missing=tuple(m.value for m in prepared.missing),
            inputs={
                m.value: v.sha256
                for m, v in case.volumes.items()
                if m in prepared.used and v.sha256
            },
            thresholds=self.thresholds,
            device=device,
            engine=engine,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            warnings=tuple(self.warnings),
            looks=self.looks,
            adapted=fitted,
        )
        return Prediction(
            grid=case.grid,
            source=case.source,
            protocol=self.protocol,
            regions=card.regions,
            probabilities=probabilities,
            box=box,
            thresholds=self.thresholds,
            provenance=provenance,
            smallest_component_mm3=card.smallest_component_mm3,
            peaks={} if fitted else card.peaks,  # adapting has judged the pieces already
            # It was fitted on answers like those that are given by default.
            calibration=None if card.appearance and not fitted else card.calibration,
            spread=spread,
            seconds=seconds,
        )


def _later(voice: Voice, done: float) -> Voice:
    """The same, its passes told as parts of what is left after the share `done`."""

    def run(channels: NDArray[np.float32], begin: float, end: float) -> NDArray[np.float32]:
        return voice.run(channels, done + (1.0 - done) * begin, done + (1.0 - done) * end)

    return Voice(run, voice.share)


def _await(engine: Future[Engine], watch: Watch) -> Engine:
    while True:
        watch.check()
        try:
            return engine.result(timeout=POLL_S)
        except FutureTimeout:
            continue


def _protocol_of(card: Card) -> Protocol:
    if card.protocol == BRAIN_PROTOCOL:
        raise ModelError(
            f"the model {card.name} finds the brain, not a tumour: it serves `napari-mmseg strip`"
        )
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
        f"{region} is unreliable: {modality} is missing, and enhancement cannot be seen without it"
        for region, modality in DECIDING_MODALITY.items()
        if region in card.regions and modality in missing
    ]
