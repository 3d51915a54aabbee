"""Contrasts that a case lacks, made of those it has: for looking at, never for measuring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..case import Case
from ..models import Card, Network
from ..volume import Modality
from .prepare import prepare
from .progress import Watch

#: The word that marks a synthetic image in its file's and its layer's name; `io.names` knows it.
MARK = "synthetic"


def synthetic_contrasts(
    case: Case, generators: Path, watch: Watch | None = None
) -> Mapping[Modality, NDArray[np.float32]]:
    """The missing contrasts of a case as CMFT's generators imagine them.

    On the case's grid, axes (I, P, L), in the units that the generators were trained in (robust
    standard deviations, usually), 0 outside the brain. T1 and T1ce are made of T2 and FLAIR, and
    the other way round. A tumour may be missing or invented in them.

    Raises
    ------
    ModelError
        When the file holds no generators, nothing is missing, or the other pair is not complete.
    InputError
        When no image shows a brain.
    Cancelled
        When the caller stops it.
    """
    import torch

    from ..models.networks.cmft import load_transition, synthesise

    watch = watch or Watch()
    transition = load_transition(generators)
    channels = tuple(Modality)
    card = Card(
        name="cmft",
        version="1",
        folder=generators.parent,
        network=Network(
            "cmft", transition.forth.base, transition.forth.levels, len(channels), len(channels)
        ),
        channels=channels,
        regions=(),
        orientation="IPL",
        spacing_mm=1.0,
        stride=transition.stride,
        output="images",
        files={},
        thresholds={},
        normalisation=transition.normalisation,
        resize=transition.resize,
    )
    prepared = prepare(case, card, watch)
    filled, made = synthesise(transition, torch.from_numpy(prepared.channels)[None])
    watch.check()
    maps, box = prepared.to_case(filled[0, list(made)].numpy())
    images: dict[Modality, NDArray[np.float32]] = {}
    for number, values in zip(made, maps, strict=True):
        images[channels[number]] = np.zeros(case.grid.shape, dtype=np.float32)
        images[channels[number]][box] = values
    return images
