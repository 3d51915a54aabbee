"""What speaks for a model, in a sentence: how near it came to experts on real cases, and whose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .card import Card
from .seen import FOLDS, learnt_from

UNKNOWN = "Its card does not tell how it does on real cases."


def evidence_of(card: Card) -> str:
    """Mean Dice by region over real cases, as the card tells it, and by whom they were judged.

    The figures of cases that were tuned on are those of networks that did not see them.
    """
    validation = card.details.get("validation")
    if not isinstance(validation, Mapping):
        return UNKNOWN
    if figures := _means(validation.get(FOLDS)):
        count, folds = validation[FOLDS].get("cases"), validation[FOLDS].get(FOLDS)
        return (
            f"Mean Dice {figures} on {count} real cases that it was tuned on, each judged by one "
            f"of {folds} networks that did not see it."
        )
    if figures := _means(validation.get("real")):
        cases = len(validation["real"].get("cases", ()))
        # Fingerprints are there of every real case that a model was tuned on.
        unseen = "" if learnt_from(card) else "; it learnt from none of them"
        return f"Mean Dice {figures} on {cases} real cases{unseen}."
    if figures := _means(validation.get("held_out"), "dice"):
        return f"Mean Dice {figures} on {validation['held_out'].get('cases')} held-out cases."
    return UNKNOWN


def licence_of(card: Card) -> str:
    """The model's licence and the terms of what it learnt from, in one line."""
    licence = card.details.get("licence")
    return f"Licence: {str(licence).rstrip('.')}." if licence else "Its card names no licence."


def _means(told: Any, key: str = "mean_dice") -> str:
    """By region, as one would say them; empty where there are none."""
    means = told.get(key) if isinstance(told, Mapping) else None
    if not isinstance(means, Mapping):
        return ""
    return ", ".join(
        f"{region} {value:.2f}"
        for region, value in means.items()
        if isinstance(value, int | float) and region != "mean"
    )
