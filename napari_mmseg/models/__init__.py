"""Models: their cards, where they are found, and the networks that they were trained with."""

from __future__ import annotations

from .calibration import Calibration, Curve
from .card import BRAIN_PROTOCOL, Card, Network, read_card
from .registry import DEFAULT_MODEL, available, load_card, user_models_folder

__all__ = [
    "BRAIN_PROTOCOL",
    "DEFAULT_MODEL",
    "Calibration",
    "Card",
    "Curve",
    "Network",
    "available",
    "load_card",
    "read_card",
    "user_models_folder",
]
