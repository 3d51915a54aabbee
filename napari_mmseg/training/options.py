"""What one training run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PATCH = (80, 96, 80)
DEFAULT_WHOLE = (128, 160, 128)


def cache_home() -> Path:
    """Where runs are kept: outside any repository."""
    return Path.home() / ".cache" / "napari-mmseg"


@dataclass(frozen=True)
class TrainOptions:
    """A run is fixed by `anatomy`, `seed`, `steps` and the network; the rest is where and how long.

    anatomy: folder of label maps, or None for the procedural head (tests).
    steps: length of the learning-rate schedule. minutes: stop before that many have passed
    (None: run all steps). patch, whole: voxels of small and whole-brain crops, multiples of the
    network's stride. whole_share: last share of the steps, on whole-brain crops only.
    crops: in one step, each in a thread of its own.
    init: a model's name or folder whose weights the run begins with (None: Kaiming's).
    compile: let torch.compile fuse the network (needs a C++ compiler; same weights, faster).
    """

    anatomy: Path | None
    name: str = "run"
    out: Path = field(default_factory=lambda: cache_home() / "runs")
    steps: int = 1800
    minutes: float | None = None
    seed: int = 0
    base: int = 16
    levels: int = 5
    patch: tuple[int, int, int] = DEFAULT_PATCH
    whole: tuple[int, int, int] = DEFAULT_WHOLE
    crops: int = 2
    whole_share: float = 0.0
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    ema: float = 0.985
    steps_per_case: int = 4
    pool: int = 24
    checkpoint_seconds: float = 120.0
    worker: bool = True
    compile: bool = True
    resume: bool = False
    init: str | None = None

    @property
    def folder(self) -> Path:
        return self.out / self.name
