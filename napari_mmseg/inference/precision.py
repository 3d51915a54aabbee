"""Is the short arithmetic quicker here, and good enough? Seen once per processor and model.

bf16 convolutions are faster than fp32 where the processor has AMX or AMD's units, and slower on
some that have AVX512-bf16 alone (a Xeon measured: 1.4 times the time of fp32). So it is tried, and
remembered with the verdict on its accuracy.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cache import cache_folder
from ..models import Card

#: The fast result is as good as the exact one when each region's Dice is at least this (of one
#: among several networks, less by as much as it counts less) ...
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
    """Whether bf16 is quicker and gives the labels of fp32, for one model on one processor.

    `share` is what the network has of the answer. `verdict` is None until a case with enough
    tumour has been seen. `seconds` are of one small pass in each precision, empty until they were
    measured.
    """

    thresholds: tuple[float, ...]
    record: Path
    share: float = 1.0
    verdict: bool | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def wants_bf16(self) -> bool:
        """Is bf16 the one to use, as far as is known?"""
        return self.verdict is not False and not self.is_slower

    @property
    def is_slower(self) -> bool:
        """Was bf16 seen to be no quicker than fp32?"""
        return bool(self.seconds) and self.seconds["bf16"] >= self.seconds["fp32"]

    @classmethod
    def load(cls, card: Card, processor: str, library: str) -> PrecisionCheck:
        """What an earlier run remembered in the user's cache folder, or no verdict."""
        identity = json.dumps([sorted(card.files.values()), processor, library, card.share])
        key = hashlib.sha256(identity.encode()).hexdigest()[:16]
        record = cache_folder() / f"precision-{card.name}-{key}.json"
        told = _read(record)
        verdict = told.get("bf16_equals_fp32")
        return cls(
            tuple(card.thresholds[r] for r in card.regions),
            record,
            card.share,
            verdict if isinstance(verdict, bool) else None,
            _seconds_in(told),
        )

    def timed(self, seconds: Mapping[str, float]) -> PrecisionCheck:
        """The check after a small pass in "bf16" and in "fp32" took this long."""
        self._remember({"seconds": dict(seconds)})
        return replace(self, seconds=dict(seconds))

    def accepts(self, fast: NDArray[np.float32], exact: NDArray[np.float32]) -> bool:
        """Are the labels of this one pass the same, for all regions? Arrays (regions, I, P, L)."""
        return all(self._is_same(dice, differ) for dice, differ, _ in self._compare(fast, exact))

    def judge(self, fast: NDArray[np.float32], exact: NDArray[np.float32]) -> PrecisionCheck:
        """The check after a case has been seen both ways; a verdict is written down."""
        judged = [
            self._is_same(dice, differ)
            for dice, differ, size in self._compare(fast, exact)
            if size >= ENOUGH_VOXELS
        ]
        if not judged:
            return self
        verdict = all(judged)
        regions = [
            {"dice": dice, "voxels_differing": differ, "voxels": size}
            for dice, differ, size in self._compare(fast, exact)
        ]
        self._remember({"bf16_equals_fp32": verdict, "regions": regions})
        return replace(self, verdict=verdict)

    def _is_same(self, dice: float, differ: int) -> bool:
        return 1.0 - dice <= (1.0 - LEAST_DICE) / self.share or differ <= MOST_VOXELS

    def _compare(
        self, fast: NDArray[np.float32], exact: NDArray[np.float32]
    ) -> list[tuple[float, int, int]]:
        return [
            region_dice(fast[i] >= threshold, exact[i] >= threshold)
            for i, threshold in enumerate(self.thresholds)
        ]

    def _remember(self, told: Mapping[str, Any]) -> None:
        """Write what was found beside what was known."""
        content = {**_read(self.record), **told}
        temporary = self.record.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.record.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
            temporary.replace(self.record)
        except OSError:  # a cache that cannot be written costs time only
            with suppress(OSError):
                temporary.unlink()


def _read(record: Path) -> dict[str, Any]:
    """What was remembered; nothing where there is no record or it is damaged."""
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _seconds_in(told: Mapping[str, Any]) -> Mapping[str, float]:
    try:
        return {name: float(told["seconds"][name]) for name in ("bf16", "fp32")}
    except (KeyError, TypeError, ValueError):
        return {}  # from an earlier version: measured again
