"""Pictures of the cases that agree least, region by region; their files are read once more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..agreement.comparable import SAME_PLACE_VOXELS
from ..case import Case
from ..errors import MmsegError
from ..io import open_case
from ..io.image import stem_of, suffix_of
from ..protocol import Protocol
from ..volume import Modality
from .cohort import CaseScores, Cohort, Reader
from .page import Picture
from .pictures import picture, windowed, worst_slice

#: How many cases of each region are shown.
SHOWN = 3

#: The contrasts in which a region that is nobody's child, and any other, are seen best.
_WHOLE = (Modality.FLAIR, Modality.T2, Modality.T1CE, Modality.T1)
_INNER = (Modality.T1CE, Modality.FLAIR, Modality.T1, Modality.T2)


def worst_pictures(
    cohort: Cohort,
    protocol: Protocol,
    read_prediction: Reader,
    read_reference: Reader,
    *,
    images: Path | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> list[Picture]:
    """The worst slice of the `SHOWN` lowest Dice of each region, in the order of the regions.

    `images` holds a folder a case, or files whose names begin with the case's. Where a case has no
    image on the labels' grid the outlines stand alone, which `warn` is told.
    """
    wanted: dict[str, list[str]] = {}
    for region in cohort.regions:
        for case in _lowest(cohort, region):
            wanted.setdefault(case.name, []).append(region)
    drawn: list[Picture] = []
    for case in cohort.cases:
        if case.name in wanted:
            reader = (read_prediction, read_reference)
            drawn += _of_case(case, wanted[case.name], protocol, reader, images, warn)
    order = cohort.regions
    return sorted(drawn, key=lambda p: (order.index(p.region), p.dice))


def _lowest(cohort: Cohort, region: str) -> list[CaseScores]:
    scored = [(case.regions[region].dice, case) for case in cohort.cases]
    defined = [(dice, case) for dice, case in scored if dice is not None and dice < 1]
    return [case for _, case in sorted(defined, key=lambda pair: pair[0])[:SHOWN]]


def _of_case(
    case: CaseScores,
    regions: list[str],
    protocol: Protocol,
    readers: tuple[Reader, Reader],
    images: Path | None,
    warn: Callable[[str], None],
) -> list[Picture]:
    prediction = readers[0](case.pair.prediction)
    reference = readers[1](case.pair.reference)
    opened = _images_of(case.pair.name, images, warn)
    if opened and not opened.grid.same_as(reference.grid, SAME_PLACE_VOXELS):
        warn(f'the images of "{case.pair.name}" lie on another grid: its outlines stand alone')
        opened = None
    spacing = reference.grid.spacing[1:]
    drawn = []
    for region in regions:
        first, second = prediction.region(region), reference.region(region)
        index = worst_slice(first, second)
        grey = (
            None
            if opened is None
            else windowed(contrast(opened, protocol[region].parent is None), index)
        )
        svg = picture(first[index], second[index], (spacing[0], spacing[1]), grey)
        drawn.append(Picture(case.name, region, case.regions[region].dice or 0.0, index, svg))
    return drawn


def contrast(case: Case, whole: bool) -> NDArray[Any]:
    """The image in which a whole lesion, or what lies inside it, is seen best; axes (I, P, L)."""
    order = _WHOLE if whole else _INNER
    return next(case.volumes[m].array for m in order if m in case.volumes)


def _images_of(name: str, folder: Path | None, warn: Callable[[str], None]) -> Case | None:
    if folder is None:
        return None
    own = folder / name
    try:
        if own.is_dir():
            return open_case(own)
        files = [
            path
            for path in sorted(folder.iterdir())
            if suffix_of(path) and _belongs(stem_of(path).casefold(), name.casefold())
        ]
        if not files:
            warn(f'there are no images of "{name}": its outlines stand alone')
            return None
        return open_case(files)
    except MmsegError as error:
        warn(f'the images of "{name}" were left out: {error}')
        return None


def _belongs(stem: str, name: str) -> bool:
    """Is it the case's file? "case-1_flair" is not one of "case-10"."""
    return stem.startswith(name) and not stem[len(name) : len(name) + 1].isalnum()
