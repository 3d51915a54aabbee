"""From a case to what the network takes, and from what it gives back to the case's grid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..case import Case
from ..errors import InputError
from ..grid import Reorientation
from ..models import Card
from ..preprocess.normalise import background_value, brain_mask
from ..preprocess.schemes import normalise_as
from ..volume import Modality
from .progress import Watch
from .rescale import Shape, rescale

Box = tuple[slice, slice, slice]

#: Voxels that differ less than this from the network's spacing (share of it) are used as they are:
#: training varies the size of heads by as much.
SPACING_TOLERANCE = 0.1

#: A brain with its fluid is at most about 2 litres; a head with its skull is 3 to 5 (ml).
LARGEST_BRAIN_ML = 2300.0


@dataclass(frozen=True, eq=False)
class Prepared:
    """The network's input and the way back.

    Parameters
    ----------
    channels
        (modalities, I, P, L) in the card's channel order and orientation, sides padded to the
        stride.
    interior
        Where in `channels` the box lies.
    box
        What the network sees of the case's grid after `change`: the brain, or the card's window
        around it.
    change
        From the case's grid to the card's orientation.
    grid_shape
        The case's grid after `change`.
    """

    channels: NDArray[np.float32]
    interior: Box
    box: Box
    change: Reorientation
    grid_shape: Shape
    used: tuple[Modality, ...]
    missing: tuple[Modality, ...]
    warnings: tuple[str, ...]

    def restore(self, probabilities: NDArray[np.float32]) -> tuple[NDArray[np.uint8], Box]:
        """Probabilities (regions, I, P, L) over `channels`, on the case's own grid.

        Returns them in 255ths within a box of the case's grid, and that box.
        """
        size = _shape_of(self.box)
        regions = []
        for region in probabilities:
            inside = region[self.interior]
            if inside.shape != size:
                inside = rescale(inside, size)
            regions.append(self.change.invert(quantise(inside)))
        return np.ascontiguousarray(np.stack(regions)), self._box_in_case()

    def to_case(self, maps: NDArray[np.float32]) -> tuple[NDArray[np.float32], Box]:
        """Any maps (maps, I, P, L) over `channels`, as they are, on the case's own grid.

        Returns them within a box of the case's grid, and that box.
        """
        size = _shape_of(self.box)
        back = []
        for values in maps:
            inside = values[self.interior]
            if inside.shape != size:
                inside = rescale(inside, size)
            back.append(np.ascontiguousarray(self.change.invert(inside)))
        return np.stack(back), self._box_in_case()

    def _box_in_case(self) -> Box:
        back: list[slice] = [slice(0)] * 3
        for new, (old, flip) in enumerate(zip(self.change.axes, self.change.flips, strict=True)):
            side, length = self.box[new], self.grid_shape[new]
            back[old] = slice(length - side.stop, length - side.start) if flip else side
        return back[0], back[1], back[2]


def prepare(case: Case, card: Card, watch: Watch) -> Prepared:
    """Crop to the brain, bring to the network's voxel size, normalise, pad to its stride.

    Raises
    ------
    InputError
        When the case has none of the model's modalities, or no image shows a brain.
    Cancelled
        When the caller stops it.
    """
    change = case.grid.to_orientation(card.orientation)
    grid = case.grid.reoriented(change)
    warnings: list[str] = []
    with ThreadPoolExecutor() as threads:
        arrays: dict[Modality, NDArray[Any]] = {}
        for modality in card.channels:
            if modality in case.volumes:
                array = change.apply(case.volumes[modality].array)
                arrays[modality] = _finite(array, modality, warnings)
        if not arrays:
            raise InputError(
                f"{case.id} has none of the images that the model {card.name} takes "
                f"({', '.join(card.channels)})"
            )
        backgrounds = {m: background_value(a) for m, a in arrays.items()}
        watch.check()
        mask = brain_mask(list(arrays.values()))
        box = bounding_box(mask)
        if box is None:
            raise InputError(
                f"no brain was found in {case.id}: every image is constant "
                f"(images: {', '.join(arrays)})"
            )
        watch.check()
        head_ml = float(np.count_nonzero(mask)) * grid.voxel_volume_ml
        if head_ml > LARGEST_BRAIN_ML:
            warnings.append(
                f"the images seem to show the whole head ({head_ml / 1000:.1f} litres are not "
                "background): the model was made for images with the skull removed, expect false "
                "findings; have it removed first (segment --strip, or the box in the panel)"
            )
        if card.window is not None:
            working = _working_shape(grid.shape, grid.spacing, card.spacing_mm)
            box = _widened(box, grid.shape, working, card.window)
        size = card.resize or _working_shape(_shape_of(box), grid.spacing, card.spacing_mm)
        if size != _shape_of(box) and card.resize is None:
            warnings.append(
                f"the images were resampled to {card.spacing_mm:g} mm for the model (their voxels "
                f"are {' x '.join(f'{s:.3g}' for s in grid.spacing)} mm)"
            )
        padded = _padded_shape(size, card.stride, card.window)
        interior = _centred(size, padded)
        channels = np.zeros((len(card.channels), *padded), dtype=np.float32)
        small_mask = _rescaled(mask[box], size) >= 0.5 if size != _shape_of(box) else mask[box]

        def fill(modality: Modality) -> bool:
            watch.check()
            crop = arrays[modality][box]
            if size != crop.shape:
                crop = _rescaled(crop, size)
            normal = normalise_as(card.normalisation, crop, small_mask, backgrounds[modality])
            channels[card.channels.index(modality)][interior] = normal
            return bool(normal.any())

        shown = dict(zip(arrays, threads.map(fill, arrays), strict=True))
    used = tuple(m for m in arrays if shown[m])
    warnings += [
        f"{modality} is the same everywhere: it was treated as missing"
        for modality, is_shown in shown.items()
        if not is_shown
    ]
    if not used:
        raise InputError(
            f"no brain was found in {case.id}: every image is constant (images: {', '.join(shown)})"
        )
    missing = tuple(m for m in card.channels if m not in used)
    return Prepared(channels, interior, box, change, grid.shape, used, missing, tuple(warnings))


def bounding_box(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box around the true voxels of a 3D mask; None when there are none."""
    sides = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        if hit.size == 0:
            return None
        sides.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return sides[0], sides[1], sides[2]


def quantise(probabilities: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities 0 to 1 in 255ths, rounded."""
    return (probabilities * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)


def _finite(array: NDArray[Any], modality: Modality, warnings: list[str]) -> NDArray[Any]:
    if np.issubdtype(array.dtype, np.integer) or np.isfinite(array).all():
        return array
    warnings.append(f"{modality} has voxels that are no numbers: they were taken as background")
    return np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)


def _rescaled(array: NDArray[Any], size: Shape) -> NDArray[np.float32]:
    return rescale(array.astype(np.float32), size)


def _shape_of(box: Box) -> Shape:
    a, b, c = (side.stop - side.start for side in box)
    return a, b, c


def _working_shape(shape: Shape, spacing: tuple[float, float, float], wanted: float) -> Shape:
    """`shape` itself where the voxels are close enough to the wanted ones, else the new one."""
    if all(abs(s / wanted - 1.0) <= SPACING_TOLERANCE for s in spacing):
        return shape
    a, b, c = (max(1, round(n * s / wanted)) for n, s in zip(shape, spacing, strict=True))
    return a, b, c


def _widened(box: Box, whole: Shape, working: Shape, window: Shape) -> Box:
    """`box` made as large as `window`, within the image; as it is where it is larger already.

    `whole` is the image's shape, `working` the same in the network's voxels, in which `window`
    is given. An image that fits the window is taken whole, so that the network sees what the
    program it comes from would show it.
    """
    sides = []
    for side, n, m, wanted in zip(box, whole, working, window, strict=True):
        length = min(n, round(wanted * n / m))
        if side.stop - side.start >= length:
            sides.append(side)
            continue
        start = (side.start + side.stop - length) // 2
        start = min(max(start, 0), n - length)
        sides.append(slice(start, start + length))
    return sides[0], sides[1], sides[2]


def _padded_shape(shape: Shape, stride: int, window: Shape | None) -> Shape:
    # Instance normalisation needs more than one value at the lowest level.
    least = window or (1, 1, 1)
    a, b, c = (max(2, -(-max(n, m) // stride)) * stride for n, m in zip(shape, least, strict=True))
    return a, b, c


def _centred(size: Shape, padded: Shape) -> Box:
    a, b, c = (slice((p - n) // 2, (p - n) // 2 + n) for n, p in zip(size, padded, strict=True))
    return a, b, c
