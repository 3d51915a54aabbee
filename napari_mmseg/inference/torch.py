"""The network on a CUDA graphics card, or as the reference on a processor, through torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models import Card, Network
from ..models.card import BUNDLED_SEGRESNET
from .engine import Check, EngineFailure, OutOfMemory
from .memory import channels_held, free_bytes

if TYPE_CHECKING:
    from ..models.networks import RegionNetwork

#: How often a running pass asks whether it is still wanted (seconds).
POLL_S = 0.05

#: Memory of a pass over its voxels, for each channel of the first level (bytes).
BYTES_PER_VOXEL_AND_CHANNEL = {"fp32": 40, "bf16": 24, "fp16": 24}

#: The share of the free memory that a pass may take.
MEMORY_SHARE = 0.8


class _Stopped(Exception):
    """Raised inside the network to leave a pass that nobody waits for."""


class TorchEngine:
    """Torch on "cuda" (autocast to bf16, or fp16 on older cards) or "cpu" (fp32).

    Raises
    ------
    ModelError
        When the weights are missing, damaged or of another network.
    """

    name = "torch"

    def __init__(self, card: Card, device: str = "cuda") -> None:
        import torch

        self.device = device
        self.precision = "fp32"
        if device == "cuda":
            # Older cards emulate bf16, slower than fp32.
            native = torch.cuda.is_bf16_supported(including_emulation=False)
            self.precision = "bf16" if native else "fp16"
        self._card = card
        network = load_network(card).eval()
        with _failures_named():
            self._network = network.to(device).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch's stubs lack it

    def run(self, channels: NDArray[np.float32], check: Check) -> NDArray[np.float32]:
        job = _Pass(self, channels)
        job.start()
        try:
            while job.is_alive():
                job.join(POLL_S)
                check()
        except BaseException:
            job.stop.set()
            raise
        if job.error is not None:
            raise job.error
        assert job.result is not None
        return job.result

    def largest_pass(self) -> int:
        if self.device == "cuda":
            import torch

            free: int = torch.cuda.mem_get_info()[0]
        else:
            free = free_bytes()
        each = BYTES_PER_VOXEL_AND_CHANNEL[self.precision] * channels_held(self._card.network)
        return int(free * MEMORY_SHARE / each)

    def close(self) -> None:
        import torch

        del self._network
        if self.device == "cuda":
            torch.cuda.empty_cache()

    def forward(self, channels: NDArray[np.float32], stop: threading.Event) -> NDArray[np.float32]:
        """One pass in the calling thread; leaves with `_Stopped` between layers."""
        import torch

        def leave(*_: Any) -> None:
            if stop.is_set():
                raise _Stopped

        dtype = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[self.precision]
        hooks = [m.register_forward_pre_hook(leave) for m in self._network.modules()]
        try:
            with (
                _failures_named(),
                torch.inference_mode(),
                torch.autocast(self.device, dtype=dtype, enabled=dtype is not None),
            ):
                batch = torch.from_numpy(channels[None]).to(self.device)
                batch = batch.to(memory_format=torch.channels_last_3d)
                # The weights' own network gives logits, whatever the exported file gives.
                output = torch.sigmoid(self._network(batch)[0].float())
                result: NDArray[np.float32] = output.contiguous().cpu().numpy()
                return result
        finally:
            for hook in hooks:
                hook.remove()


@contextmanager
def _failures_named() -> Iterator[None]:
    """Torch's failures as ours: memory, or whatever else the driver reports."""
    import torch

    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory("memory ran out") from error
    except RuntimeError as error:
        if "allocate memory" in str(error):  # what torch's processor allocator says
            raise OutOfMemory("memory ran out") from error
        raise EngineFailure(str(error).splitlines()[0]) from error


class _Pass(threading.Thread):
    """A pass in its own thread, so that the caller can leave it."""

    def __init__(self, engine: TorchEngine, channels: NDArray[np.float32]) -> None:
        super().__init__(name="mmseg-torch-pass", daemon=True)
        self.stop = threading.Event()
        self.result: NDArray[np.float32] | None = None
        self.error: BaseException | None = None
        self._engine = engine
        self._channels = channels

    def run(self) -> None:
        try:
            self.result = self._engine.forward(self._channels, self.stop)
        except _Stopped:
            return
        except BaseException as error:
            self.error = error


def build_network(name: str, network: Network) -> RegionNetwork:
    """The network that a card describes, with random weights; `name` is the model's.

    Raises
    ------
    ModelError
        When this version does not have its kind, or it needs a package that is not installed.
    """
    if network.kind == BUNDLED_SEGRESNET:
        from ..models.networks.bundled_segresnet import BundledSegResNet

        return BundledSegResNet(network.inputs, network.outputs, network.options)
    from ..models.networks import KINDS, build

    if network.kind not in KINDS:
        raise ModelError(
            f"the model {name} wants a network {network.kind!r}, which this version does "
            "not have: update napari-mmseg"
        )
    return build(
        network.kind,
        in_channels=network.inputs,
        out_channels=network.outputs,
        base=network.base,
        levels=network.levels,
    )


def load_network(card: Card) -> RegionNetwork:
    """The card's network with its weights in fp32, on the processor.

    Raises
    ------
    ModelError
        When the weights are missing, damaged, or do not fit the network that the card names.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    network = build_network(card.name, card.network)
    path = card.folder / card.file_name(".safetensors")
    try:
        weights = load(card.read_verified(".safetensors"))
    except SafetensorError as error:
        raise ModelError(f"{path} is not a readable safetensors file: {error}") from error
    try:
        network.load_state_dict({key: value.float() for key, value in weights.items()})
    except RuntimeError as error:
        raise ModelError(
            f"the weights in {path} are of another network than the card says: "
            "copy the whole model folder again"
        ) from error
    return network
