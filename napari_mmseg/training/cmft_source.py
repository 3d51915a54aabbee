"""Volumes for CMFT: complete, unlabelled, a function of the step alone, so that a run resumes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_mmseg.errors import InputError, MmsegError
from napari_mmseg.inference.prepare import prepare
from napari_mmseg.inference.progress import Watch
from napari_mmseg.io import open_case
from napari_mmseg.io.image import quoted
from napari_mmseg.training.batches import FIRST_CASES, Batches, choose_box
from napari_mmseg.training.datasets import CaseSet
from napari_mmseg.training.layouts import Place, find_places, leaves
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.presets import Preset, preset_named
from napari_mmseg.training.simulate.chance import Chance, Shape
from napari_mmseg.training.simulate.contrast import draw_contrast
from napari_mmseg.training.simulate.render import draw_recipe, render

#: From a step's number to its volumes (N, 4, I, P, L), normalised, all four contrasts.
Source = Callable[[int], Tensor]
Tell = Callable[[str], None]

KEPT_CASES = 8  # prepared cases in memory: about 30 MB each
_STREAM, _SCANNER_STREAM = 41, 43


def simulated(anatomy: Path | None, crop: Shape, seed: int, scanner: int | None = None) -> Source:
    """Crops of simulated cases (of the procedural head where `anatomy` is None).

    Every crop has contrasts of its own, as in the training of segmentation, unless `scanner`
    seeds one set for all: then a contrast can be told from another, as in a hospital's own scans.
    """
    options = TrainOptions(anatomy=anatomy, seed=seed)
    batches = Batches(options)

    def volumes(step: int) -> Tensor:
        chance = Chance(seed, _STREAM, step)
        newest = FIRST_CASES + step // options.steps_per_case
        case = batches.case(chance.integer(max(0, newest - options.pool), newest))
        box = choose_box(case, crop, chance)
        recipe = draw_recipe(case, chance)
        if scanner is not None:
            same = Chance(scanner, _SCANNER_STREAM)
            recipe = replace(recipe, contrast=draw_contrast(same), waves=same.white((4,)) * 0.5)
        return padded(render(case, box, recipe, chance), crop)[None]

    return volumes


def from_folder(
    root: Path, crop: Shape, seed: int, preset: str = "default", tell: Tell | None = None
) -> Source:
    """Crops of the cases in a folder, labelled or not, prepared as `preset` says.

    A case that cannot be used, or that lacks one of the four contrasts, is told to `tell` when it
    is first met and left out. Nothing outside `root` is read.

    Raises
    ------
    InputError
        At once when the folder holds no case; when asked for a step, if no case can be used.
    """
    places = find_places(root)
    cases = _Cases(root, places, preset_named(preset), tell or (lambda _: None))

    def volumes(step: int) -> Tensor:
        chance = Chance(seed, _STREAM, step)
        while True:
            images = cases.read(chance.integer(0, len(places)))
            if images is not None:
                return padded(torch.from_numpy(_crop(images, crop, chance)).float(), crop)[None]

    return volumes


def from_cases(cases: CaseSet, crop: Shape, seed: int) -> Source:
    """Crops of a run's own training cases that have all four contrasts.

    Raises
    ------
    InputError
        When none has.
    """
    complete = [case for case in cases.training if not case.missing]
    if not complete:
        raise InputError(
            "no case to learn from has all four contrasts, which the feature transition needs: "
            "take --init kaiming"
        )

    def volumes(step: int) -> Tensor:
        chance = Chance(seed, _STREAM, step)
        images, _ = cases.read(complete[chance.integer(0, len(complete))])
        return padded(torch.from_numpy(_crop(images, crop, chance)).float(), crop)[None]

    return volumes


def padded(images: Tensor, size: Shape) -> Tensor:
    """Zeros after the end of the last three axes up to `size`."""
    room = [wanted - length for length, wanted in zip(images.shape[-3:], size, strict=True)]
    return functional.pad(images, [pad for side in reversed(room) for pad in (0, side)])


class _Cases:
    """The cases of a folder, read when asked for; the last few stay in memory."""

    def __init__(self, root: Path, places: list[Place], preset: Preset, tell: Tell) -> None:
        self._root, self._places, self._preset, self._tell = root, places, preset, tell
        self._kept: OrderedDict[int, NDArray[np.float16]] = OrderedDict()
        self._useless: dict[int, str] = {}

    def read(self, number: int) -> NDArray[np.float16] | None:
        """Images (4, I, P, L) of a case, or None if it cannot be used."""
        if number in self._useless:
            return None
        if number not in self._kept:
            place = self._places[number]
            try:
                self._kept[number] = self._prepared(place)
            except (MmsegError, OSError) as error:
                reason = str(error)
                if isinstance(error, OSError):
                    reason = f"it cannot be read ({error.strerror})"
                self._useless[number] = reason
                self._tell(f"the case {place.name} was left out: {reason}")
                if len(self._useless) == len(self._places):
                    raise InputError(
                        f"no case of {quoted(self._root)} can be learned from, the last because: "
                        f"{reason}"
                    ) from error
                return None
            while len(self._kept) > KEPT_CASES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]

    def _prepared(self, place: Place) -> NDArray[np.float16]:
        if (outside := leaves(place, self._root)) is not None:
            raise InputError(
                f"{quoted(outside)} lies outside the folder that was given, or is a link out of "
                "it: training reads nothing there, copy it into the folder"
            )
        found = prepare(open_case(place.path), self._preset.card, Watch())
        if found.missing:
            raise InputError(
                f"{quoted(place.path)} lacks {', '.join(found.missing)}: the feature transition "
                "needs all four contrasts"
            )
        return found.channels[(slice(None), *found.interior)].astype(np.float16)


def _crop(images: NDArray[np.float16], size: Shape, chance: Chance) -> NDArray[np.float16]:
    """A box of at most `size`, anywhere in the brain box."""
    box = [slice(None)]
    for length, wanted in zip(images.shape[1:], size, strict=True):
        start = chance.integer(0, max(0, length - wanted) + 1)
        box.append(slice(start, start + wanted))
    return np.ascontiguousarray(images[tuple(box)])
