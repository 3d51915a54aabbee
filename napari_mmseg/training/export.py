"""A trained checkpoint as the files a user runs: fp16 weights, OpenVINO model, card.

OpenVINO's converter posts usage data over the network unless told not to. Here its telemetry is
replaced by OpenVINO's own do-nothing stub before anything of it runs: no socket is opened.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_mmseg.models.networks.unet import UNet3d

CARD = "card.json"
CHANNELS = ("T1", "T1ce", "T2", "FLAIR")
REGIONS = ("WT", "TC", "ET")
THRESHOLD = 0.5
_CONVERTER = "openvino.tools.ovc"
_CONVERTER_MODULES = ("main", "convert_impl", "telemetry_utils", "utils")
_EXAMPLE_SIDE = 64


class _Probabilities(nn.Module):
    """The network with the sigmoid that turns its logits into probabilities."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, volumes: Tensor) -> Tensor:
        return torch.sigmoid(self.network(volumes))


@contextmanager
def silent_converter() -> Iterator[Any]:
    """OpenVINO's converter module with its telemetry taken out."""
    name = "openvino_telemetry"
    before = sys.modules.get(name)
    # None makes `import openvino_telemetry` fail, on which OpenVINO falls back to its stub.
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        converter = importlib.import_module(_CONVERTER)
        stub = importlib.import_module(f"{_CONVERTER}.telemetry_stub")
        for part in _CONVERTER_MODULES:
            module = importlib.import_module(f"{_CONVERTER}.{part}")
            if hasattr(module, "tm"):
                setattr(module, "tm", stub)  # noqa: B010
        yield converter
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def half_weights(network: nn.Module) -> dict[str, Tensor]:
    """The weights rounded to fp16, on the CPU, contiguous."""
    return {
        name: value.detach().cpu().half().contiguous()
        for name, value in network.state_dict().items()
    }


def convert(network: nn.Module) -> Any:
    """The network as an OpenVINO model: input (1, C, I, P, L) of any size, output probabilities."""
    module = _Probabilities(network).eval()
    channels = next(network.parameters()).shape[1]
    example = torch.zeros(1, channels, *[_EXAMPLE_SIDE] * 3)
    with silent_converter() as converter, torch.no_grad():
        return converter.convert_model(
            module, example_input=example, input=[(1, channels, -1, -1, -1)]
        )


def export_model(network: UNet3d, folder: Path, name: str, card: dict[str, Any]) -> Path:
    """Write `name`.safetensors, .xml, .bin and card.json into `folder`; returns the card's path.

    All files hold the same fp16-rounded weights and are tied together by the SHA-256 in the
    card. `card` gives what the files cannot tell: training, validation, use (see `base_card`).
    """
    import openvino
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = half_weights(network)
    # Both engines start from the same rounded weights.
    network.load_state_dict({key: value.float() for key, value in weights.items()})
    save_file(weights, folder / f"{name}.safetensors", metadata={"network": "unet"})
    openvino.save_model(convert(network), folder / f"{name}.xml", compress_to_fp16=True)
    files = {
        path: hashlib.sha256((folder / path).read_bytes()).hexdigest()
        for path in (f"{name}.safetensors", f"{name}.xml", f"{name}.bin")
    }
    target = folder / CARD
    temporary = folder / f"{CARD}.tmp"
    temporary.write_text(json.dumps({**card, "files": files}, indent=2) + "\n", encoding="utf-8")
    temporary.replace(target)
    return target


def base_card(name: str, network: UNet3d) -> dict[str, Any]:
    """What every card of this network says, whatever it was trained on."""
    widths = [block[0].out_channels for block in network.encoders]  # type: ignore[index]
    return {
        "name": name,
        "version": "1",
        "network": {"kind": "unet", "base": widths[0], "levels": len(widths),
                    "in": len(CHANNELS), "out": len(REGIONS)},
        "channels": list(CHANNELS),
        "regions": list(REGIONS),
        "orientation": "IPL",
        "spacing_mm": 1.0,
        "stride": network.stride,
        "output": "probabilities",
        "thresholds": dict.fromkeys(REGIONS, THRESHOLD),
        "intended_use": "Adult diffuse glioma before surgery; co-registered, skull-stripped T1, "
                        "T1ce, T2 and FLAIR at about 1 mm. A proposal for a human to correct.",
        "not_for": ["children", "after surgery or radiotherapy", "metastases, meningioma and "
                    "other lesions than glioma", "images with the skull", "ET without T1ce",
                    "diagnosis or treatment decisions"],
        "licence": "BSD-3-Clause",
        "research_use": "For research only. Not a medical device.",
    }  # fmt: skip


def network_of(checkpoint: dict[str, Any]) -> UNet3d:
    """The network of a training checkpoint with its averaged weights, in evaluation mode."""
    options = json.loads(checkpoint["options"])
    network = UNet3d(base=options["base"], levels=options["levels"])
    network.load_state_dict(checkpoint["ema"])
    return network.eval()
