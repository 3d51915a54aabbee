"""The colours that a labels layer shows for a protocol's codes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..protocol import Protocol

if TYPE_CHECKING:
    from napari.utils.colormaps import DirectLabelColormap

RGBA = tuple[float, float, float, float]

TRANSPARENT: RGBA = (0.0, 0.0, 0.0, 0.0)


def code_colours(protocol: Protocol, hidden: Collection[str] = ()) -> dict[int, RGBA]:
    """The colour of each code: that of the deepest region shown which holds it.

    Hiding ET shows its voxels as the TC that they are part of; hiding WT leaves only those of
    its voxels visible that lie in TC.
    """
    colours: dict[int, RGBA] = {}
    for region in protocol.regions:
        chain = (region, *protocol.ancestors(region.name))
        shown = next((r for r in chain if r.name not in hidden), None)
        colours[region.code] = (*shown.colour, 1.0) if shown else TRANSPARENT
    return colours


def label_colormap(protocol: Protocol, hidden: Collection[str] = ()) -> DirectLabelColormap:
    """Napari's colormap for the codes, with the entries for background and unknown it needs."""
    from napari.utils.colormaps import DirectLabelColormap

    colours: dict[int | None, RGBA] = {None: TRANSPARENT, 0: TRANSPARENT}
    for code, colour in code_colours(protocol, hidden).items():
        colours[code] = colour
    return DirectLabelColormap(color_dict=colours)
