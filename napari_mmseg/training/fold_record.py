"""What is known of a run in folds: which case is left out where, and how each was segmented.

The file names the cases, for their owner. What a model's card gets of it (`for_card`) names none:
fingerprints of their images stand for them (`models.seen`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_mmseg.agreement import evaluate
from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import InputError

BEFORE, AFTER = "before", "after"  # of the tuning
DIGITS = 4

#: By region: Dice (None: not there and not found), HD95 in mm, both volumes in ml.
Figures = Mapping[str, Mapping[str, float | None]]


@dataclass
class Entry:
    """A case: the fold it is left out of, and the figures of the model and of that fold's network.

    `images` are the fingerprints of its images.
    """

    name: str
    fold: int
    images: tuple[str, ...]
    before: Figures | None = None
    after: Figures | None = None


@dataclass(frozen=True)
class Record:
    """All cases of a run in folds, kept in `path`; `origin` is what their figures depend on."""

    path: Path
    origin: Mapping[str, Any]
    entries: tuple[Entry, ...]

    def save(self) -> None:
        """Write it down: whole, or as it was."""
        told = {
            **self.origin,
            "mean_dice": {when: mean_dice(self.figures(when)) for when in (BEFORE, AFTER)},
            "cases": [asdict(entry) for entry in self.entries],
        }
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self.path)

    def resumed(self) -> Record:
        """The record with the figures that an earlier run has written into its file.

        Raises
        ------
        InputError
            When that run was begun in another way or with other cases.
        """
        told = json.loads(self.path.read_text(encoding="utf-8"))
        stored = [Entry(**{**case, "images": tuple(case["images"])}) for case in told["cases"]]
        same_cases = [(e.name, e.fold, e.images) for e in stored] == [
            (e.name, e.fold, e.images) for e in self.entries
        ]
        if {key: told.get(key) for key in self.origin} != dict(self.origin) or not same_cases:
            raise InputError(
                "these folds were begun with another model, other cases or other options: give "
                "the same again, or another --name"
            )
        return Record(self.path, self.origin, tuple(stored))

    def figures(self, when: str) -> list[Figures]:
        """The figures of all cases that have some, `BEFORE` the tuning or `AFTER` it."""
        found = (getattr(entry, when) for entry in self.entries)
        return [figures for figures in found if figures is not None]

    def for_card(self, compared_with: str) -> dict[str, Any]:
        """What the card of the final model says; `compared_with` is the model's name before."""
        return {
            "folds": len({entry.fold for entry in self.entries}),
            "cases": len(self.entries),
            "about": "each case was segmented by a network that was tuned in the same way on the "
            "other folds alone; this model's own network learnt from all of them",
            "mean_dice": mean_dice(self.figures(AFTER)),
            f"mean_dice_of_{compared_with}": mean_dice(self.figures(BEFORE)),
            "invented_et_ml": [
                found["ET"]["volume_ml"]
                for found in self.figures(AFTER)
                if not found["ET"]["reference_volume_ml"]
            ],
            "each": [
                {"images": list(entry.images), "fold": entry.fold, "regions": entry.after}
                for entry in self.entries
            ],
        }


def figures_of(proposal: Annotation, reference: Annotation) -> Figures:
    """How near a proposal comes to the reference, by region."""
    return {
        region: {
            "dice": _rounded(found.dice),
            "hd95_mm": _rounded(found.hd95_mm),
            "volume_ml": _rounded(found.volume_ml),
            "reference_volume_ml": _rounded(found.reference_volume_ml),
        }
        for region, found in evaluate(proposal, reference).items()
    }


def mean_dice(figures: Iterable[Figures]) -> dict[str, float | None]:
    """By region, over the cases in which the experts see it; None where none of them does."""
    values: dict[str, list[float]] = {}
    for found in figures:
        for region, numbers in found.items():
            there = values.setdefault(region, [])
            if numbers["reference_volume_ml"]:
                there.append(numbers["dice"] or 0.0)
    return {
        region: round(float(np.mean(there)), DIGITS) if there else None
        for region, there in values.items()
    }


def overall(figures: Sequence[Figures]) -> float:
    """Mean Dice over cases and regions, one neither there nor found counting as 1 (see `judge`)."""
    values = [
        1.0 if numbers["dice"] is None else numbers["dice"]
        for found in figures
        for numbers in found.values()
    ]
    return float(np.mean(values))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), DIGITS)
