"""A run's state on disk: tensors and plain values, whole or not there at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write beside, then rename: a run killed while saving leaves the old checkpoint whole."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of `save_checkpoint`; nothing is unpickled."""
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state
