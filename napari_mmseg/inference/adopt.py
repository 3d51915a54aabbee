"""Somebody else's weights as a model of this program: checked, converted, tried, put in place."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models import Card, read_card, user_models_folder
from ..models.card import CARD_FILE
from ..models.importers import ForeignModel, open_source, read_foreign
from ..models.registry import is_shipped
from .convert import example_side, from_onnx, from_torch
from .quiet import load_openvino

TERMS_FILE = "TERMS.txt"

#: What a model may be called: it names a folder on any system.
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

#: Torch and OpenVINO may differ this much on the trial input (probability).
TRIAL_TOLERANCE = 1e-3

FILE_MODE = 0o644
RESEARCH_USE = "For research only. Not a medical device."


def import_model(
    source: Path,
    *,
    accept: Callable[[str], bool],
    name: str | None = None,
    into: Path | None = None,
) -> Card:
    """Install the model in `source`, a folder or zip that the user has downloaded.

    Parameters
    ----------
    accept
        Given the terms of use in full; False leaves everything as it was.
    name
        What to call it here, instead of what it calls itself.
    into
        The folder of models, the user's own if not given.

    Returns
    -------
    The card of the installed model, which `segment(model=card.name)` runs.

    Raises
    ------
    ModelError
        When the source is unsafe, damaged or not of one piece, the terms are not accepted, or
        the name is taken. Nothing is left behind then.
    """
    with open_source(source) as folder:
        foreign = read_foreign(folder)
        home = into or user_models_folder()
        target = home / _free_name(name or _as_name(foreign.name), home)
        if not accept(foreign.terms):
            raise ModelError("the terms of use were not accepted: nothing was imported")
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".import-", dir=home) as temporary:
                draft = Path(temporary) / target.name
                draft.mkdir()
                _write(foreign, draft)
                _try_out(read_card(draft), foreign)
                draft.rename(target)
        except OSError as error:
            raise ModelError(
                f"the model cannot be written to {home}: {error.strerror or error}"
            ) from error
    return read_card(target)


def _write(foreign: ForeignModel, folder: Path) -> None:
    """Weights, OpenVINO model, terms and, last, the card that ties them by hash."""
    openvino = load_openvino()
    name = folder.name
    if isinstance(foreign.weights, bytes):
        weights = folder / f"{name}.onnx"
        weights.write_bytes(foreign.weights)
        model = from_onnx(
            foreign.weights,
            len(foreign.channels),
            foreign.network.outputs,
            foreign.output_form,
            list(foreign.membership.values()),
        )
    else:
        from safetensors.torch import save_file

        weights = folder / f"{name}.safetensors"
        save_file(dict(foreign.weights), weights, metadata={"network": foreign.network.kind})
        weights.chmod(FILE_MODE)  # safetensors leaves it readable by its owner alone
        model = from_torch(_network_of(foreign), len(foreign.channels), foreign.stride)
    # Other people's weights are kept exactly as they are, not rounded to fp16.
    openvino.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)
    (folder / TERMS_FILE).write_text(foreign.terms + "\n", encoding="utf-8")
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (weights, folder / f"{name}.xml", folder / f"{name}.bin", folder / TERMS_FILE)
    }
    card = _card_of(foreign, name) | {"files": files}
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _card_of(foreign: ForeignModel, name: str) -> dict[str, Any]:
    facts: Mapping[str, str] = foreign.facts
    return {
        "name": name,
        "version": facts.get("version", "1"),
        "network": {
            "kind": foreign.network.kind,
            "base": foreign.network.base,
            "levels": foreign.network.levels,
            "in": len(foreign.channels),
            "out": len(foreign.regions),
            "options": dict(foreign.network.options),
        },
        "channels": [str(m) for m in foreign.channels],
        "regions": list(foreign.regions),
        "orientation": foreign.orientation,
        "spacing_mm": foreign.spacing_mm,
        "stride": foreign.stride,
        "output": "probabilities",
        "thresholds": dict(foreign.thresholds),
        "normalisation": foreign.normalisation,
        "window": list(foreign.window) if foreign.window else None,
        "description": facts.get("description", ""),
        "intended_use": facts.get("intended_use", ""),
        "licence": facts.get("licence", "") or f"see {TERMS_FILE}",
        "research_use": RESEARCH_USE,
        "imported": {
            "from": facts.get("format", ""),
            "called": foreign.name,
            "on": datetime.now(UTC).isoformat(timespec="seconds"),
            "terms_accepted": True,
        },
    }


def _network_of(foreign: ForeignModel) -> Any:
    from .torch import build_network

    assert not isinstance(foreign.weights, bytes)
    network = build_network(foreign.name, foreign.network)
    network.load_state_dict(dict(foreign.weights))
    return network.eval()


def _try_out(card: Card, foreign: ForeignModel) -> None:
    """Run the installed files once, small: the result is a probability a voxel, torch's own.

    Raises
    ------
    ModelError
        When it cannot be run or gives something else.
    """
    from .engine import EngineFailure
    from .openvino import OpenVinoEngine

    side = example_side(card.stride)
    random = np.random.default_rng(0)
    channels = random.normal(size=(len(card.channels), side, side, side)).astype(np.float32)
    try:
        engine = OpenVinoEngine(card, precision="fp32")
        found = engine.run(channels, lambda: None)
        engine.close()
    except EngineFailure as error:
        raise ModelError(f"the model {card.name} does not run here: {error}") from error
    if found.shape != (len(card.regions), side, side, side):
        raise ModelError(
            f"the model {card.name} gives {found.shape} for an input of {channels.shape}: it "
            "should give one value a region and voxel"
        )
    if not np.isfinite(found).all() or found.min() < -1e-4 or found.max() > 1 + 1e-4:
        raise ModelError(
            f"the model {card.name} gives values that are no probabilities: correct output_form "
            "in its manifest"
        )
    if not isinstance(foreign.weights, bytes):
        _check_equal(found, _torch_probabilities(foreign, channels), card.name)


def _torch_probabilities(
    foreign: ForeignModel, channels: NDArray[np.float32]
) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        result = torch.sigmoid(_network_of(foreign)(torch.from_numpy(channels[None])))
    return np.asarray(result[0].numpy(), dtype=np.float32)


def _check_equal(found: NDArray[np.float32], exact: NDArray[np.float32], name: str) -> None:
    apart = float(np.abs(found - exact).max())
    if apart > TRIAL_TOLERANCE:
        raise ModelError(
            f"OpenVINO gives other probabilities than torch for the model {name} ({apart:.3f} "
            "apart): it cannot be used here"
        )


def _as_name(text: str) -> str:
    """A folder's name from what a model calls itself."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text.strip()).strip("-._").lower()[:64]
    return name or "imported"


def _free_name(name: str, home: Path) -> str:
    if not NAME_PATTERN.fullmatch(name):
        raise ModelError(
            f"{name!r} cannot name a model: use letters, digits, dots, hyphens and underscores"
        )
    if is_shipped(name) or (home / name).exists():
        raise ModelError(f"there is a model {name} already: choose another name with --name")
    return name
