"""The slices that raters differ about most, with everybody's outlines."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape

import numpy as np
from numpy.typing import NDArray

from ..agreement.metrics import SAME_PLACE_VOXELS
from ..agreement.surfaces import Mask
from ..annotation import Annotation
from ..case import Case
from ..grid import Grid
from .pictures import MARGIN_VOXELS, crop, outline, png, windowed
from .worst import contrast

#: How many slices are shown, and how far those of one case lie apart at least, in mm.
SHOWN = 5
APART_MM = 6.0

#: Colours that people with any colour vision tell apart on grey (Okabe and Ito, 2008, lightened
#: where needed), then repeated with dashes.
RATER_COLOURS = (
    "#56b4e9", "#e69f00", "#00c48c", "#f0e442", "#ff6f61", "#cc79a7", "#ffffff", "#8f9bff",
)  # fmt: skip
_DASHES = ("", "6 3", "2 2")

_WIDTH = 330.0
_LETTER = 'fill="#fff" stroke="#000" stroke-width="2.5" paint-order="stroke"'
_HALO = (
    'fill="none" stroke="#000" stroke-opacity=".45" stroke-width="3.2" '
    'vector-effect="non-scaling-stroke"'
)


@dataclass(frozen=True, eq=False)
class DisputedSlice:
    """One axial slice of one region.

    Parameters
    ----------
    index
        The slice, from 0 at the top.
    doubt_mm2
        Entropy of the raters' votes in bits, summed over the slice, times a pixel's area: a
        square millimetre about which the raters are evenly split counts as one.
    masks
        By rater; axes (P, L).
    grey
        The image beneath, 0 to 255; None where there is none.
    """

    case: str
    region: str
    index: int
    doubt_mm2: float
    masks: Mapping[str, Mask]
    grid: Grid = field(repr=False)
    parent: str | None = None
    grey: NDArray[np.uint8] | None = None

    @property
    def spacing(self) -> tuple[float, float]:
        """Edges of a pixel along P and L, in mm."""
        return self.grid.spacing[1], self.grid.spacing[2]

    def over(self, images: Case) -> DisputedSlice:
        """The same over the contrast in which the region is seen best; itself on another grid."""
        if not images.grid.same_as(self.grid, SAME_PLACE_VOXELS):
            return self
        return replace(self, grey=windowed(contrast(images, self.parent is None), self.index))


def disputed_slices(case: str, annotations: Mapping[str, Annotation]) -> list[DisputedSlice]:
    """The most disputed slices of one case, largest doubt first."""
    if len(annotations) < 2:
        return []
    first = next(iter(annotations.values()))
    found = []
    for region in first.protocol.regions:
        votes = np.zeros(first.codes.shape, np.uint8)
        table = first.protocol.inside_table(region.name)
        for annotation in annotations.values():
            votes += table[annotation.codes].view(np.uint8)
        bits = _entropy_bits(len(annotations))
        area = first.grid.spacing[1] * first.grid.spacing[2]
        doubt = np.array([bits[plane].sum() for plane in votes]) * area
        for index in np.argsort(-doubt, kind="stable")[: 4 * SHOWN]:
            if doubt[index] > 0:
                found.append((float(doubt[index]), int(index), region))
    chosen: list[tuple[float, int, str]] = []
    made: list[DisputedSlice] = []
    for value, index, region in sorted(found, key=lambda one: -one[0]):
        apart = abs(index - np.array([other for _, other, _ in chosen])) * first.grid.spacing[0]
        if len(made) < SHOWN and (not len(apart) or apart.min() >= APART_MM):
            chosen.append((value, index, region.name))
            masks = {
                name: one.protocol.inside(one.codes[index], region.name)
                for name, one in annotations.items()
            }
            made.append(
                DisputedSlice(case, region.name, index, value, masks, first.grid, region.parent)
            )
    return made


def most_disputed(slices: Sequence[DisputedSlice]) -> list[DisputedSlice]:
    """The `SHOWN` with the largest doubt."""
    return sorted(slices, key=lambda one: -one.doubt_mm2)[:SHOWN]


def colour_of(raters: Sequence[str], rater: str) -> tuple[str, str]:
    """A rater's colour and dash pattern."""
    place = list(raters).index(rater)
    turn = place // len(RATER_COLOURS) % len(_DASHES)
    return RATER_COLOURS[place % len(RATER_COLOURS)], _DASHES[turn]


def picture_of(slice_: DisputedSlice, raters: Sequence[str]) -> str:
    """An `<svg>` element that needs no other file: all outlines over the image or a dark ground."""
    some = np.logical_or.reduce(list(slice_.masks.values()))
    rows, columns = crop(some, MARGIN_VOXELS)
    height, width = some[rows, columns].shape
    tall = _WIDTH * (height * slice_.spacing[0]) / (width * slice_.spacing[1])
    ground = f'<rect width="{width}" height="{height}" fill="#343a40"/>'
    if slice_.grey is not None:
        data = base64.b64encode(png(slice_.grey[rows, columns])).decode("ascii")
        ground = (
            f'<image width="{width}" height="{height}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{data}"/>'
        )
    halos, lines = [], []  # a dark rim beneath all, so that pale lines show on white
    for rater, mask in slice_.masks.items():
        colour, dash = colour_of(raters, rater)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        path = outline(mask[rows, columns])
        halos.append(f'<path d="{path}" {_HALO}/>')
        lines.append(
            f'<path d="{path}" fill="none" stroke="{colour}" '
            f'stroke-width="1.5"{dashed} vector-effect="non-scaling-stroke">'
            f"<title>{escape(rater)}</title></path>"
        )
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {tall:.1f}" role="img" aria-label="outlines of all raters" '
        f'font-family="sans-serif" font-size="13">'
        f'<svg width="{_WIDTH:g}" height="{tall:.1f}" viewBox="0 0 {width} {height}" '
        f'preserveAspectRatio="none">{ground}{"".join(halos + lines)}</svg>'
        f'<text x="6" y="{tall / 2:.1f}" {_LETTER}>R</text>'
        f'<text x="{_WIDTH - 15:g}" y="{tall / 2:.1f}" {_LETTER}>L</text></svg>'
    )


def _entropy_bits(raters: int) -> NDArray[np.float64]:
    """Entropy of a vote in bits by how many say yes (0 to `raters`, then zeros up to 255)."""
    share = np.arange(1, raters) / raters
    bits = np.zeros(256)
    bits[1:raters] = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    return bits
