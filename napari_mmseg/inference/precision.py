"""Is the fast arithmetic good enough? Judged once per processor and model, then remembered."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..cache import cache_folder
from ..models import Card

#: The fast result is as good as the exact one when each region's Dice is at least this ...
LEAST_DICE = 0.998
#: ... or no more voxels than this differ.
MOST_VOXELS = 2
#: Regions smaller than this (voxels) say too little about rounding to be remembered.
ENOUGH_VOXELS = 1000


def region_dice(fast: NDArray[np.bool_], exact: NDArray[np.bool_]) -> tuple[float, int, int]:
    """Dice of two masks (1 when both are empty), voxels that differ, voxels of the exact one."""
    a, b = int(np.count_nonzero(fast)), int(np.count_nonzero(exact))
    differ = int(np.count_nonzero(fast != exact))
    return (1.0 if a + b == 0 else (a + b - differ) / (a + b)), differ, b


@dataclass(frozen=True)
class PrecisionCheck:
    """Whether bf16 gives the labels of fp32, for one model on one processor.

    `verdict` is None until a case with enough tumour has been seen.
    """

    thresholds: tuple[float, ...]
    record: Path
    verdict: bool | None = None

    @classmethod
    def load(cls, card: Card, processor: str, library: str) -> PrecisionCheck:
        """What an earlier run remembered in the user's cache folder, or no verdict."""
        identity = json.dumps([sorted(card.files.values()), processor, library])
        key = hashlib.sha256(identity.encode()).hexdigest()[:16]
        record = cache_folder() / f"precision-{card.name}-{key}.json"
        try:
            verdict = bool(json.loads(record.read_text(encoding="utf-8"))["bf16_equals_fp32"])
        except (OSError, ValueError, KeyError, TypeError):
            verdict = None  # never judged, or the record is damaged: judged again
        return cls(tuple(card.thresholds[r] for r in card.regions), record, verdict)

    def accepts(self, fast: NDArray[np.float32], exact: NDArray[np.float32]) -> bool:
        """Are the labels of this one pass the same, for all regions? Arrays (regions, I, P, L)."""
        return all(
            dice >= LEAST_DICE or differ <= MOST_VOXELS
            for dice, differ, _ in self._compare(fast, exact)
        )

    def judge(self, fast: NDArray[np.float32], exact: NDArray[np.float32]) -> PrecisionCheck:
        """The check after a case has been seen both ways; a verdict is written down."""
        judged = [
            dice >= LEAST_DICE or differ <= MOST_VOXELS
            for dice, differ, size in self._compare(fast, exact)
            if size >= ENOUGH_VOXELS
        ]
        if not judged:
            return self
        verdict = all(judged)
        self._remember(verdict, self._compare(fast, exact))
        return replace(self, verdict=verdict)

    def _compare(
        self, fast: NDArray[np.float32], exact: NDArray[np.float32]
    ) -> list[tuple[float, int, int]]:
        return [
            region_dice(fast[i] >= threshold, exact[i] >= threshold)
            for i, threshold in enumerate(self.thresholds)
        ]

    def _remember(self, verdict: bool, compared: list[tuple[float, int, int]]) -> None:
        content = {
            "bf16_equals_fp32": verdict,
            "regions": [
                {"dice": dice, "voxels_differing": differ, "voxels": size}
                for dice, differ, size in compared
            ],
        }
        temporary = self.record.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.record.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
            temporary.replace(self.record)
        except OSError:  # a cache that cannot be written costs time only
            with suppress(OSError):
                temporary.unlink()
