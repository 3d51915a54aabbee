"""The network on a processor, through OpenVINO, from the file made at training time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models import Card
from .engine import Check, EngineFailure, OutOfMemory
from .memory import channels_held, free_bytes
from .precision import PrecisionCheck
from .quiet import load_openvino

#: How often a running pass asks whether it is still wanted (milliseconds).
POLL_MS = 50

#: Memory of a pass over its voxels, for each channel of the first level (bytes; measured with
#: base 16 on 144x176x144: 11 in bf16, 20 in fp32).
BYTES_PER_VOXEL_AND_CHANNEL = {"bf16": 13, "fp32": 24}

#: What bf16 is measured on once: an input of this many voxels a side, this often.
PROBE_SIDE, PROBE_ROUNDS = 64, 3

#: The share of the free memory that a pass may take.
MEMORY_SHARE = 0.8

_HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoEngine:
    """OpenVINO on the processor: bf16 where it was seen to be fast and equal, else fp32.

    Raises
    ------
    ModelError
        When the model's files are missing, damaged or of another network.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, card: Card, precision: str | None = None) -> None:
        openvino = load_openvino()

        self._card = card
        self._core = openvino.Core()
        self._model = _read_model(self._core, card)
        self._compiled: dict[str, Any] = {}
        # A request keeps the memory of its pass: the next one need not ask the system for it.
        self._requests: dict[str, Any] = {}
        self._check: PrecisionCheck | None = None
        if precision is None:
            precision = "fp32"
            if "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
                self._check = PrecisionCheck.load(
                    card,
                    str(self._core.get_property("CPU", "FULL_DEVICE_NAME")),
                    f"openvino {openvino.__version__}",
                )
                if self._check.wants_bf16:
                    precision = "bf16"
        self.precision = precision
        with _failures_named():
            self._compile(precision)

    def run(self, channels: NDArray[np.float32], check: Check) -> NDArray[np.float32]:
        if self._check is not None and self.precision == "bf16" and not self._check.seconds:
            self._check = self._check.timed(self._seconds_by_precision(check))
            if self._check.is_slower:
                self.precision = "fp32"
        result = self._infer(self.precision, channels, check)
        if self.precision != "bf16" or self._check is None or self._check.verdict is not None:
            return result
        exact = self._infer("fp32", channels, check)
        self._check = self._check.judge(result, exact)
        if self._check.accepts(result, exact):
            return result
        if self._check.verdict is False:
            self.precision = "fp32"
        return exact

    def largest_pass(self) -> int:
        # An unproven fast path may run the exact one beside it, or give way to it.
        known = self._check
        unproven = known is not None and (known.verdict is None or not known.seconds)
        precision = "fp32" if unproven else self.precision
        each = BYTES_PER_VOXEL_AND_CHANNEL[precision] * channels_held(self._card.network)
        return int(free_bytes() * MEMORY_SHARE / each)

    def close(self) -> None:
        self._requests.clear()
        self._compiled.clear()

    def _seconds_by_precision(self, check: Check) -> dict[str, float]:
        """The best time of a small pass in each precision, in turns: other work disturbs both."""
        side = -(-PROBE_SIDE // self._card.stride) * self._card.stride
        noise = np.random.default_rng(0).normal(size=(len(self._card.channels), *[side] * 3))
        probe = noise.astype(np.float32)
        seconds = dict.fromkeys(_HINTS, float("inf"))
        for _ in range(PROBE_ROUNDS):
            for precision in seconds:
                start = perf_counter()
                self._infer(precision, probe, check)
                seconds[precision] = min(seconds[precision], perf_counter() - start)
        return seconds

    def _compile(self, precision: str) -> Any:
        if precision not in self._compiled:
            self._compiled[precision] = self._core.compile_model(
                self._model, "CPU", {"INFERENCE_PRECISION_HINT": _HINTS[precision]}
            )
        return self._compiled[precision]

    def _infer(
        self, precision: str, channels: NDArray[np.float32], check: Check
    ) -> NDArray[np.float32]:
        with _failures_named():
            request = self._requests.pop(precision, None)
            if request is None:
                request = self._compile(precision).create_infer_request()
        try:
            with _failures_named():
                request.start_async({0: channels[None]}, share_inputs=True)
            finished = False
            while not finished:
                check()
                with _failures_named():
                    finished = request.wait_for(POLL_MS)
        except BaseException:
            _abandon(request, channels)
            raise
        result: NDArray[np.float32] = np.asarray(request.get_output_tensor(0).data)[0]
        if self._card.output == "logits":
            found = np.asarray(1.0 / (1.0 + np.exp(-result)), dtype=np.float32)
        else:
            found = result.copy()
        self._requests[precision] = request
        return found


@contextmanager
def _failures_named() -> Iterator[None]:
    """OpenVINO's failures as ours; it reports memory and everything else as RuntimeError."""
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory("memory ran out") from error
    except RuntimeError as error:
        if "alloc" in str(error).lower():
            raise OutOfMemory("memory ran out") from error
        raise EngineFailure(_last_line(error)) from error


def _read_model(core: Any, card: Card) -> Any:
    """The network from bytes whose hash the card vouches for: nothing is converted here."""
    openvino = load_openvino()

    description = card.read_verified(".xml")
    weights = np.frombuffer(card.read_verified(".bin"), dtype=np.uint8)
    try:
        model = core.read_model(description, openvino.Tensor(weights))
    except RuntimeError as error:
        raise ModelError(
            f"{card.folder / card.file_name('.xml')} cannot be read by OpenVINO: "
            f"{_last_line(error)}"
        ) from error
    inputs = model.inputs[0].partial_shape
    outputs = model.outputs[0].partial_shape
    if (
        len(model.inputs) != 1
        or len(inputs) != 5
        or inputs[1] != len(card.channels)
        or outputs[1] != len(card.regions)
    ):
        raise ModelError(
            f"{card.folder / card.file_name('.xml')} is of another network than the card says "
            f"(input {inputs}, output {outputs}): export the model again"
        )
    return model


def _abandon(request: Any, channels: NDArray[np.float32]) -> None:
    """Stop a pass without waiting: OpenVINO stops only between layers, up to a second later."""
    request.cancel()

    def wait(_kept_alive: NDArray[np.float32]) -> None:
        try:
            request.wait()
        except RuntimeError:
            return  # what a cancelled request says

    threading.Thread(target=wait, args=(channels,), name="mmseg-abandoned-pass").start()


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
