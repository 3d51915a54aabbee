"""The robot's cases: a real slab, and simulated heads of anatomies kept out of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import DATA
from napari_mmseg.annotation import Annotation
from napari_mmseg.case import Case
from napari_mmseg.editing.stroke import bounding_box
from napari_mmseg.errors import InputError
from napari_mmseg.grid import Grid
from napari_mmseg.volume import Modality, SourceSpace, Volume

if TYPE_CHECKING:
    from napari_mmseg.inference import Prediction

ANATOMY = DATA / "brain_label_maps"
SLAB = DATA / "msd_brats_009_slab"

#: Drawn anew for the robot: no seed of training or validation.
SEED = 4127


#: What the model gives less than this anywhere is not cut out for the robot.
LEAST_PROBABLE = 0.2

#: The robot is given this much around the tumour and the proposal, in voxels: it is quicker.
MARGIN = 16


@dataclass(frozen=True, eq=False)
class Task:
    """What a user gets: images, the model's proposal and probabilities; and the target (codes).

    `thresholds` are the model's by region; `at_thresholds` gives the codes that others would make
    of the same probabilities, as the panel's sliders do.
    """

    name: str
    case: Case
    proposal: Annotation
    probabilities: dict[str, NDArray[np.generic]]
    target: NDArray[np.uint8]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    at_thresholds: Callable[[Mapping[str, float]], NDArray[np.uint8]] | None = None

    @property
    def images(self) -> list[NDArray[np.generic]]:
        return [volume.array for volume in self.case.volumes.values()]


def tasks(simulated: int, real: bool, part: int = 0, parts: int = 1) -> Iterator[Task]:
    """The real slab where it is there and asked for, then so many simulated cases.

    Of `parts` that share the cases in turn, those of one `part`.
    """
    if real and part == 0 and SLAB.is_dir():
        import napari_mmseg

        case = napari_mmseg.open_case(SLAB)
        target = napari_mmseg.read_annotation(SLAB / "seg.nii.gz", encoding="msd", like=case)
        yield proposed(SLAB.name, case, target.codes)
    for number, (images, depth) in enumerate(_simulated(simulated), start=1):
        if number % parts != part:
            continue
        name = f"simulated {number}"
        yield proposed(name, case_of(name, images), depth)


def proposed(name: str, case: Case, target: NDArray[np.uint8]) -> Task:
    """The task with the default model's proposal."""
    from napari_mmseg.inference import predict

    return task_of(name, case, target, predict(case, device="cpu"))


def task_of(name: str, case: Case, target: NDArray[np.uint8], prediction: Prediction) -> Task:
    """The part of a case that holds the target and all that a model thinks of."""
    proposal = prediction.annotation()
    seen = (target > 0) | (proposal.codes > 0)
    for region in prediction.regions:
        seen |= prediction.probability(region) >= LEAST_PROBABLE
    found = bounding_box(seen)
    if found is None:
        raise InputError(f"{name} has no tumour and none is proposed: there is nothing to correct")
    sides = [
        slice(max(0, side.start - MARGIN), min(size, side.stop + MARGIN))
        for side, size in zip(found, target.shape, strict=True)
    ]
    box = (sides[0], sides[1], sides[2])
    affine = case.grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [side.start for side in box]
    shape = (target[box].shape[0], target[box].shape[1], target[box].shape[2])
    grid = Grid(shape, affine)
    source = SourceSpace.of(grid)
    volumes = {
        modality: Volume(np.ascontiguousarray(volume.array[box]), grid, modality, source)
        for modality, volume in case.volumes.items()
    }
    return Task(
        name,
        Case(name, volumes, case.reference),
        Annotation(proposal.codes[box].copy(), grid, proposal.protocol, source),
        {
            region: np.ascontiguousarray(prediction.probability(region)[box])
            for region in prediction.regions
        },
        target[box].copy(),
        dict(prediction.thresholds),
        lambda thresholds: prediction.annotation(thresholds).codes[box],
    )


def case_of(name: str, images: NDArray[np.float32]) -> Case:
    """A case of four contrasts (4, I, P, L) with 1 mm voxels."""
    shape = (images.shape[1], images.shape[2], images.shape[3])
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = -1.0
    affine[3, 3] = 1.0
    grid = Grid(shape, affine)
    source = SourceSpace.of(grid)
    volumes = {m: Volume(images[i], grid, m, source) for i, m in enumerate(Modality)}
    return Case(name, volumes, Modality.T1CE)


def _simulated(count: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.uint8]]]:
    from napari_mmseg.training.simulate.anatomy import procedural_head
    from napari_mmseg.training.validate import held_out_heads, simulated_cases

    if not count:
        return
    heads = held_out_heads(ANATOMY) if ANATOMY.is_dir() else [procedural_head(SEED, 144)]
    yield from simulated_cases(heads, count, seed=SEED)
