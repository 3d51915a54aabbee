"""The robot's cases: a real slab, and simulated heads of anatomies kept out of training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import DATA
from napari_mmseg.annotation import Annotation
from napari_mmseg.case import Case
from napari_mmseg.grid import Grid
from napari_mmseg.volume import Modality, SourceSpace, Volume

ANATOMY = DATA / "brain_label_maps"
SLAB = DATA / "msd_brats_009_slab"

#: Drawn anew for the robot: no seed of training or validation.
SEED = 77


@dataclass(frozen=True, eq=False)
class Task:
    """What a user gets: images, the model's proposal and probabilities; and the target (codes)."""

    name: str
    case: Case
    proposal: Annotation
    probabilities: dict[str, NDArray[np.generic]]
    target: NDArray[np.uint8]

    @property
    def images(self) -> list[NDArray[np.generic]]:
        return [volume.array for volume in self.case.volumes.values()]


def tasks(simulated: int, real: bool) -> Iterator[Task]:
    """The real slab where it is there and asked for, then so many simulated cases."""
    if real and SLAB.is_dir():
        import napari_mmseg

        case = napari_mmseg.open_case(SLAB)
        target = napari_mmseg.read_annotation(SLAB / "seg.nii.gz", encoding="msd", like=case)
        yield proposed(SLAB.name, case, target.codes)
    for number, (images, depth) in enumerate(_simulated(simulated)):
        name = f"simulated {number}"
        yield proposed(name, case_of(name, images), depth)


def proposed(name: str, case: Case, target: NDArray[np.uint8]) -> Task:
    """The task with the default model's proposal."""
    from napari_mmseg.inference import predict

    prediction = predict(case, device="cpu")
    probabilities = {region: prediction.probability(region) for region in prediction.regions}
    return Task(name, case, prediction.annotation(), dict(probabilities), target)


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
