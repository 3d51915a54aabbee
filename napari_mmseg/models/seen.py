"""Which cases a model has learnt from, and what is known of those that it was tuned on.

A card travels with the model, so it names no case. It holds fingerprints of their images instead:
one cannot go back from them to an image, but who has the image can tell that it was learnt from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..case import Case
from .card import Card

#: Keys of a card: fingerprints of the images learnt from, and figures of cases left out in turn.
LEARNT_FROM, FOLDS = "learnt_from", "folds"

_LENGTH = 16  # hexadecimal digits: 64 bits tell far more images apart than anybody has


def fingerprints(case: Case) -> tuple[str, ...]:
    """One for each image of a case that is not blank: of its voxels, not of its file or name.

    A case whose files were renamed, compressed anew or lessened by a contrast is still known.
    """
    return tuple(_of(volume.array) for volume in case.volumes.values() if np.ptp(volume.array) > 0)


def learnt_from(card: Card) -> frozenset[str]:
    """Fingerprints of the images that the model, or one that it continues, has learnt from."""
    return frozenset(map(str, card.details.get(LEARNT_FROM, ())))


def has_learnt_from(card: Card, case: Case) -> bool:
    """Is an image of `case` one that the model has learnt from?"""
    return not learnt_from(card).isdisjoint(fingerprints(case))


def fold_figures(card: Card, case: Case) -> Mapping[str, Any] | None:
    """What the network of a fold, which never saw `case`, reached on it; None where nobody tried.

    `fold` is the number of that network, `regions` its figures by region.
    """
    own = set(fingerprints(case))
    folds = card.details.get("validation", {}).get(FOLDS, {})
    for entry in folds.get("each", ()):
        if not own.isdisjoint(entry["images"]):
            found: Mapping[str, Any] = entry
            return found
    return None


def _of(array: Any) -> str:
    """SHA-256, shortened, of the shape and the voxels as little-endian float32."""
    voxels = np.ascontiguousarray(array, dtype="<f4")
    digest = hashlib.sha256(repr(voxels.shape).encode())
    digest.update(voxels.data)
    return digest.hexdigest()[:_LENGTH]
