"""What one training step of each network costs: two crops of 80x96x80, as training takes them.

Each kind in a process of its own, eager (compiling takes minutes a kind). Keys, by kind in
`networks`: `seconds` (the median of `steps` after one that is not counted: `STEPS`, fewer where
they take longer than `SECONDS`), `memory_mib` (of the process at its peak, over what it held
before), `parameters`, `gflop` (forward and backward, counted by torch, multiplications and
additions apart). And `cmft`: the same of a step of the feature transition on one crop.

`--only unet,cmff,cmft` measures these alone. All take about four minutes on two free cores.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

CROPS = 2
PATCH = (80, 96, 80)
BASE, LEVELS = 16, 5
STEPS = 3
SECONDS = 10.0  # after which a kind gets no further step
TRANSITION = "cmft"


def run(only: str | None = None) -> dict[str, Any]:
    """Measure every kind that can be built here, or some of them; the others are named."""
    from napari_mmseg.errors import InputError
    from napari_mmseg.models.networks import KINDS

    known = (*KINDS, TRANSITION)
    wanted = known if only is None else tuple(only.split(","))
    for kind in wanted:
        if kind not in known:
            raise InputError(f"there is no network {kind!r}: choose of {', '.join(known)}")
    networks: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for kind in wanted:
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, kind], capture_output=True, text=True, check=False
        )
        if done.returncode:
            refused[kind] = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        else:
            networks[kind] = json.loads(done.stdout.splitlines()[-1])
    transition = networks.pop(TRANSITION, None)
    return {
        "networks": networks,
        "cmft": transition,
        "refused": refused,
        "crops": CROPS,
        "patch": PATCH,
        "base": BASE,
    }


def measure(
    kind: str,
    patch: tuple[int, int, int] = PATCH,
    base: int = BASE,
    levels: int = LEVELS,
    steps: int = STEPS,
) -> dict[str, float]:
    """The cost of a step of one kind; memory counts from this process's peak so far."""
    import torch

    torch.manual_seed(0)
    step, network, flop = (_transition if kind == TRANSITION else _segmentation)(
        kind, patch, base, levels
    )
    before = _peak_mib()
    step()
    seconds: list[float] = []
    while len(seconds) < steps and sum(seconds) < SECONDS:
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return {
        "seconds": round(statistics.median(seconds), 3),
        "steps": len(seconds),
        "memory_mib": round(_peak_mib() - before),
        "parameters": sum(value.numel() for value in network.parameters()),
        "gflop": round(flop / 1e9, 1),
    }


def _segmentation(
    kind: str, patch: tuple[int, int, int], base: int, levels: int
) -> tuple[Callable[[], object], nn.Module, int]:
    import torch

    from napari_mmseg.models.networks import build
    from napari_mmseg.training.options import TrainOptions
    from napari_mmseg.training.stepper import Stepper

    network = build(kind, base=base, levels=levels)
    options = TrainOptions(
        None, network=kind, base=base, levels=levels, crops=CROPS, patch=patch, compile=False
    )
    stepper = Stepper(network, options)
    images = torch.randn(CROPS, 4, *patch)
    depths = torch.randint(0, 4, (CROPS, *patch), dtype=torch.uint8)

    with torch.device("meta"):
        shadow = build(kind, base=base, levels=levels)
        shape = torch.empty(CROPS, 4, *patch)
    flop = _flop(lambda: torch.stack([head.sum() for head in shadow.heads(shape)]).sum())
    return lambda: stepper.step(images, depths, options.learning_rate), network, flop


def _transition(
    _: str, patch: tuple[int, int, int], base: int, levels: int
) -> tuple[Callable[[], object], nn.Module, int]:
    import torch

    from napari_mmseg.training.cmft_step import Cycle
    from napari_mmseg.training.simulate.chance import Chance

    cycle = Cycle(base, levels)
    volumes = torch.randn(1, 4, *patch)

    shadow = Cycle(base, levels, device="meta")
    pair = torch.empty(1, 2, *patch, device="meta")

    def both_ways() -> Tensor:
        forth, back = shadow.transition.forth, shadow.transition.back
        made = forth(pair), back(pair)
        again = back(made[0]), forth(made[1])
        judged = [judge(image) for judge in shadow.judges for image in (*made, pair)]
        return torch.stack([image.sum() for image in (*again, *judged)]).sum()

    return lambda: cycle.step(volumes, Chance(0)), cycle.transition, _flop(both_ways)


def _flop(loss: Callable[[], Tensor]) -> int:
    """Of a pass forward and backward, on tensors without contents."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        loss().backward()
    return int(counter.get_total_flops())


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
