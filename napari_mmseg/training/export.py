"""A trained checkpoint as the files a user runs: fp16 weights, OpenVINO model, card.

OpenVINO's converter posts usage data over the network unless told not to; `load_openvino` takes
that out, so no socket is opened.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from napari_mmseg.inference.convert import from_torch
from napari_mmseg.inference.quiet import load_openvino
from napari_mmseg.models.networks import RegionNetwork, build

CARD = "card.json"
CHANNELS = ("T1", "T1ce", "T2", "FLAIR")
REGIONS = ("WT", "TC", "ET")
THRESHOLD = 0.5
FILE_MODE = 0o644


def half_weights(network: nn.Module) -> dict[str, Tensor]:
    """The weights rounded to fp16, on the CPU, contiguous."""
    return {
        name: value.detach().cpu().half().contiguous()
        for name, value in network.state_dict().items()
    }


def export_model(network: RegionNetwork, folder: Path, name: str, card: dict[str, Any]) -> Path:
    """Write `name`.safetensors, .xml, .bin and card.json into `folder`; returns the card's path.

    All files hold the same fp16-rounded weights and are tied together by the SHA-256 in the
    card. `card` gives what the files cannot tell: training, validation, use (see `base_card`).
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = half_weights(network)
    # Both engines start from the same rounded weights.
    network.load_state_dict({key: value.float() for key, value in weights.items()})
    path = folder / f"{name}.safetensors"
    save_file(weights, path, metadata={"network": network.kind})
    path.chmod(FILE_MODE)  # safetensors leaves it readable by its owner alone
    model = from_torch(network, network.inputs, network.stride)
    load_openvino().save_model(model, folder / f"{name}.xml", compress_to_fp16=True)
    files = {
        file: hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for file in (f"{name}.safetensors", f"{name}.xml", f"{name}.bin")
    }
    target = folder / CARD
    temporary = folder / f"{CARD}.tmp"
    temporary.write_text(json.dumps({**card, "files": files}, indent=2) + "\n", encoding="utf-8")
    temporary.replace(target)
    return target


def base_card(name: str, network: RegionNetwork) -> dict[str, Any]:
    """What every card of this network says, whatever it was trained on."""
    return {
        "name": name,
        "version": "1",
        "network": {"kind": network.kind, "base": network.base, "levels": network.levels,
                    "in": network.inputs, "out": len(REGIONS)},
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


def network_of(checkpoint: dict[str, Any]) -> RegionNetwork:
    """The network of a training checkpoint with its averaged weights, in evaluation mode."""
    options = json.loads(checkpoint["options"])
    # Runs from before there was a choice name no network.
    kind = options.get("network", "unet")
    brain = options.get("task") == "brain"
    channels = (1, 1) if brain else (len(CHANNELS), len(REGIONS))
    network = build(kind, *channels, base=options["base"], levels=options["levels"])
    network.load_state_dict(checkpoint["ema"])
    return network.eval()


def export_run(run: Path, folder: Path) -> Path:
    """The model of a training run, written into `folder`; returns the card's path."""
    from napari_mmseg.training.loop import CHECKPOINT, load_checkpoint

    checkpoint = load_checkpoint(run / CHECKPOINT)
    options = json.loads(checkpoint["options"])
    network = network_of(checkpoint)
    if options.get("task") == "brain":
        from napari_mmseg.training.strip import brain_card

        about = brain_card(folder.name, network)
    else:
        about = base_card(folder.name, network) | {"trained_on": "simulated tumours alone"}
    card = about | {
        "steps": checkpoint["step"],
        "minutes": round(checkpoint["seconds"] / 60),
        "seed": options["seed"],
    }
    return export_model(network, folder, folder.name, card)
