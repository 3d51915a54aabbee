"""What runs a network: the one interface, and which engines a device has."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..models import Card
from ..models.card import ONNX_KIND

DEVICES = ("auto", "cpu", "cuda")

Check = Callable[[], None]


class EngineFailure(Exception):
    """An engine cannot do the job; its text tells why. The caller tries the next one."""


class OutOfMemory(EngineFailure):
    """A pass does not fit the device's memory; the caller tries tiles first."""


class Engine(Protocol):
    """A network ready to run on one device.

    `name` is the library, `device` "cpu" or "cuda", `precision` "fp32", "bf16" or "fp16".
    """

    name: str
    device: str

    @property
    def precision(self) -> str: ...

    def run(self, channels: NDArray[np.float32], check: Check) -> NDArray[np.float32]:
        """Probabilities (regions, I, P, L) of `channels` (modalities, I, P, L).

        Every side is a multiple of the model's stride. `check` is called at least every 0.2 s and
        may raise to stop: the call then ends at once, whatever the device still does.

        Raises
        ------
        OutOfMemory
            When the device cannot hold the pass.
        EngineFailure
            When the library or the driver fails.
        """

    def largest_pass(self) -> int:
        """How many voxels (I * P * L) one pass may have in the memory that is free now."""

    def close(self) -> None:
        """Give the device's memory back."""


EngineFactory = Callable[[Card], Engine]


def candidates(device: str) -> Sequence[tuple[str, EngineFactory]]:
    """The engines to try for `device`, best first, each with a name for the user.

    Raises
    ------
    InputError
        When the device is unknown, or CUDA is asked for and is not there.
    """
    if device not in DEVICES:
        raise InputError(f"there is no device {device!r}: choose one of {', '.join(DEVICES)}")
    processor = ("the processor", open_processor)
    if device == "cpu":
        return [processor]
    if has_cuda():
        return [("the graphics card", _open_cuda), processor]
    if device == "cuda":
        raise InputError(
            "no CUDA graphics card can be used here (driver or torch's CUDA build is missing; "
            "`napari-mmseg doctor` tells which): choose the device auto or cpu"
        )
    return [processor]


def has_cuda() -> bool:
    """Can torch use a CUDA device? Imports torch only where a driver and a CUDA build exist."""
    if not _has_cuda_driver() or not _has_cuda_build():
        return False
    import torch

    return bool(torch.cuda.is_available())


def open_processor(card: Card) -> Engine:
    """The processor's engine for a model, all its networks together.

    Raises
    ------
    EngineFailure, ModelError
        When the library fails or the model's files cannot be used.
    """
    from .committee import opened

    return opened(card, _open_on_processor)


def _open_on_processor(card: Card) -> Engine:
    if importlib.util.find_spec("openvino") is not None:
        from .openvino import OpenVinoEngine

        return OpenVinoEngine(card)
    from .torch import TorchEngine

    return TorchEngine(card, device="cpu")


def _open_cuda(card: Card) -> Engine:
    from .committee import opened

    return opened(card, _open_on_cuda)


def _open_on_cuda(card: Card) -> Engine:
    from .torch import TorchEngine

    if card.network.kind == ONNX_KIND:
        raise EngineFailure("the model came as an ONNX file, which runs on the processor alone")

    return TorchEngine(card, device="cuda")


def _has_cuda_driver() -> bool:
    names = {"win32": "nvcuda.dll", "linux": "libcuda.so.1"}
    if sys.platform not in names:
        return False
    try:
        ctypes.CDLL(names[sys.platform])
    except OSError:
        return False
    return True


def _has_cuda_build() -> bool:
    """Was torch built for CUDA? Read from its version file: importing torch takes a second."""
    if "torch" in sys.modules:
        return sys.modules["torch"].version.cuda is not None
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return True  # cannot tell: let torch say it itself
    return re.search(r"^cuda\b.*=\s*None", text, flags=re.MULTILINE) is None
