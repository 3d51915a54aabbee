"""Operations on a whole region, each one step of undo.

Each looks at the region as it is, makes the mask that it should be, and brings the region there
by strokes: parents and children follow only as nesting demands, siblings never change.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import GeometryError, InputError
from .morphology import filled, grown, shrunk, smoothed, without_islands
from .reshape import apply_all, erasing, painting, strokes_to
from .session import EditSession
from .stroke import Box, Footprint, bounding_box


def fill_holes(session: EditSession, region: str, axis: int | None = None) -> None:
    """Fill the holes of a region in 3D, or those in each slice across an `axis`.

    A hole that goes through the parents too is filled in them as well; a sibling in a hole stays.
    """
    mask = _mask(session, region)
    added = Footprint.of_mask(filled(mask, axis) & ~mask)
    apply_all(session, painting(session.protocol, region, added), f"fill holes of {region}")


def remove_islands(session: EditSession, region: str, smallest_mm3: float) -> None:
    """Erase the components of a region (26 neighbours) that are smaller than `smallest_mm3`."""
    mask = _mask(session, region)
    kept = without_islands(mask, smallest_mm3, session.grid.voxel_volume_ml * 1000)
    removed = Footprint.of_mask(mask & ~kept)
    apply_all(session, erasing(region, removed), f"remove islands of {region}")


def grow(session: EditSession, region: str, mm: float, *, within_parent: bool = True) -> None:
    """Grow a region by `mm`, exact on any spacing.

    It stops where its parent ends, unless `within_parent` is False: then the parent grows with it.
    """
    mask = _mask(session, region)
    added = Footprint.of_mask(grown(mask, mm, session.grid.spacing) & ~mask)
    strokes = painting(session.protocol, region, added, within_parent=within_parent)
    apply_all(session, strokes, f"grow {region} by {mm:g} mm")


def shrink(session: EditSession, region: str, mm: float) -> None:
    """Shrink a region by `mm`, exact on any spacing; its children are cut with it."""
    mask = _mask(session, region)
    removed = Footprint.of_mask(mask & ~shrunk(mask, mm, session.grid.spacing))
    apply_all(session, erasing(region, removed), f"shrink {region} by {mm:g} mm")


def smooth(session: EditSession, region: str, mm: float, *, within_parent: bool = True) -> None:
    """Smooth the outline of a region by a Gaussian of `mm`; its components keep their volume.

    It stays within its parent, and so may lose some volume there, unless `within_parent` is False.
    """
    wanted = Footprint((0, 0, 0), smoothed(_mask(session, region), mm, session.grid.spacing))
    strokes = strokes_to(
        session.codes, session.protocol, region, wanted, within_parent=within_parent
    )
    apply_all(session, strokes, f"smooth {region} by {mm:g} mm")


def keep_between(
    session: EditSession, region: str, image: NDArray[Any], low: float, high: float
) -> None:
    """Erase from a region what has an intensity below `low` or above `high` in an image (I, P, L).

    Raises
    ------
    GeometryError
        When the image is not on the annotation's grid.
    """
    outside = _mask(session, region) & ~_between(session, image, low, high)
    strokes = erasing(region, Footprint.of_mask(outside))
    apply_all(session, strokes, f"keep {region} from {low:g} to {high:g}")


def add_between(
    session: EditSession, region: str, image: NDArray[Any], low: float, high: float
) -> None:
    """Add to a region what has an intensity from `low` to `high` in an image (I, P, L).

    Only from its parent's own compartment.

    Raises
    ------
    InputError
        When the region has no parent.
    GeometryError
        When the image is not on the annotation's grid.
    """
    parent = session.protocol[region].parent
    if parent is None:
        raise InputError(
            f"{region} lies in no other region that intensities could be looked for in: "
            "choose a region inside another"
        )
    found = _mask(session, parent) & _between(session, image, low, high)
    added = Footprint.of_mask(found & ~_mask(session, region))
    strokes = painting(session.protocol, region, added, within_parent=True)
    apply_all(session, strokes, f"add to {region} from {low:g} to {high:g}")


def cut_between(
    session: EditSession, region: str, image: NDArray[Any], low: float, high: float
) -> tuple[Box, NDArray[np.bool_], NDArray[np.bool_]]:
    """What `keep_between` would erase and `add_between` would add; changes nothing.

    Returns
    -------
    A box, and two masks of it. A region without a parent has nothing added.

    Raises
    ------
    GeometryError
        When the image is not on the annotation's grid.
    """
    _check_fits(session, image)
    protocol = session.protocol
    parent = protocol[region].parent
    box = bounding_box(_mask(session, parent or region)) or (slice(0, 0), slice(0, 0), slice(0, 0))
    codes, values = session.codes[box], image[box]
    mask, between = protocol.inside(codes, region), (values >= low) & (values <= high)
    if parent is None:
        return box, mask & ~between, np.zeros_like(mask)
    return box, mask & ~between, protocol.inside(codes, parent) & between & ~mask


def copy_slice(session: EditSession, region: str, axis: int, index: int, step: int = -1) -> None:
    """Make a region in a slice what it is in a neighbouring one.

    Parameters
    ----------
    axis, index
        The slice that changes: array index `index` along `axis`.
    step
        Where the other one lies: -1 for the slice before, 1 for the slice after.

    Raises
    ------
    InputError
        When either slice lies outside the image.
    """
    count = session.grid.shape[axis]
    if not (0 <= index < count and 0 <= index + step < count):
        raise InputError(f"there is no slice {index + step} to copy to {index}: go one further in")
    source = session.codes.take([index + step], axis=axis)
    corner = [0, 0, 0]
    corner[axis] = index
    wanted = Footprint((corner[0], corner[1], corner[2]), session.protocol.inside(source, region))
    strokes = strokes_to(session.codes, session.protocol, region, wanted)
    apply_all(session, strokes, f"copy {region} from the slice {'before' if step < 0 else 'after'}")


def _mask(session: EditSession, region: str) -> NDArray[np.bool_]:
    return session.protocol.inside(session.codes, region)


def _between(
    session: EditSession, image: NDArray[Any], low: float, high: float
) -> NDArray[np.bool_]:
    _check_fits(session, image)
    return np.asarray((image >= low) & (image <= high))


def _check_fits(session: EditSession, image: NDArray[Any]) -> None:
    if image.shape != session.grid.shape:
        raise GeometryError(
            f"an image of {image.shape} voxels does not fit an annotation of "
            f"{session.grid.shape}: choose an image of the same case"
        )
