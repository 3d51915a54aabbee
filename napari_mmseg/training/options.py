"""What one training run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from napari_mmseg.cache import cache_folder

DEFAULT_PATCH = (80, 96, 80)
DEFAULT_WHOLE = (128, 160, 128)

#: Which weights a run changes: all of them, or the scales of normalisation layers alone.
LEARN = ALL, SCALES = ("all", "scales")


def runs_folder() -> Path:
    """Where each run has a folder of its name: the cache, outside any repository."""
    return cache_folder() / "runs"


@dataclass(frozen=True)
class TrainOptions:
    """A run is fixed by what it learns from, `seed`, `steps`, the network and the loss.

    anatomy: folder of label maps to simulate from; None (and no `data`): the procedural head.
    task: tumour, or brain (extraction, from whole heads in random contrasts).
    backgrounds: folders of real scans without tumour; the share `background_share` of the
    simulated cases is painted into one of them.
    data: folder of labelled cases; with `anatomy` too, the share `replay` of the crops is
    simulated. encoding: how the label files store their codes, where nothing else tells.
    preset: one of `presets.PRESETS`: how the cases are prepared. hold_out: share of the cases
    that is kept out of training. augment: vary the cases (simulated ones vary anyway).
    network: one of `models.networks.KINDS`. loss: names and weights, see `losses.named_loss`.
    steps: length of the learning-rate schedule. minutes: stop before that many have passed
    (None: run all steps). patch, whole: voxels of small and whole-brain crops, multiples of the
    network's stride. whole_share: last share of the steps, on whole-brain crops only.
    crops: in one step, each in a thread of its own.
    validate: how many cases the averaged weights are judged on, every `validate_every` steps (0:
    after the last step alone); the best are kept, see `choice.py`. 0: none, the last are kept.
    optimiser: adamw or adam. schedule: polynomial (with warm-up) or constant.
    init: kaiming, normal, cmft, distil, or a model's name or folder whose weights the run begins
    with (None: torch's own, Kaiming uniform). cmft: the CMFT run's folder for `init` cmft, distil.
    device: cpu, cuda or auto. devices: how many graphics cards.
    learn: one of `LEARN`.
    precision: bf16, fp32 or auto (see `precision.py`) on the processor; cards run in bf16.
    compile: let torch.compile fuse the network, where that is known to come out right (see
    `stepper.COMPILED_KINDS`) and there is a C++ compiler; the same training, faster.
    """

    anatomy: Path | None
    name: str = "run"
    out: Path = field(default_factory=runs_folder)
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
    steps_per_case: int = 6
    pool: int = 24
    checkpoint_seconds: float = 120.0
    worker: bool = True
    precision: str = "auto"
    compile: bool = True
    resume: bool = False
    init: str | None = None
    task: str = "tumour"
    backgrounds: tuple[Path, ...] = ()
    background_share: float = 0.25
    network: str = "unet"
    loss: str = "region"
    optimiser: str = "adamw"
    schedule: str = "polynomial"
    data: Path | None = None
    encoding: str | None = None
    preset: str = "default"
    hold_out: float = 0.0
    replay: float = 0.0
    augment: bool = True
    validate: int = 0
    validate_every: int = 0
    cmft: Path | None = None
    device: str = "cpu"
    devices: int = 1
    learn: str = ALL

    @property
    def inputs(self) -> int:
        """Channels of an image."""
        return 1 if self.task == "brain" else 4

    @property
    def outputs(self) -> int:
        """Regions that are learnt."""
        return 1 if self.task == "brain" else 3

    @property
    def folder(self) -> Path:
        return self.out / self.name
