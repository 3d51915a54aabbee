"""What speaks for a model: told from its card, and only what the card says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_card import write

from napari_mmseg.models import DEFAULT_MODEL, load_card, read_card
from napari_mmseg.models.evidence import UNKNOWN, evidence_of, licence_of

MEANS = {"WT": 0.861, "TC": 0.664, "ET": None}


@pytest.mark.parametrize(
    ("validation", "said"),
    [
        (
            {"real": {"cases": {"a": {}, "b": {}}, "mean_dice": MEANS}},
            "Mean Dice WT 0.86, TC 0.66 on 2 real cases; it learnt from none of them.",
        ),
        (
            {"folds": {"folds": 3, "cases": 9, "mean_dice": MEANS}, "real": {"mean_dice": MEANS}},
            "Mean Dice WT 0.86, TC 0.66 on 9 real cases that it was tuned on, each judged by one "
            "of 3 networks that did not see it.",
        ),
        (
            {"held_out": {"cases": 4, "dice": {**MEANS, "mean": 0.76}}},
            "Mean Dice WT 0.86, TC 0.66 on 4 held-out cases.",
        ),
        ({"real": {"cases": {}, "mean_dice": {"ET": None}}}, UNKNOWN),
        ({"real": "good"}, UNKNOWN),
        ("good", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_the_evidence_is_what_the_card_says(tmp_path: Path, validation: Any, said: str) -> None:
    assert evidence_of(read_card(write(tmp_path, validation=validation))) == said


def test_who_has_learnt_from_real_cases_is_not_said_to_have_seen_none(tmp_path: Path) -> None:
    validation = {"real": {"cases": {"a": {}}, "mean_dice": {"WT": 0.9}}}
    card = read_card(write(tmp_path, validation=validation, learnt_from=["0123456789abcdef"]))
    assert evidence_of(card) == "Mean Dice WT 0.90 on 1 real cases."


def test_the_licence_is_the_cards(tmp_path: Path) -> None:
    assert (
        licence_of(read_card(write(tmp_path, licence="BSD-3-Clause"))) == "Licence: BSD-3-Clause."
    )
    assert "names no licence" in licence_of(read_card(write(tmp_path)))


def test_the_default_model_learnt_from_no_real_tumour() -> None:
    card = load_card(DEFAULT_MODEL)
    assert "learnt from none of them" in evidence_of(card)
    assert licence_of(card)
