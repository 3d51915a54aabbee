"""Which weights of a run are kept: the last, or those best on cases that it does not learn from.

Those cases are whole heads of held-out anatomies, simulated *differently* from what is learnt from
(`simulate/shifted.py`); with a user's cases and no anatomy, the ones held out. Looking changes
nothing in the training, so a run resumes exactly whether it is looked at or not. Scores by which
weights were chosen flatter them a little, which the card says.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from napari_mmseg.errors import InputError
from napari_mmseg.io.image import quoted
from napari_mmseg.models.networks.region import RegionNetwork
from napari_mmseg.training.checkpoint import load_checkpoint, save_checkpoint
from napari_mmseg.training.datasets import FOLDER, stored_cases
from napari_mmseg.training.judge import dice_over, whole_cases
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.validate import Labelled, held_out_heads, shifted_cases

BEST = "best.pt"


class Choice:
    """The best averaged weights so far, by the mean Dice of WT, TC and ET.

    Raises
    ------
    InputError
        When there is nothing to judge by.
    """

    def __init__(self, options: TrainOptions, network: RegionNetwork) -> None:
        self._path = options.folder / BEST
        self._network = deepcopy(network).cpu()
        self._cases = [(images.astype(np.float16), depth) for images, depth in _judging(options)]
        self._best = -1.0
        if options.resume and self._path.is_file():
            self._best = float(load_checkpoint(self._path)["dice"])

    def consider(self, step: int, average: dict[str, Tensor]) -> float:
        """Judge the weights after `step` steps, keep them if they are the best; their mean Dice."""
        self._network.load_state_dict({name: value.cpu() for name, value in average.items()})
        cases = ((images.astype(np.float32), depth) for images, depth in self._cases)
        dice = dice_over(self._network, self._network.stride, cases)["mean"]
        if dice > self._best:
            self._best = dice
            save_checkpoint(self._path, {"ema": average, "step": step, "dice": dice})
        return dice


def chosen(state: dict[str, Any], run: Path) -> dict[str, Any]:
    """A run's last checkpoint with the weights that were chosen, if any were."""
    if not (run / BEST).is_file():
        return state
    best = load_checkpoint(run / BEST)
    return {**state, "ema": best["ema"], "step": best["step"], "chosen_by_dice": best["dice"]}


def _judging(options: TrainOptions) -> Iterator[Labelled]:
    if options.anatomy is not None:
        try:
            heads = held_out_heads(options.anatomy)
        except FileNotFoundError as error:
            raise InputError(
                f"{quoted(options.anatomy)} holds none of the label maps that are kept out of "
                "training: leave out --validate"
            ) from error
        yield from shifted_cases(heads, options.validate)
        return
    cases = stored_cases(options.folder / FOLDER) if options.data is not None else None
    if cases is None or not cases.held_out:
        raise InputError("there is nothing to validate on: hold out cases with --hold-out")
    yield from whole_cases(cases, cases.held_out[: options.validate])
