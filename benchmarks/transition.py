"""Does CMFT learn? A small transition trained on simulated cases of one scanner, no label seen.

Small networks (base 8, 4 levels), crops of 64^3, `MINUTES` of training; then judged on cases that
were not trained on (of the same label maps). Keys: `l1` and `ssim` of the `input`, of the
`translated` contrasts and of those of the `untrained` generators against the true other pair,
inside the brain (`l1` also of a `blank` image); `steps`; `picture`: a PNG with the true contrasts
above and the translated ones below, one case a block.
"""

from __future__ import annotations

import tempfile
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
MINUTES = 12.0
CROP = (64, 64, 64)
BASE, LEVELS = 8, 4
LEARNING_RATE = 5e-4
CASES = 6
SHOWN = 3
ENLARGED = 3  # pixels a voxel
_SEED, _OTHER_SEED, _SCANNER = 0, 1, 2


def run(minutes: float = MINUTES, picture: Path = PICTURE) -> dict[str, Any]:
    """Train, judge, draw."""
    import torch

    from napari_mmseg.models.networks.cmft import Transition, load_transition
    from napari_mmseg.training.cmft import GENERATORS, CmftOptions, train_cmft
    from napari_mmseg.training.cmft_measure import closeness
    from napari_mmseg.training.cmft_source import simulated

    anatomy = ANATOMY if ANATOMY.is_dir() else None
    source = simulated(anatomy, CROP, _SEED, _SCANNER)
    steps = 0

    def count(line: dict[str, float]) -> None:
        nonlocal steps
        steps = int(line["step"])

    with tempfile.TemporaryDirectory() as folder:
        options = CmftOptions(
            out=Path(folder), minutes=minutes, base=BASE, levels=LEVELS, crop=CROP,
            learning_rate=LEARNING_RATE,
        )  # fmt: skip
        torch.manual_seed(options.seed)
        untrained = Transition(BASE, LEVELS).eval()
        trained = load_transition(train_cmft(options, count, source=source) / GENERATORS)
    other = simulated(anatomy, CROP, _OTHER_SEED, _SCANNER)
    cases = [other(number) for number in range(CASES)]
    after = [closeness(trained, volumes) for volumes in cases]
    before = [closeness(untrained, volumes) for volumes in cases]
    return {
        "l1": {
            "input": _mean(after, "l1_before"),
            "translated": _mean(after, "l1_after"),
            "untrained": _mean(before, "l1_after"),
            "blank": _mean(after, "l1_blank"),
        },
        "ssim": {
            "input": _mean(after, "ssim_before"),
            "translated": _mean(after, "ssim_after"),
            "untrained": _mean(before, "ssim_after"),
        },
        "steps": steps,
        "minutes": minutes,
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
