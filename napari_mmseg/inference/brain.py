"""Where the brain is in a scan that still has its skull, in any contrast."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..case import Case
from ..errors import InputError, ModelError
from ..models import load_card
from ..models.card import Card
from ..preprocess.head import SPACING_MM, scale_head
from ..volume import Modality, Volume
from .engine import candidates
from .rescale import Shape, rescale

REGION = "brain"
ORIENTATION = "IPL"

#: The model that comes with the program.
DEFAULT_BRAIN_MODEL = "strip"

#: In which contrast the brain is looked for, where a case has several: the first there is. On T1
#: fluid and skull differ least from one scanner to the next.
LOOKED_AT = (Modality.T1, Modality.T1CE, Modality.T2, Modality.FLAIR)


def without_skull(case: Case, model: str | Path = DEFAULT_BRAIN_MODEL) -> Case:
    """The case with 0 outside the brain in every image; grids and sources stay.

    The brain is found in one contrast and taken for all: they are co-registered.

    Raises
    ------
    InputError
        When no brain is found.
    ModelError
        As `extract_brain`.
    """
    modality = next(m for m in (*LOOKED_AT, *case.volumes) if m in case.volumes)
    brain = extract_brain(case.volumes[modality], model)
    volumes = {
        m: replace(v, array=np.where(brain, v.array, v.array.dtype.type(0)))
        for m, v in case.volumes.items()
    }
    ml = float(np.count_nonzero(brain)) * case.grid.voxel_volume_ml
    said = f"the skull was removed by a network that looked at {modality}: {ml:.0f} ml were kept"
    return replace(case, volumes=volumes, warnings=(*case.warnings, said))


def extract_brain(volume: Volume, model: str | Path = DEFAULT_BRAIN_MODEL) -> NDArray[np.bool_]:
    """The brain with its fluid in one image, on the image's own voxels.

    Parameters
    ----------
    volume
        Any contrast, any voxel size, with or without skull.
    model
        A brain-extraction model's name or folder: the shipped one, or one made by `python -m
        napari_mmseg.training train --task brain` and `export`.

    Raises
    ------
    InputError
        When the image shows no head.
    ModelError
        When the model's files are missing or damaged, or it does another job.
    """
    card = load_card(model)
    if card.regions != (REGION,):
        raise ModelError(
            f"the model {card.name} finds {', '.join(card.regions)}, not the brain: name one that "
            "was trained for brain extraction"
        )
    change = volume.grid.to_orientation(ORIENTATION)
    grid = volume.grid.reoriented(change)
    array = np.nan_to_num(change.apply(volume.array).astype(np.float32), posinf=0.0, neginf=0.0)
    coarse_shape = _coarse(array.shape, grid.spacing)
    coarse = scale_head(rescale(array, coarse_shape))
    if not coarse.any():
        raise InputError("the image is constant: there is no head in it")
    probability = _predict(coarse, card)
    fine = rescale(probability, (array.shape[0], array.shape[1], array.shape[2]))
    mask = _one_piece(fine >= card.thresholds[REGION])
    if not mask.any():
        raise InputError("no brain was found in the image: is it a scan of a head?")
    result: NDArray[np.bool_] = change.invert(mask)
    return np.ascontiguousarray(result)


def _coarse(shape: tuple[int, ...], spacing: tuple[float, float, float]) -> Shape:
    a, b, c = (max(1, round(n * edge / SPACING_MM)) for n, edge in zip(shape, spacing, strict=True))
    return a, b, c


def _predict(image: NDArray[np.float32], card: Card) -> NDArray[np.float32]:
    """Probability of brain (I, P, L) for an image of 2 mm voxels, scaled.

    The mean of what the network says of the image and of its mirror image: heads are nearly
    symmetric, mistakes are not.
    """
    padding = [(0, -n % card.stride) for n in image.shape]
    i, p, left = image.shape
    engine = candidates("cpu")[0][1](card)
    try:

        def run(given: NDArray[np.float32]) -> NDArray[np.float32]:
            return engine.run(np.pad(given, padding)[None], lambda: None)[0, :i, :p, :left]

        return np.asarray((run(image) + run(image[..., ::-1])[..., ::-1]) / 2, dtype=np.float32)
    finally:
        engine.close()


def _one_piece(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected piece without holes."""
    import cc3d
    import fill_voids

    if not mask.any():
        return mask
    largest = cc3d.largest_k(mask, k=1, connectivity=6) > 0
    filled: NDArray[np.bool_] = fill_voids.fill(np.pad(largest, 1)).astype(bool)
    return filled[1:-1, 1:-1, 1:-1]
