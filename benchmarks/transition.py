"""Does CMFT learn? A small transition trained on simulated cases of one scanner, no label seen.

Small networks (base 8, 4 levels), crops of 64^3, `--steps` of training; then judged on cases that
were not trained on (of the same label maps). Keys: `l1` and `ssim` of the `input`, of the
`translated` contrasts and of those of the `untrained` generators against the true other pair,
inside the brain (`l1` also of a `blank` image); `closer`: is the translated contrast nearer than
the input by both, and than a blank one; `steps`; `picture` (`--picture FILE`): a PNG with the true
contrasts above and the translated ones below, one case a block, simulated ones all.

The run is kept in the cache (`--name`), with a checkpoint every minute: the same command goes on
where it was stopped, and one with more `--steps` goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from napari_mmseg.models.networks.cmft import Transition
    from napari_mmseg.training.cmft_measure import Closeness

ANATOMY = Path(__file__).parents[1] / "../shared/data/brain_label_maps"
PICTURE = Path("screenshots") / "transition.png"
STEPS = 400
CHECKPOINT_SECONDS = 60.0
CROP = (64, 64, 64)
BASE, LEVELS = 8, 4
LEARNING_RATE = 5e-4
CASES = 6
SHOWN = 3
ENLARGED = 3  # pixels a voxel
_SEED, _OTHER_SEED, _SCANNER = 0, 1, 2


def run(
    steps: int = STEPS,
    minutes: float | None = None,
    picture: Path = PICTURE,
    name: str = "transition",
) -> dict[str, Any]:
    """Train, or go on with it, for `steps` in all or `minutes` from now; judge; draw."""
    import torch

    from napari_mmseg.models.networks.cmft import Transition, load_transition
    from napari_mmseg.training.cmft import GENERATORS, CmftOptions, train_cmft
    from napari_mmseg.training.cmft_measure import closeness
    from napari_mmseg.training.cmft_source import simulated
    from napari_mmseg.training.loop import CHECKPOINT, load_checkpoint

    anatomy = ANATOMY if ANATOMY.is_dir() else None
    source = simulated(anatomy, CROP, _SEED, _SCANNER)
    options = CmftOptions(
        name=name, steps=steps, minutes=minutes, base=BASE, levels=LEVELS, crop=CROP,
        learning_rate=LEARNING_RATE, checkpoint_seconds=CHECKPOINT_SECONDS, resume=True,
    )  # fmt: skip
    torch.manual_seed(options.seed)
    untrained = Transition(BASE, LEVELS).eval()
    folder = train_cmft(options, source=source)
    trained = load_transition(folder / GENERATORS)
    state = load_checkpoint(folder / CHECKPOINT)
    other = simulated(anatomy, CROP, _OTHER_SEED, _SCANNER)
    cases = [other(number) for number in range(CASES)]
    after = [closeness(trained, volumes) for volumes in cases]
    before = [closeness(untrained, volumes) for volumes in cases]
    l1 = {
        "input": _mean(after, "l1_before"),
        "translated": _mean(after, "l1_after"),
        "untrained": _mean(before, "l1_after"),
        "blank": _mean(after, "l1_blank"),
    }
    ssim = {
        "input": _mean(after, "ssim_before"),
        "translated": _mean(after, "ssim_after"),
        "untrained": _mean(before, "ssim_after"),
    }
    return {
        "l1": l1,
        "ssim": ssim,
        "closer": ssim["translated"] > ssim["input"]
        and l1["translated"] < min(l1["input"], l1["blank"]),
        "steps": int(state["step"]),
        "minutes": round(float(state["seconds"]) / 60, 1),
        "cases": CASES,
        "anatomy": "label maps" if anatomy else "procedural",
        "picture": str(draw(trained, cases[:SHOWN], picture)),
    }


def draw(transition: Transition, cases: Sequence[Tensor], path: Path) -> Path:
    """The middle axial slice of each case: T1, T1ce, T2, FLAIR above, made ones below."""
    import numpy as np
    import torch
    from PIL import Image

    rows = []
    for volumes in cases:
        first, second = volumes[:, :2], volumes[:, 2:]
        with torch.no_grad():
            made = torch.cat([transition.back(second), transition.forth(first)], dim=1)
        middle = volumes.shape[2] // 2
        low, high = volumes.amin((0, 2, 3, 4)), volumes.amax((0, 2, 3, 4))
        for images in (volumes, made):
            plane = images[0, :, middle]
            grey = (plane - low[:, None, None]) / (high - low).clamp(min=1e-6)[:, None, None]
            rows.append(torch.cat(list(grey.clamp(0, 1)), dim=1))
    sheet = (torch.cat(rows).numpy() * 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet.repeat(ENLARGED, 0).repeat(ENLARGED, 1)).save(path)
    return path


def _mean(found: Sequence[Closeness], name: str) -> float:
    return round(mean(getattr(one, name) for one in found), 4)
